/** Which calls the list shows. Kept in the address, so that a reload and a bookmark have it too. */

import type { TrafficRow } from "../traffic-view.ts";

export interface Filter {
  /** Empty: all. */
  binding: string;
  kind: string;
  /** `5xx`, or a single one. */
  status: string;
  /** An error code; `any` of them. */
  code: string;
  text: string;
}

export const NO_FILTER: Filter = { binding: "", kind: "", status: "", code: "", text: "" };

export const KINDS: Record<TrafficRow["kind"], string> = { http: "HTTP", websocket: "WebSocket", tcp: "TCP" };

export const STATUS_CLASSES: readonly string[] = ["2xx", "3xx", "4xx", "5xx"];

export function readFilter(hash: string): Filter {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const names = Object.keys(NO_FILTER) as (keyof Filter)[];
  return Object.fromEntries(names.map((name) => [name, given.get(name) ?? ""])) as unknown as Filter;
}

export function writeFilter(filter: Filter): string {
  const set = Object.entries(filter).filter(([, value]) => value !== "");
  return set.length === 0 ? "" : `#${new URLSearchParams(set).toString()}`;
}

export function isFiltering(filter: Filter): boolean {
  return Object.values(filter).some((value) => value !== "");
}

export function makeFilter({ binding, kind, status, code, text }: Filter): (row: TrafficRow) => boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) =>
    (binding === "" || row.binding === binding) &&
    (kind === "" || row.kind === kind) &&
    (status === "" || matchesStatus(row.status, status)) &&
    (code === "" || (code === "any" ? row.code !== undefined : row.code === code)) &&
    words.every((word) => textOf(row).includes(word));
}

function matchesStatus(status: number | undefined, wanted: string): boolean {
  if (status === undefined) return false;
  return wanted.endsWith("xx") ? String(status).startsWith(wanted.slice(0, 1)) : String(status) === wanted;
}

function textOf({
  binding,
  worker,
  method = "",
  address,
  route = "",
  target = "",
  status,
  code = "",
  rule = "",
  faults = [],
}: TrafficRow): string {
  const went = `${route} ${target} ${rule} ${faults.join(" ")}`;
  return `${binding} ${worker} ${method} ${address} ${went} ${status ?? ""} ${code}`.toLowerCase();
}
