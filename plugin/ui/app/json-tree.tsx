/** A JSON value as a tree. A branch is drawn when it is opened, and long lists in pieces. */

import type { VNode } from "preact";
import { useState } from "preact/hooks";

/** Members that are shown at once. */
const PIECE = 100;
/** Levels that are open at first. */
const OPEN = 2;

export function JsonTree({ value }: { value: unknown }): VNode {
  return (
    <div class="json">
      <Node value={value} depth={0} />
    </div>
  );
}

interface NodeProps {
  /** Of the member; absent for the root. */
  label?: string;
  value: unknown;
  depth: number;
}

function Node({ label, value, depth }: NodeProps): VNode {
  const [isOpen, setOpen] = useState(depth < OPEN);
  const [shown, setShown] = useState(PIECE);
  const name = label !== undefined && <span class="key">{label}: </span>;
  if (typeof value !== "object" || value === null) {
    return (
      <div class="leaf">
        {name}
        <span class={`value ${value === null ? "null" : typeof value}`}>{JSON.stringify(value)}</span>
      </div>
    );
  }
  const members = Object.entries(value);
  const isList = Array.isArray(value);
  if (members.length === 0) {
    return (
      <div class="leaf">
        {name}
        <span class="value">{isList ? "[]" : "{}"}</span>
      </div>
    );
  }
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {name}
        <span class="brief">{isList ? `[${members.length}]` : briefOf(members)}</span>
      </summary>
      {isOpen && (
        <div class="members">
          {members.slice(0, shown).map(([key, member]) => (
            <Node key={key} label={key} value={member} depth={depth + 1} />
          ))}
          {members.length > shown && (
            <button onClick={() => setShown(shown + PIECE * 10)}>Show more of {members.length}</button>
          )}
        </div>
      )}
    </details>
  );
}

function briefOf(members: [string, unknown][]): string {
  const names = members.slice(0, 5).map(([key]) => key);
  return `{ ${names.join(", ")}${members.length > names.length ? ", …" : ""} }`;
}
