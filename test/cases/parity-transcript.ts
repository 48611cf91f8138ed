/** What an origin received and a Worker got back, as text to compare: octets as characters, long ones as digests. */

import { createHash } from "node:crypto";
import type { Observation } from "../servers/observed-origin.ts";
import type { Seen } from "./parity-case.ts";

export interface Run {
  observation: Observation;
  /** One for each response. */
  worker: Seen[];
}

/** Lines with `→` are the origin's, lines with `←` the Worker's. */
export function transcribe({ observation, worker }: Run): string {
  return normalise([...received(observation), ...worker.flat().map((line) => `← ${line}`)].join("\n"));
}

function received({ requests, notes }: Observation): string[] {
  return [
    ...requests.flatMap(({ connection, head, body, trailers, isComplete }) => [
      `→ connection ${connection}${isComplete ? "" : ", incomplete"}`,
      ...lines(head),
      ...(isComplete ? [`→ body ${describeOctets(body)}`, ...lines(trailers)] : []),
    ]),
    ...notes.map((note) => `→ (${note})`),
  ];
}

/** Only the last line break is taken for granted. */
function lines(text: string): string[] {
  return text
    .split("\r\n")
    .slice(0, -1)
    .map((line) => `→ ${shorten(line)}`);
}

const MAX_LINE = 2000;

function shorten(line: string): string {
  return line.length <= MAX_LINE ? line : `${line.slice(0, 20)}… ${describeOctets(Buffer.from(line, "latin1"))}`;
}

function describeOctets(octets: Buffer): string {
  if (octets.length <= MAX_LINE) return JSON.stringify(octets.toString("latin1"));
  return `${octets.length} octets, ${createHash("sha256").update(octets).digest("hex")}`;
}

/** Without what is random by design, or tells of the row's own origin. */
function normalise(transcript: string): string {
  const boundary = /boundary=([^\s;]+)/i.exec(transcript)?.[1];
  const text = transcript
    .replaceAll(/^(→ sec-websocket-key: ).*$/gim, "$1…")
    .replaceAll(/^(← sec-websocket-accept: ).*$/gim, "$1…")
    .replace(/(incorrect Sec-WebSocket-Accept header: expected ')[^']*/, "$1…")
    .replaceAll(/(reference = )\w+/g, "$1…")
    .replaceAll(/case-\d+\.internal:\d+/gi, "origin");
  return boundary === undefined ? text : text.replaceAll(boundary, "BOUNDARY");
}
