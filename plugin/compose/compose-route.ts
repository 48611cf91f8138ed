/** A route that a compose file makes, and the destination that it is for. */

import type { Host } from "../../service-worker/routing/address.ts";
import type { Route, RouteMatch } from "../../service-worker/routing/table.ts";
import type { Place } from "./compose-node.ts";

/** `at`: the place of the port, or of the service, that it comes from. */
export interface ComposeRoute extends Pick<Route, "text" | "match" | "ports"> {
  at: Place;
  serviceName: string;
  target: { type: "address"; host: string; port?: number };
}

export function matchOf(host: Host): RouteMatch {
  if (host.type === "name") return { type: "name", name: host.text };
  return { type: "cidr", address: host.text, prefix: host.version === 4 ? 32 : 128 };
}
