/** What the journal tells a test: requests and connections with their bytes. */

import { fromBase64 } from "../scenario/base64.ts";
import type { Port } from "./port.ts";

/** What requests and connections have in common. */
export interface EntryBase {
  id: number;
  /** The binding's name. */
  binding: string;
  /** The name of the Worker that called. */
  worker: string;
  /** As the vpc config writes it. */
  route?: string;
  target?: string;
  /** The id of the rule that decided. */
  rule?: string;
  /** The error code that the Worker got. */
  code?: string;
  /** Why the call failed, in words. */
  reason?: string;
  /** For a refused call: the nearest rule and what differs. */
  nearest?: string;
  startedAt: Date;
  /** Milliseconds; absent while the call goes on. */
  duration?: number;
}

/** The bytes of a body. */
export interface Body {
  /** Bytes, also those that were not kept. */
  size: number;
  /** Whether the journal kept only its beginning. */
  truncated: boolean;
  bytes(): Promise<Uint8Array>;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

export interface VpcRequest extends EntryBase, Body {
  type: "request";
  method: string;
  url: string;
  headers: Headers;
  /** Absent if the call failed; then there is a `code`. */
  status?: number;
  /** What the Worker got. */
  response?: { headers: Headers } & Body;
}

export interface VpcConnection extends EntryBase {
  type: "connection";
  /** `host:port`, as the Worker wrote it. */
  address: string;
  /** Bytes from the Worker. */
  sent: number;
  /** Bytes to the Worker. */
  received: number;
  /** Waits for the end of the connection. */
  data(): Promise<{ sent: Uint8Array; received: Uint8Array }>;
}

interface PlainCapture {
  size: number;
  isTruncated: boolean;
  /** Absent: ask for it. */
  base64?: string;
}

interface PlainEntry extends Omit<EntryBase, "startedAt"> {
  type: "request" | "connection";
  startedAt: number;
  method: string;
  url: string;
  headers: [string, string][];
  body: PlainCapture;
  status?: number;
  response?: { headers: [string, string][] };
  responseBody: PlainCapture;
  address: string;
  sent: PlainCapture;
  received: PlainCapture;
}

type Part = "body" | "responseBody" | "sent" | "received";

export function toRequest(entry: PlainEntry, port: Port): VpcRequest {
  const { method, url, status, response } = entry;
  return {
    ...baseOf(entry),
    ...bodyOf(entry, "body", port),
    type: "request",
    method,
    url,
    headers: new Headers(entry.headers),
    ...(status !== undefined && { status }),
    ...(response && { response: { headers: new Headers(response.headers), ...bodyOf(entry, "responseBody", port) } }),
  };
}

export function toConnection(entry: PlainEntry, port: Port): VpcConnection {
  return {
    ...baseOf(entry),
    type: "connection",
    address: entry.address,
    sent: entry.sent.size,
    received: entry.received.size,
    async data() {
      const [sent, received] = await Promise.all([bytesOf(entry, "sent", port), bytesOf(entry, "received", port)]);
      return { sent, received };
    },
  };
}

function baseOf(entry: PlainEntry): EntryBase {
  const { id, binding, worker, route, target, rule, code, reason, nearest, startedAt, duration } = entry;
  const given = Object.entries({ route, target, rule, code, reason, nearest, duration }).filter(
    ([, value]) => value !== undefined,
  );
  return { id, binding, worker, ...Object.fromEntries(given), startedAt: new Date(startedAt) };
}

function bodyOf(entry: PlainEntry, part: Part, port: Port): Body {
  const text = async (): Promise<string> => new TextDecoder().decode(await bytesOf(entry, part, port));
  return {
    size: entry[part].size,
    truncated: entry[part].isTruncated,
    bytes: () => bytesOf(entry, part, port),
    text,
    json: async () => JSON.parse(await text()),
  };
}

async function bytesOf(entry: PlainEntry, part: Part, port: Port): Promise<Uint8Array> {
  const { base64 } = entry[part];
  if (base64 !== undefined) return fromBase64(base64);
  const answer = (await port.run({ do: "bytes", entry: entry.id, of: part })) as Required<PlainCapture>;
  return fromBase64(answer.base64);
}
