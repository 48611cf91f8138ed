/** The bar at the top: what is in force beside the routes of the vpc config, and how to undo it. */

import type { VNode } from "preact";
import { useRef } from "preact/hooks";

import type { InForceView, RuleView } from "../traffic-view.ts";
import { askSession } from "./api.ts";
import { countInWords } from "./format.ts";

/** Rules that have room. */
const SHOWN = 50;

const MAKERS: Record<RuleView["from"], string> = { page: "this page", test: "a test", control: "the control API" };

interface InForceBarProps {
  inForce: InForceView;
  /** Its detail has the same button. */
  isCallOpen: boolean;
  onAddFault: () => void;
}

export function InForceBar({
  inForce: { rules, configFaults, isStrict },
  isCallOpen,
  onAddFault,
}: InForceBarProps): VNode {
  const bar = useRef<HTMLElement>(null);
  const shown = rules.slice(0, SHOWN);
  const isNothing = rules.length + configFaults.length === 0 && !isStrict;
  const undo = (path: string): void => {
    // The button goes away with what it undoes.
    bar.current?.focus();
    void askSession("DELETE", path);
  };
  return (
    <section class={isNothing ? "in-force" : "in-force active"} aria-label="In force" ref={bar} tabIndex={-1}>
      <h2>In force</h2>
      <ul>
        {isNothing && <li class="none">only the vpc config</li>}
        {isStrict && <li>strict: what no rule matches is refused</li>}
        {shown.map((rule) => (
          <li key={rule.id} class={rule.effect === "faults" ? "fault" : rule.effect}>
            <span
              id={`in-force-${rule.id}`}
              title={`${rule.id}, made by ${MAKERS[rule.from]}, used ${countInWords(rule.decided, "time")}`}
            >
              <b>{rule.who}</b> {rule.call !== undefined && <code>{rule.call}</code>} {rule.text}{" "}
              <span class="note">
                {rule.isUsedUp ? "used up" : `${rule.decided}×`}
                {rule.from !== "page" && `, ${MAKERS[rule.from]}`}
              </span>
            </span>
            <button aria-describedby={`in-force-${rule.id}`} onClick={() => undo(`rules/${rule.id}`)}>
              Undo
            </button>
          </li>
        ))}
        {rules.length > shown.length && <li>and {countInWords(rules.length - shown.length, "more rule")}</li>}
        {configFaults.map(({ who, text, origin }) => (
          <li key={`${who} ${origin}`} class="fault">
            <span title={`To end it, edit ${origin}`}>
              <b>{who}</b> {text} <span class="note">{origin}</span>
            </span>
          </li>
        ))}
      </ul>
      <span class="actions">
        {rules.length > 1 && <button onClick={() => undo("rules")}>Undo all</button>}
        <button class={isCallOpen ? "resting" : ""} onClick={onAddFault}>
          Add fault
        </button>
      </span>
    </section>
  );
}
