/** The cells of one call, in the order of the terminal's traffic lines. */

import { Fragment, type VNode } from "preact";

import type { TrafficRow } from "../traffic-view.ts";
import { formatDuration, formatTime } from "./format.ts";

interface Column {
  /** Also its class. */
  name: string;
  label: string;
  cell: (row: TrafficRow) => VNode | string | number;
}

export const COLUMNS: readonly Column[] = [
  { name: "time", label: "Time", cell: ({ startedAt }) => formatTime(startedAt) },
  {
    name: "binding",
    label: "Binding",
    cell: ({ binding, worker }) => (
      <>
        <b>{binding}</b> <span class="worker">{worker}</span>
      </>
    ),
  },
  { name: "method", label: "Method", cell: (row) => <Method row={row} /> },
  { name: "address", label: "Destination", cell: ({ address }) => <Address text={address} /> },
  { name: "target", label: "Route → target", cell: (row) => <Target row={row} /> },
  { name: "status", label: "Status", cell: (row) => <Status row={row} /> },
  { name: "sent", label: "↑ Bytes", cell: ({ sent }) => sent },
  { name: "received", label: "↓ Bytes", cell: ({ received }) => received },
  { name: "duration", label: "Duration", cell: ({ duration }) => <Duration duration={duration} /> },
];

export function CallCells({ row }: { row: TrafficRow }): VNode {
  return (
    <>
      {COLUMNS.map(({ name, cell }) => (
        // The space parts the words of neighbours, for whoever reads the row as one text.
        <Fragment key={name}>
          <div role="gridcell" class={name}>
            {cell(row)}
          </div>{" "}
        </Fragment>
      ))}
    </>
  );
}

export function isFailed({ code, status = 0 }: TrafficRow): boolean {
  return code !== undefined || status >= 500;
}

function Method({ row }: { row: TrafficRow }): VNode {
  return (
    <>
      {row.isRepeated && (
        <span class="repeated" title="sent again from this page">
          <span aria-hidden="true">↻</span>
          <span class="hidden">sent again from this page</span>
        </span>
      )}
      {methodOf(row)}
    </>
  );
}

function methodOf({ kind, method = "" }: TrafficRow): string {
  switch (kind) {
    case "tcp":
      return "connect";
    case "websocket":
      return "WS";
    case "http":
      return method;
    default:
      return kind satisfies never;
  }
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The host stands out less than what is asked of it. */
function Address({ text }: { text: string }): VNode {
  const [, origin = "", path = text] = /^(https?:\/\/[^/]*)(.*)$/s.exec(text) ?? [];
  return (
    <span title={text}>
      {origin !== "" && <span class="origin">{origin}</span>}
      {path}
    </span>
  );
}

/** Where it went, without a rule that answers itself. */
export function targetOf({ rule, target }: TrafficRow): string | undefined {
  return rule !== undefined && target === "rule" ? undefined : target;
}

export function faultsInWords(faults: readonly string[]): string {
  return `fault${faults.length > 1 ? "s" : ""} ${faults.join(", ")}`;
}

function Target({ row }: { row: TrafficRow }): VNode {
  const { binding, route, rule, faults } = row;
  const target = targetOf(row);
  // The entry of a service says no more than its binding does.
  const isEntry = route === binding || UUID.test(route ?? "");
  const from = rule ?? (isEntry ? undefined : route);
  const to = target === undefined ? undefined : `→ ${target}`;
  const note = faults && `(${faultsInWords(faults)})`;
  return (
    <span title={[from, to, note].filter((part) => part !== undefined).join(" ")}>
      {from !== undefined && <span class="from">{from}</span>} {to !== undefined && <span class="to">{to}</span>}{" "}
      {note !== undefined && <span class="fault-note">{note}</span>}
    </span>
  );
}

export function Status({ row: { status, code, isRefused, duration } }: { row: TrafficRow }): VNode {
  if (code !== undefined) {
    return (
      <Fragment>
        {isRefused && (
          <span class="badge" title="refused">
            <span aria-hidden="true">⊘</span>
            <span class="hidden">refused</span>
          </span>
        )}
        <span class="code" title={code}>
          {code}
        </span>
      </Fragment>
    );
  }
  if (status !== undefined) return <span class={`status-${Math.floor(status / 100)}`}>{status}</span>;
  return <span class="open">{duration === undefined ? "open" : "closed"}</span>;
}

/** Ten times as long is a quarter of the bar longer, so that 3 ms and 3 s can both be seen. */
function Duration({ duration }: { duration: number | undefined }): VNode {
  if (duration === undefined) return <span class="open">…</span>;
  const share = Math.min(1, Math.log10(1 + duration) / 4);
  return (
    <>
      <span class="bar" aria-hidden="true">
        <span style={{ width: `${Math.max(2, share * 100)}%` }} />
      </span>
      <span class="figure">{formatDuration(duration)}</span>
    </>
  );
}
