/** What the vpc config says about the comparison of requests. */

import type { HarModel } from "../model.ts";
import type { MatchSettings } from "./request-key.ts";

export function matchSettings({ match = {}, redact = [] }: Pick<HarModel, "match" | "redact">): MatchSettings {
  const { headers = [], ignore = [] } = match;
  // A secret is not in the file.
  return { headers: lower(headers), ignore: new Set(lower([...ignore, ...redact])) };
}

function lower(names: readonly string[]): string[] {
  return names.map((name) => name.toLowerCase());
}
