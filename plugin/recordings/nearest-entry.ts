/** Finds the entry that comes nearest to a request that none answers, and says what differs. */

import { isUtf8 } from "node:buffer";
import type { FileHandle } from "node:fs/promises";

import type { Field } from "../egress/http/headers.ts";
import { describeSubset, makeSubset, shorten } from "../scenario/json-subset.ts";
import { DISTANCE, pathDistance } from "../scenario/nearest-call.ts";
import { type IndexedEntry, recordedOrigin } from "./indexed-entry.ts";
import { readEntry } from "./read-entry.ts";
import { recordedBody, readFields } from "./recorded-request.ts";
import {
  type ComparedRequest,
  type MatchSettings,
  canonicalJson,
  comparedHeaders,
  contentOf,
  countingPairs,
  valueOf,
} from "./request-key.ts";

export interface NearestOptions {
  entries: readonly IndexedEntry[];
  settings: MatchSettings;
  file: FileHandle;
  /** Those whose entries may answer. */
  origins: readonly string[];
}

/** Entries whose bodies and header fields are compared, which must be read for that. */
const CLOSELY_COMPARED = 5;
const MAX_DIFFERENCES = 3;

/** @returns `entry 3, POST http://users.internal/users: the JSON body's name is "Bob", not "Ada"`; undefined: there are none */
export async function nearestEntry(request: ComparedRequest, options: NearestOptions): Promise<string | undefined> {
  const near = nearestHeads(request, options);
  const compared = await Promise.all(
    near.map(async ({ entry, differences }) => ({
      entry,
      differences: [...differences, ...(await compareRest(request, entry, options))],
    })),
  );
  const [nearest] = compared.toSorted((one, other) => one.differences.length - other.differences.length);
  if (nearest === undefined) return undefined;
  const { entry, differences } = nearest;
  const shown = differences.slice(0, MAX_DIFFERENCES).join("; ");
  const more = differences.length > MAX_DIFFERENCES ? `; and ${differences.length - MAX_DIFFERENCES} more` : "";
  const head = `entry ${entry.number}, ${entry.method} ${entry.origin}${entry.target}`;
  return `${head}: ${shown === "" ? "its answer is for a request with other header fields" : shown}${more}`;
}

interface Compared {
  entry: IndexedEntry;
  differences: string[];
}

/** @returns those of the smallest distance by what is remembered of each entry */
function nearestHeads(request: ComparedRequest, options: NearestOptions): Compared[] {
  let best = Infinity;
  let near: Compared[] = [];
  for (const entry of options.entries) {
    const distance = distanceOf(request, entry, options);
    if (distance > best) continue;
    if (distance < best) near = [];
    best = distance;
    if (near.length < CLOSELY_COMPARED) near.push({ entry, differences: [] });
  }
  return near.map(({ entry }) => ({ entry, differences: compareHead(request, entry, options) }));
}

function distanceOf(request: ComparedRequest, entry: IndexedEntry, { settings, origins }: NearestOptions): number {
  const recorded = urlOf(entry);
  const { pathname } = request.url;
  return (
    (pathname === recorded.pathname ? 0 : pathDistance(pathname, recorded.pathname)) +
    (request.method === entry.method ? 0 : DISTANCE.method) +
    (request.isUpgrade === entry.isUpgrade ? 0 : DISTANCE.upgrade) +
    (origins.includes(entry.origin) ? 0 : DISTANCE.origin) +
    DISTANCE.detail * comparePairs(pairsOf(request.url, settings), pairsOf(recorded, settings), "").length
  );
}

