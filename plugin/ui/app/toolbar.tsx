/** The filters, and what is done to the list as a whole. */

import type { RefObject, VNode } from "preact";

import type { TrafficRow } from "../traffic-view.ts";
import { type Filter, KINDS, STATUS_CLASSES } from "./filter.ts";
import { askSession } from "./api.ts";
import type { CallStore } from "./call-store.ts";
import { saveJson } from "./save-file.ts";

interface ToolbarProps {
  store: CallStore;
  filter: Filter;
  textField: RefObject<HTMLInputElement | null>;
  onFilter: (change: Partial<Filter>) => void;
  /** Its detail has the same button, for one call. */
  isCallOpen: boolean;
}

export function Toolbar({ store, filter, textField, onFilter, isCallOpen }: ToolbarProps): VNode {
  const { rows, session, isPaused } = store;
  const bindings = distinct([
    ...(session?.bindings ?? []).map(({ binding }) => binding),
    ...rows.map(({ binding }) => binding),
  ]);
  return (
    <div class="toolbar" role="toolbar" aria-label="Filters and actions">
      <Choice
        label="Binding"
        value={filter.binding}
        choices={[["", "all"], ...bindings.map(same)]}
        onChoose={(binding) => onFilter({ binding })}
      />
      <Choice
        label="Kind"
        value={filter.kind}
        choices={[["", "all"], ...Object.entries(KINDS)]}
        onChoose={(kind) => onFilter({ kind })}
      />
      <Choice
        label="Status"
        value={filter.status}
        choices={[
          ["", "all"],
          ...STATUS_CLASSES.map(same),
          ...valuesOf(rows, ({ status }) => status?.toString()).map(same),
        ]}
        onChoose={(status) => onFilter({ status })}
      />
      <Choice
        label="Code"
        value={filter.code}
        choices={[["", "all"], ["any", "any error"], ...valuesOf(rows, ({ code }) => code).map(same)]}
        onChoose={(code) => onFilter({ code })}
      />
      <label class="field text">
        <span>Text</span>
        <input
          ref={textField}
          type="search"
          value={filter.text}
          placeholder="path, host, target …"
          spellcheck={false}
          autocomplete="off"
          onInput={({ currentTarget }) => onFilter({ text: currentTarget.value })}
        />
        <kbd aria-hidden="true">/</kbd>
      </label>
      <span class="actions">
        <button aria-pressed={isPaused} onClick={() => store.setPaused(!isPaused)}>
          Pause
        </button>
        <button onClick={() => void store.clear()}>Clear</button>
        <button class={isCallOpen ? "resting" : ""} onClick={() => void saveAll()}>
          Save HAR
        </button>
      </span>
    </div>
  );
}

/** All calls of the session, also those that a filter hides. If the session is gone, the foot of the page says so. */
async function saveAll(): Promise<void> {
  const { content } = await askSession<object>("GET", "har");
  if (content !== undefined) saveJson("traffic.har", content);
}

interface ChoiceProps {
  label: string;
  value: string;
  choices: [value: string, text: string][];
  onChoose: (value: string) => void;
}

/** A value that no call has any longer stays, because it is in force. */
function Choice({ label, value, choices, onChoose }: ChoiceProps): VNode {
  const all = choices.some(([each]) => each === value) ? choices : [...choices, same(value)];
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
        {all.map(([each, text]) => (
          <option key={each} value={each} selected={each === value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function valuesOf(rows: readonly TrafficRow[], read: (row: TrafficRow) => string | undefined): string[] {
  return distinct(rows.flatMap((row) => read(row) ?? [])).toSorted();
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function same(value: string): [string, string] {
  return [value, value];
}
