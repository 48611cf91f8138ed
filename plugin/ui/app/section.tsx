/** A part of the detail, which can be closed. */

import type { ComponentChildren, VNode } from "preact";

interface SectionProps {
  title: string;
  note?: string;
  children: ComponentChildren;
}

export function Section({ title, note, children }: SectionProps): VNode {
  return (
    <details class="section" open>
      <summary>
        <h3>{title}</h3>
        {note !== undefined && <span class="note">{note}</span>}
      </summary>
      {children}
    </details>
  );
}
