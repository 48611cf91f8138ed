/** Asks the live targets again what a recording has, entry by entry, and says what changed. */

import { open, type FileHandle } from "node:fs/promises";
import path from "node:path";

import type { EgressFailure } from "../../../service-worker/routing/egress-protocol.ts";
import { EgressError } from "../../egress/egress-error.ts";
import type { Field } from "../../egress/http/headers.ts";
import { readBodyFile } from "../body-file.ts";
import { bodyPieces } from "../body-pieces.ts";
import type { IndexedEntry } from "../indexed-entry.ts";
import { type ReadEntry, readEntry } from "../read-entry.ts";
import { moveLocation } from "../recorded-answer.ts";
import { readFields, recordedBody } from "../recorded-request.ts";
import { Recording } from "../recording.ts";
import { hasRedacted } from "../redacted.ts";
import type { MatchSettings } from "../request-key.ts";
import { type LiveAnswer, type LiveRequest, askLive } from "./ask-live.ts";
import { type Change, compareAnswers } from "./compare-answers.ts";
import type { FindLiveTarget } from "./live-target.ts";

export interface DiffOptions {
  /** Absolute path. */
  file: string;
  settings: MatchSettings;
  findTarget: FindLiveTarget;
  /** Whether requests are sent that may change something. */
  isEveryMethod: boolean;
  isByValue: boolean;
  /** Replace the recorded ones of the same name, in lower case. */
  headers: ReadonlyMap<string, string>;
  onProgress: (done: number, all: number) => void;
}

export type SkipCause = "method" | "websocket" | "secret" | "body" | "stand-in";

export interface DiffedEntry {
  number: number;
  method: string;
  url: string;
  /** The target that was asked. */
  target?: string;
  /** Header fields that were secret in the recording, so that the request was sent without them. */
  sentWithout?: string[];
  outcome:
    | { type: "same" }
    | { type: "changed"; changes: Change[] }
    | { type: "gone"; code?: EgressFailure["code"]; reason: string }
    | { type: "skipped"; because: SkipCause; reason: string };
}

/** RFC 9110 §9.2.1. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** @throws {HarProblem} if the file can't be read */
export async function diffRecording(options: DiffOptions): Promise<DiffedEntry[]> {
  const { entries } = await new Recording({ file: options.file, targetOrigins: [], ...options.settings }).check();
  await using file = await open(options.file);
  const diffed: DiffedEntry[] = [];
  // One after the other, because an answer may depend on the request before it.
  for (const entry of entries) {
    diffed.push(await diffEntry(entry, file, options));
    options.onProgress(diffed.length, entries.length);
  }
  return diffed;
}

async function diffEntry(entry: IndexedEntry, file: FileHandle, options: DiffOptions): Promise<DiffedEntry> {
  const { number, method } = entry;
  const url = new URL(entry.origin + entry.target);
  const base = { number, method, url: url.href };
  const skip = (because: SkipCause, reason: string): DiffedEntry => ({
    ...base,
    outcome: { type: "skipped", because, reason },
  });
  if (entry.isUpgrade) return skip("websocket", "a WebSocket is not asked");
  if (!options.isEveryMethod && !SAFE.has(method)) return skip("method", `${method} may change something`);
  const read = await readEntry(file, entry);
  const body = await requestBody(read, options.file);
  if (body === undefined) return skip("body", "the request's body is not in the recording");
  if (hasRedacted(url.href) || hasRedacted(body)) return skip("secret", "the request has a secret in it");
  const live = options.findTarget(url, read.caller);
  if ("isStandIn" in live) return skip("stand-in", live.reason);
  if ("reason" in live) return { ...base, outcome: { type: "gone", reason: live.reason } };
  const { fields, sentWithout } = requestHeaders(read, options.headers);
  const asked = { ...base, target: live.text, ...(sentWithout.length > 0 && { sentWithout }) };
  try {
    const answer = await askLive({ method, url, headers: fields, body } satisfies LiveRequest, live);
    const changes = compareAnswers(await recordedAnswerOf(entry, read, { file, har: options.file }), answer, {
      ignore: options.settings.ignore,
      isByValue: options.isByValue,
      isBodyKnown: read.text !== undefined || read.bodyFile !== undefined || read.response.content.size <= 0,
      moveLocation: (location) => moveLocation(location, entry.origin, url),
    });
    return { ...asked, outcome: changes.length === 0 ? { type: "same" } : { type: "changed", changes } };
  } catch (error) {
    if (!(error instanceof EgressError)) throw error;
    const { code, detail } = error.failure;
    return { ...asked, outcome: { type: "gone", code, reason: detail } };
  }
}

async function requestBody({ request }: ReadEntry, har: string): Promise<Buffer | undefined> {
  const body = recordedBody(request.postData, readFields(request.headers ?? []));
  if (body === undefined || Buffer.isBuffer(body)) return body;
  return readBodyFile({ folder: path.dirname(har), name: body.file });
}

function isSecret([, value]: Field): boolean {
  return hasRedacted(value);
}

/** A secret is never sent: it isn't in the recording. */
function requestHeaders(
  { request }: ReadEntry,
  replaced: ReadonlyMap<string, string>,
): { fields: Field[]; sentWithout: string[] } {
  const recorded = readFields(request.headers ?? []).filter(([name]) => !replaced.has(name.toLowerCase()));
  return {
    fields: [...recorded.filter((field) => !isSecret(field)), ...replaced],
    sentWithout: recorded.filter(isSecret).map(([name]) => name.toLowerCase()),
  };
}

async function recordedAnswerOf(
  { status }: IndexedEntry,
  read: ReadEntry,
  { file, har }: { file: FileHandle; har: string },
): Promise<LiveAnswer> {
  const folder = path.dirname(har);
  const chunks: Buffer[] = [];
  for await (const piece of bodyPieces(file, read, { folder })) chunks.push(piece);
  return { status, headers: readFields(read.response.headers ?? []), body: Buffer.concat(chunks) };
}
