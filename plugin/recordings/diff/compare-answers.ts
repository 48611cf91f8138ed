/** What changed between a recorded answer and a live one, in what matters to a client. */

import { findDifferences, makeSubset } from "../../scenario/json-subset.ts";
import { REDACTED } from "../har.ts";
import { canonicalJson, contentOf, valueOf } from "../request-key.ts";
import type { LiveAnswer } from "./ask-live.ts";
import { compareShapes } from "./json-shape.ts";

export interface Change {
  part: "status" | "header" | "body";
  /** The header field, or the place in the JSON. */
  name?: string;
  /** In words: `200 → 404`. */
  change: string;
}

export interface CompareOptions {
  /** Header fields and fields of JSON, in lower case. */
  ignore: ReadonlySet<string>;
  /** Whether values are compared, too, not only the structure. */
  isByValue: boolean;
  /** Whether the recorded body is known. */
  isBodyKnown: boolean;
  /** Turns a recorded `Location` into the one that the live target would send. */
  moveLocation: (location: string) => string;
}

/** Header fields that change what a client does. The others differ with each answer, or describe the connection. */
const HEADERS = [
  "content-type",
  "location",
  "allow",
  "cache-control",
  "content-disposition",
  "content-language",
  "link",
  "vary",
  "www-authenticate",
  "access-control-allow-origin",
  "access-control-allow-methods",
  "access-control-allow-headers",
  "access-control-allow-credentials",
];

export function compareAnswers(recorded: LiveAnswer, live: LiveAnswer, options: CompareOptions): Change[] {
  const status: Change[] =
    recorded.status === live.status ? [] : [{ part: "status", change: `${recorded.status} → ${live.status}` }];
  return [...status, ...compareHeaders(recorded, live, options), ...compareBodies(recorded, live, options)];
}

function compareHeaders(recorded: LiveAnswer, live: LiveAnswer, { ignore, moveLocation }: CompareOptions): Change[] {
  return HEADERS.filter((name) => !ignore.has(name)).flatMap((name): Change[] => {
    const written = valueOf(recorded.headers, name);
    const before = name === "location" && written !== undefined ? moveLocation(written) : written;
    const after = valueOf(live.headers, name);
    if (normalize(before) === normalize(after) || before?.includes(REDACTED) === true) return [];
    return [{ part: "header", name, change: `${before ?? "none"} → ${after ?? "none"}` }];
  });
}

/** Spaces and case don't count in lists and media types. */
function normalize(value: string | undefined): string | undefined {
  return value?.toLowerCase().replaceAll(/\s*([,;=])\s*/g, "$1");
}

function compareBodies(recorded: LiveAnswer, live: LiveAnswer, options: CompareOptions): Change[] {
  const { ignore, isByValue, isBodyKnown } = options;
  if (!isBodyKnown) return [];
  if ((recorded.body.length === 0) !== (live.body.length === 0)) {
    const change = live.body.length === 0 ? "is empty" : "is no longer empty";
    return [{ part: "body", change }];
  }
  const [before, after] = [recorded, live].map(({ body, headers }) =>
    contentOf(body, valueOf(headers, "content-type") ?? ""),
  );
  if (before?.type === "json" && after?.type === "json") {
    const shapes = compareShapes(before.value, after.value, ignore);
    const changes = shapes.map(({ path, change }): Change => ({ part: "body", name: path, change }));
    if (!isByValue || changes.length > 0) return changes;
    return compareValues(canonicalJson(before.value, ignore), canonicalJson(after.value, ignore));
  }
  if (before?.type === "json") return [{ part: "body", change: "is no longer JSON" }];
  const isEqual = recorded.body.equals(live.body) || recorded.body.includes(REDACTED);
  return isByValue && !isEqual
    ? [{ part: "body", change: `${recorded.body.length} bytes → ${live.body.length} other bytes` }]
    : [];
}

function compareValues(before: unknown, after: unknown): Change[] {
  if (JSON.stringify(before).includes(REDACTED)) return [];
  return findDifferences(makeSubset(before), after).map(({ at, difference }) => ({
    part: "body",
    name: at,
    change: difference,
  }));
}
