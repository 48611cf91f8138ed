/**
 * Makes an entry of a HAR file from a request of the journal. Secrets are replaced first, so that none of them is in what
 * this returns.
 */

import { isUtf8 } from "node:buffer";

import { type Field, firstValue } from "../egress/http/headers.ts";
import { type CallDetail, bytesOf, timingsOf } from "../scenario/call-detail.ts";
import type { Capture } from "../scenario/capture.ts";
import type { RequestEntry } from "../scenario/journal.ts";
import { readCookies, readSetCookie } from "./cookies.ts";
import { decodeBody } from "./decode-body.ts";
import {
  type HarContent,
  type HarEntry,
  type HarField,
  type HarPostData,
  type HarTimings,
  type HarWebSocketMessage,
  REDACTED,
} from "./har.ts";
import type { Redactor } from "./redact.ts";

/** The bytes of a call: the journal's own captures, or a recorder's, which are longer. */
export interface CallBytes {
  body: Capture;
  responseBody: Capture;
  messageBytes?: Capture | undefined;
}

/** @throws {Error} in words, if a body can't be read, and its secrets not found */
export function toHarEntry(entry: RequestEntry, bytes: CallBytes, redactor: Redactor): HarEntry {
  const { detail, startedAt, duration = 0 } = entry;
  const sent = readMessage(entry.headers, bytes.body);
  const received = readMessage(detail?.response?.headers ?? entry.response?.headers ?? [], bytes.responseBody);
  redactor.learn({ url: entry.url, headers: sent.headers, body: textOf(sent.body) });
  redactor.learn({ headers: received.headers, body: textOf(received.body) });
  const { time, timings } = toTimings(detail, duration);
  const server = detail?.connection?.server;
  const comments = [sent, received].flatMap(({ comment }) => comment ?? []);
  return {
    startedDateTime: new Date(startedAt).toISOString(),
    time,
    request: toRequest(entry, sent, redactor),
    response: toResponse(entry, received, redactor),
    cache: {},
    timings,
    ...(server !== undefined && "address" in server && { serverIPAddress: server.address, _serverPort: server.port }),
    ...(detail?.connection !== undefined && { connection: String(detail.connection.number) }),
    ...toSecurity(detail),
    _binding: entry.binding,
    _worker: entry.worker,
    _resourceType: entry.status === 101 ? "websocket" : "fetch",
    ...toMessages(entry, bytes.messageBytes, redactor),
    ...(comments.length > 0 && { comment: comments.join(" ") }),
  };
}

/** A message whose body has no content encoding any more. */
interface ReadMessage {
  headers: Field[];
  body: Buffer;
  /** Bytes of the body as they passed. */
  wireSize: number;
  mimeType: string | undefined;
  /** Says that the body was cut off. */
  comment?: string;
}

function readMessage(headers: Field[], capture: Capture): ReadMessage {
  const { bytes, size, isTruncated } = capture;
  return {
    headers,
    body: decodeBody(bytes, firstValue(headers, "content-encoding") ?? ""),
    wireSize: size,
    mimeType: firstValue(headers, "content-type"),
    ...(isTruncated && { comment: `The body is cut off after ${bytes.length} of ${size} bytes.` }),
  };
}

/** @returns one character per byte for bytes that are no text */
function textOf(body: Buffer): string {
  return body.toString(isUtf8(body) ? "utf8" : "latin1");
}

function toRequest(entry: RequestEntry, sent: ReadMessage, redactor: Redactor): HarEntry["request"] {
  const { method } = entry;
  const url = redactor.url(entry.url);
  const { pathname, search } = new URL(entry.url);
  const headers = toFields(sent.headers, redactor);
  const postData = toPostData(sent, redactor);
  return {
    method,
    url,
    httpVersion: "HTTP/1.1",
    cookies: sent.headers.flatMap(([fieldName, value]) =>
      fieldName.toLowerCase() === "cookie"
        ? readCookies(value).map(({ name }) => ({ name: redactor.text(name), value: REDACTED }))
        : [],
    ),
    headers,
    queryString: queryOf(url),
    headersSize: headSize(`${method} ${pathname}${search} HTTP/1.1`, sent.headers),
    bodySize: sent.wireSize,
    ...(postData && { postData }),
  };
}

function toResponse(entry: RequestEntry, received: ReadMessage, redactor: Redactor): HarEntry["response"] {
  const { status = 0, detail } = entry;
  const httpVersion = `HTTP/${detail?.response?.httpVersion ?? "1.1"}`;
  const statusText = redactor.text(detail?.statusText ?? "");
  return {
    status,
    statusText,
    httpVersion,
    cookies: received.headers.flatMap(([fieldName, value]) => {
      if (fieldName.toLowerCase() !== "set-cookie") return [];
      const cookie = readSetCookie(value);
      return cookie === undefined ? [] : [{ ...cookie, name: redactor.text(cookie.name), value: REDACTED }];
    }),
    headers: toFields(received.headers, redactor),
    content: toContent(received, redactor),
    redirectURL: status >= 300 && status < 400 ? redactor.url(firstValue(received.headers, "location") ?? "") : "",
    headersSize: headSize(`${httpVersion} ${status} ${statusText}`, received.headers),
    bodySize: received.wireSize,
  };
}

