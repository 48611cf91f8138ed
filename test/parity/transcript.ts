/** A text to compare: what the origin received and what the Worker got back. Bytes are characters, long texts are digests. */

import { createHash } from "node:crypto";
import type { Observation } from "../servers/observed-origin.ts";
import type { Seen } from "./case.ts";

export interface Run {
  observation: Observation;
  /** One entry per response. */
  worker: Seen[];
  /** The order in which the requests arrived doesn't matter. */
  isUnordered?: true | undefined;
}

/** `→` marks lines that the origin received, `←` marks lines that the Worker received. */
export function transcribe({ observation, worker, isUnordered }: Run): string {
  const { requests, notes } = observation;
  const ordered = isUnordered ? inOneOrder(requests) : requests;
  return normalise([...received({ requests: ordered, notes }), ...worker.flat().map((line) => `← ${line}`)].join("\n"));
}

/** Numbers the connections anew. */
function inOneOrder(requests: Observation["requests"]): Observation["requests"] {
  const sorted = requests.toSorted((one, other) => (one.head < other.head ? -1 : 1));
  const connections = [...new Set(sorted.map(({ connection }) => connection))];
  return sorted.map((request) =>
    Object.assign({}, request, { connection: connections.indexOf(request.connection) + 1 }),
  );
}

function received({ requests, notes }: Pick<Observation, "requests" | "notes">): string[] {
  return [
    ...requests.flatMap(({ connection, head, body, trailers, isComplete }) => [
      `→ connection ${connection}${isComplete ? "" : ", incomplete"}`,
      ...lines(head),
      ...(isComplete ? [`→ body ${describeBytes(body)}`, ...lines(trailers)] : []),
    ]),
    ...notes.map((note) => `→ (${note})`),
  ];
}

/** Drops the text after the last line break, which is empty. */
function lines(text: string): string[] {
  return text
    .split("\r\n")
    .slice(0, -1)
    .map((line) => `→ ${shorten(line)}`);
}

const MAX_LINE = 2000;

function shorten(line: string): string {
  return line.length <= MAX_LINE ? line : `${line.slice(0, 20)}… ${describeBytes(Buffer.from(line, "latin1"))}`;
}

function describeBytes(bytes: Buffer): string {
  if (bytes.length <= MAX_LINE) return JSON.stringify(bytes.toString("latin1"));
  return `${bytes.length} bytes, ${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Replaces random values and the name of the case's origin, with its scheme. */
function normalise(transcript: string): string {
  const boundary = /boundary=([^\s;]+)/i.exec(transcript)?.[1];
  const text = transcript
    .replaceAll(/^(→ sec-websocket-key: ).*$/gim, "$1…")
    .replaceAll(/^(← sec-websocket-accept: ).*$/gim, "$1…")
    .replace(/(incorrect Sec-WebSocket-Accept header: expected ')[^']*/, "$1…")
    .replaceAll(/(reference = )\w+/g, "$1…")
    .replaceAll(/https(:\/\/(?:[^/@\s]+@)?(?:other-)?case-\d+\.internal)/g, "http$1")
    .replaceAll(/case-\d+\.internal:\d+/gi, "origin");
  return boundary === undefined ? text : text.replaceAll(boundary, "BOUNDARY");
}
