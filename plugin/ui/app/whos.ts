/** Whom a rule can be for, as the page knows it. */

import type { TrafficRow } from "../traffic-view.ts";
import type { CallStore } from "./call-store.ts";

type Known = Pick<CallStore, "session" | "rows">;

/** A service's calls are meant by its binding; a network's by their route, or their destination. */
export function whoseCall(
  { binding, worker, route, address }: TrafficRow,
  { session }: Pick<Known, "session">,
): string {
  const kind = session?.bindings.find((each) => each.binding === binding && each.worker === worker)?.kind;
  if (kind === "service" || kind === "hyperdrive") return binding;
  return route ?? (URL.canParse(address) && address.includes("://") ? new URL(address).hostname : address);
}

/** Bindings first. */
export function whosOf({ session, rows }: Known): string[] {
  const bindings = (session?.bindings ?? []).map(({ binding }) => binding);
  const routes = rows.flatMap((row) => (row.route === undefined ? [] : [whoseCall(row, { session })]));
  return [...new Set([...bindings, ...routes])];
}