function compareHead(request: ComparedRequest, entry: IndexedEntry, { settings, origins }: NearestOptions): string[] {
  const recorded = urlOf(entry);
  const { pathname } = request.url;
  return [
    ...(request.method === entry.method ? [] : [`the method is ${request.method}, not ${entry.method}`]),
    ...(origins.includes(entry.origin)
      ? []
      : [`the URL begins with ${recordedOrigin(request.url)}, not ${entry.origin}`]),
    ...(pathname === recorded.pathname ? [] : [`the path is ${pathname}, not ${recorded.pathname}`]),
    ...(request.isUpgrade === entry.isUpgrade ? [] : [`it is ${wordsFor(request)}, not ${wordsFor(entry)}`]),
    ...comparePairs(pairsOf(request.url, settings), pairsOf(recorded, settings), "query parameter"),
  ];
}

function wordsFor({ isUpgrade }: Pick<IndexedEntry, "isUpgrade">): string {
  return isUpgrade ? "for a WebSocket" : "an ordinary request";
}

async function compareRest(
  request: ComparedRequest,
  entry: IndexedEntry,
  { settings, file }: NearestOptions,
): Promise<string[]> {
  const { request: recorded } = await readEntry(file, entry);
  const headers = readFields(recorded.headers ?? []);
  const body = recordedBody(recorded.postData, headers);
  return [
    ...comparedHeaders(settings).flatMap((name) =>
      compareTexts(valueOf(request.headers, name), valueOf(headers, name), `the header "${name}"`),
    ),
    ...(body === undefined ? [] : compareBodies(request, { body, headers }, settings)),
  ];
}

function compareBodies(
  request: ComparedRequest,
  { body, headers }: { body: Buffer | { file: string }; headers: readonly Field[] },
  { ignore }: MatchSettings,
): string[] {
  if ("file" in body) return ["the body differs"];
  const got = contentOf(request.body, valueOf(request.headers, "content-type") ?? "");
  const wanted = contentOf(body, valueOf(headers, "content-type") ?? "");
  if (got.type === "json" && wanted.type === "json") {
    const [one, other] = [canonicalJson(got.value, ignore), canonicalJson(wanted.value, ignore)];
    const differences = describeSubset(makeSubset(other), one);
    return differences.length > 0 ? differences : describeSubset(makeSubset(one), other).map(turnRound);
  }
  if (got.type === "form" && wanted.type === "form")
    return comparePairs(countingPairs(got.pairs, ignore), countingPairs(wanted.pairs, ignore), "form field");
  if (request.body.equals(body)) return [];
  if (isUtf8(request.body) && isUtf8(body)) return compareTexts(request.body.toString(), body.toString(), "the body");
  return [`the body has other bytes: ${request.body.length}, not ${body.length}`];
}

/** For what only the request has. */
function turnRound(difference: string): string {
  return difference.replace(/ is missing, not (.*)$/s, " is $1, but was not recorded");
}

type Pairs = [string, string][];

function comparePairs(got: Pairs, wanted: Pairs, what: string): string[] {
  const names = new Set([...got, ...wanted].map(([name]) => name));
  const valuesOf = (pairs: Pairs, wantedName: string): string | undefined => {
    const values = pairs.flatMap(([name, value]) => (name === wantedName ? [value] : []));
    return values.length === 0 ? undefined : values.join(", ");
  };
  return [...names].flatMap((name) =>
    compareTexts(valuesOf(got, name), valuesOf(wanted, name), `the ${what} "${name}"`),
  );
}

function compareTexts(got: string | undefined, wanted: string | undefined, what: string): string[] {
  if (got === wanted) return [];
  if (got === undefined) return [`${what} is missing, not ${quoteShort(wanted ?? "")}`];
  return [
    `${what} is ${quoteShort(got)}, ${wanted === undefined ? "but was not recorded" : `not ${quoteShort(wanted)}`}`,
  ];
}

function pairsOf(url: URL, { ignore }: MatchSettings): Pairs {
  return countingPairs(url.searchParams, ignore);
}

function urlOf({ origin, target }: IndexedEntry): URL {
  return new URL(origin + target);
}

function quoteShort(text: string): string {
  return shorten(JSON.stringify(text));
}
