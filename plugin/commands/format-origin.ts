/** Where a route comes from, for people: its place, and the compose service that stands there. */

import type { Route } from "../../service-worker/table.ts";

export function formatOrigin({ origin, composeService }: Pick<Route, "origin" | "composeService">): string {
  return composeService === undefined ? origin : `${origin}, service ${JSON.stringify(composeService)}`;
}
