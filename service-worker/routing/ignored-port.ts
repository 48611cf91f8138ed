/**
 * A VPC Service has its own port, so a port in the URL of a `fetch()` or the address of a `connect()` has no effect. Makes
 * the message that says so, for `explain` and the terminal. Pure.
 */

import type { Decision } from "./decide.ts";
import { type Scheme, portOf } from "./table.ts";

/**
 * @param port as written in the URL or address; undefined if there is none
 * @returns undefined if the port counts or is the right one
 */
export function describeIgnoredPort(
  decision: Decision,
  { scheme, port }: { scheme: Scheme | "tcp"; port: number | undefined },
): string | undefined {
  const { binding } = decision;
  if (port === undefined || binding.kind !== "service") return undefined;
  const own = portOf(binding.service, scheme);
  const to = decision.type === "forward" ? decision.to : undefined;
  if (own === undefined || own === port || (to?.type === "address" && to.port === port)) return undefined;
  // A shorthand such as "unix:./db.sock" has no TCP port to compare with.
  if (scheme === "tcp" && binding.service.hosts.length === 0 && to?.type !== "address") return undefined;
  const place = scheme === "tcp" ? "address" : "URL";
  return `the ${place}'s port ${port} is ignored: a VPC Service uses its own, in production too`;
}

export function portInUrl({ port }: URL): number | undefined {
  return port === "" ? undefined : Number(port);
}
