/** Reports an entry whose key has the same id as an earlier one, in a section that is keyed by ids. */

import { type Parsing, placeOf, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";

export function reportSameId(
  { key, at, earlier }: { key: string; at: Path; earlier: Path },
  { document, report }: Pick<Parsing, "document" | "report">,
): void {
  report({
    code: "duplicate-entry",
    text: `${quote(key)} has the same id as the entry on ${placeOf(document, earlier)}`,
    at,
    part: "key",
    notes: ["Ids are case-insensitive; remove one of them."],
  });
}