function toFields(headers: readonly Field[], redactor: Redactor): HarField[] {
  return headers.map(([fieldName, value]) => ({ name: fieldName, value: redactor.headerValue(fieldName, value) }));
}

function pairOf(name: string, value: string, redactor: Redactor): HarField {
  return { name: redactor.text(name), value: redactor.headerValue(name, value) };
}

/** @param url without its secrets */
export function queryOf(url: string): HarField[] {
  return [...new URL(url).searchParams].map(([name, value]) => ({ name, value }));
}

/** Bytes of a head on the wire, with the empty line that ends it. */
function headSize(firstLine: string, headers: readonly Field[]): number {
  return headers.reduce((size, [fieldName, value]) => size + fieldName.length + value.length + 4, firstLine.length + 4);
}

function toPostData({ body, wireSize, mimeType = "" }: ReadMessage, redactor: Redactor): HarPostData | undefined {
  if (wireSize === 0) return undefined;
  const isForm = /^application\/x-www-form-urlencoded/i.test(mimeType);
  return {
    mimeType,
    ...writeBody(body, redactor),
    ...(isForm && {
      params: [...new URLSearchParams(body.toString())].map(([name, value]) => pairOf(name, value, redactor)),
    }),
  };
}

function toContent({ body, wireSize, mimeType = "x-unknown" }: ReadMessage, redactor: Redactor): HarContent {
  if (body.length === 0) return { size: 0, mimeType };
  const written = writeBody(body, redactor);
  const size = Buffer.byteLength(written.text, written.encoding ?? "utf8");
  return { size, ...(size !== wireSize && { compression: size - wireSize }), mimeType, ...written };
}

function writeBody(body: Buffer, redactor: Redactor): { text: string; encoding?: "base64" } {
  if (isUtf8(body)) return { text: redactor.text(body.toString()) };
  return { text: redactor.bytes(body).toString("base64"), encoding: "base64" };
}

/** Microseconds are enough. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

/** HAR 1.2: `time` is the sum of the others, without `ssl`, which is a part of `connect`. */
function toTimings(detail: CallDetail | undefined, duration: number): { time: number; timings: HarTimings } {
  const exact = timingsOf(detail, duration);
  const timings: HarTimings = {
    blocked: round(exact.blocked),
    dns: round(exact.dns),
    connect: round(exact.connect),
    ssl: round(exact.ssl),
    send: round(exact.send),
    wait: round(exact.wait),
    receive: round(exact.receive),
  };
  const { ssl: _, ...parts } = timings;
  return { time: round(Object.values(parts).reduce((sum, part) => sum + Math.max(0, part), 0)), timings };
}

/** Playwright's. Times are in seconds. */
function toSecurity(detail: CallDetail | undefined): Pick<HarEntry, "_securityDetails"> {
  const { protocol, certificate } = detail?.connection?.tls ?? {};
  if (protocol === undefined) return {};
  return {
    _securityDetails: {
      protocol,
      ...(certificate && {
        subjectName: certificate.subject,
        issuer: certificate.issuer,
        validFrom: Math.floor(certificate.validFrom / 1000),
        validTo: Math.floor(certificate.validTo / 1000),
      }),
    },
  };
}

const TEXT = 1;

function toMessages(
  { detail, startedAt }: RequestEntry,
  capture: Capture | undefined,
  redactor: Redactor,
): Pick<HarEntry, "_webSocketMessages"> {
  if (detail?.messages === undefined || capture === undefined) return {};
  const messages = detail.messages
    // Pings and closes are the protocol's.
    .filter(({ opcode }) => opcode < 8)
    .flatMap((message): HarWebSocketMessage[] => {
      const bytes = bytesOf(capture, message);
      if (bytes === undefined) return [];
      const text = bytes.toString();
      redactor.learn({ headers: [], body: textOf(bytes) });
      return [
        {
          type: message.from === "worker" ? "send" : "receive",
          time: (startedAt + message.at) / 1000,
          opcode: message.opcode,
          data: message.opcode === TEXT ? redactor.text(text) : redactBinary(bytes, redactor).toString("base64"),
        },
      ];
    });
  return { _webSocketMessages: messages };
}

function redactBinary(bytes: Buffer, redactor: Redactor): Buffer {
  return isUtf8(bytes) ? Buffer.from(redactor.text(bytes.toString())) : redactor.bytes(bytes);
}
