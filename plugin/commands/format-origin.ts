/** Formats where a route comes from: its file, line and column, and the compose service, if there is one. */

import type { Route } from "../../service-worker/routing/table.ts";

export function formatOrigin({ origin, composeService }: Pick<Route, "origin" | "composeService">): string {
  return composeService === undefined ? origin : `${origin}, service ${JSON.stringify(composeService)}`;
}
