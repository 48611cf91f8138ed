/** Puts a fault on a binding or a destination. */

import type { VNode } from "preact";
import { useState } from "preact/hooks";

import { askSession } from "./api.ts";
import { Dialog } from "./dialog.tsx";
import { type Knob, TOXICS, writeToxic } from "./toxics.ts";

interface FaultPanelProps {
  /** Whose calls it is for, at first. */
  who: string;
  /** What else there is. */
  choices: readonly string[];
  codes: readonly string[];
  onClose: () => void;
}

export function FaultPanel({ who: first, choices, codes, onClose }: FaultPanelProps): VNode {
  const [who, setWho] = useState(first);
  const [type, setType] = useState("latency");
  const [values, setValues] = useState<Record<string, string>>({});
  const [stream, setStream] = useState("downstream");
  const [toxicity, setToxicity] = useState("1");
  const [problem, setProblem] = useState<string>();
  const toxic = TOXICS.find((each) => each.type === type) ?? TOXICS[0]!;
  const add = async (): Promise<void> => {
    const faults = [writeToxic(toxic, { values, stream, toxicity })];
    const answer = await askSession("POST", "rules", { who, faults });
    if (answer.problem === undefined) onClose();
    else setProblem(answer.problem);
  };
  return (
    <Dialog
      title="Add a fault"
      action="Put it in force"
      problem={problem}
      onSubmit={() => void add()}
      onClose={onClose}
    >
      <label class="line">
        <span>Binding or destination</span>
        <input
          list="whos"
          value={who}
          required
          spellcheck={false}
          onInput={({ currentTarget }) => setWho(currentTarget.value)}
        />
        <datalist id="whos">
          {choices.map((choice) => (
            <option key={choice} value={choice} />
          ))}
        </datalist>
      </label>
      <label class="line">
        <span>Fault</span>
        <select
          value={type}
          onChange={({ currentTarget }) => {
            setType(currentTarget.value);
            setValues({});
          }}
        >
          {TOXICS.map((each) => (
            <option key={each.type} value={each.type} selected={each.type === type}>
              {each.type}
            </option>
          ))}
        </select>
      </label>
      <p class="note">{toxic.summary}</p>
      <div class="knobs">
        {toxic.knobs.map((knob) => (
          <KnobField
            key={`${type} ${knob.attribute}`}
            knob={knob}
            codes={codes}
            value={values[knob.attribute] ?? String(knob.first)}
            onChange={(value) => setValues((before) => ({ ...before, [knob.attribute]: value }))}
          />
        ))}
        {toxic.hasNoStream !== true && (
          <label>
            <span>Stream</span>
            <select value={stream} onChange={({ currentTarget }) => setStream(currentTarget.value)}>
              <option value="downstream">downstream (to the Worker)</option>
              <option value="upstream">upstream (to the target)</option>
            </select>
          </label>
        )}
        <label>
          <span>Toxicity (share of calls)</span>
          <input
            type="number"
            min="0"
            max="1"
            step="any"
            required
            value={toxicity}
            onInput={({ currentTarget }) => setToxicity(currentTarget.value)}
          />
        </label>
      </div>
    </Dialog>
  );
}

interface KnobFieldProps {
  knob: Knob;
  codes: readonly string[];
  value: string;
  onChange: (value: string) => void;
}

function KnobField({ knob: { label, unit, min = 0 }, codes, value, onChange }: KnobFieldProps): VNode {
  if (unit === undefined) {
    return (
      <label>
        <span>{label}</span>
        <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
          {codes.map((code) => (
            <option key={code} value={code} selected={code === value}>
              {code}
            </option>
          ))}
        </select>
      </label>
    );
  }
  return (
    <label>
      <span>
        {label} ({unit})
      </span>
      <input
        type="number"
        min={min}
        step="1"
        required
        value={value}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </label>
  );
}
