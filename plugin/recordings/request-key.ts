/**
 * What two requests must have in common to be the same one for a recording: a text that is equal for both. Compares method,
 * path, query and body, JSON and forms by their content, and the header fields that the config names.
 */

import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";

import type { Field } from "../egress/http/headers.ts";
import { isDeep } from "../read/nesting.ts";

export interface MatchSettings {
  /** Header fields that must be equal, too. Lower case. */
  headers: readonly string[];
  /** Header fields, query parameters and fields of JSON and forms that don't count. Lower case; they are named in any case. */
  ignore: ReadonlySet<string>;
}

export interface ComparedRequest {
  method: string;
  url: URL;
  headers: readonly Field[];
  body: Buffer;
  /** To a WebSocket. */
  isUpgrade: boolean;
}

/** A body that was not recorded is like any other of its media type. */
function unknownBody(contentType: string): string {
  return `unknown ${contentType.replace(/;.*$/s, "").trim().toLowerCase()}`;
}

/**
 * @param paths the request's own, and other ones that stand for it in the file
 * @returns the key of each way in which a tool may have written the request into a file, the most likely one first
 */
export function requestKeys(request: ComparedRequest, paths: readonly string[], settings: MatchSettings): string[] {
  const contentType = valueOf(request.headers, "content-type") ?? "";
  const known = writings(request.body).map((body) => canonicalBody(body, contentType, settings.ignore));
  const unknown = request.body.length === 0 ? [] : [unknownBody(contentType), unknownBody("")];
  // A server may have answered an upgrade as any other request.
  const kinds = request.isUpgrade ? [true, false] : [false];
  return kinds.flatMap((isUpgrade) =>
    paths.flatMap((path) =>
      [...known, ...unknown].map((body) => requestKey({ ...request, isUpgrade }, { path, body, settings })),
    ),
  );
}

/** @param request as it was recorded. @param options `isBodyKnown`: whether its body was recorded */
export function recordedKey(
  request: ComparedRequest,
  { isBodyKnown, settings }: { isBodyKnown: boolean; settings: MatchSettings },
): string {
  const contentType = valueOf(request.headers, "content-type") ?? "";
  const body = isBodyKnown ? canonicalBody(request.body, contentType, settings.ignore) : unknownBody(contentType);
  return requestKey(request, { path: request.url.pathname, body, settings });
}

function requestKey(
  { method, url, headers, isUpgrade }: Omit<ComparedRequest, "body">,
  { path, body, settings }: { path: string; body: string; settings: MatchSettings },
): string {
  const compared = comparedHeaders(settings).map((name) => valueOf(headers, name) ?? null);
  const parts = [method, isUpgrade, path, countingPairs(url.searchParams, settings.ignore), compared, body];
  const text = JSON.stringify(parts);
  return text.length <= LONGEST_KEY ? text : createHash("sha256").update(text).digest("base64");
}

/** A longer one would take more memory than its hash. */
const LONGEST_KEY = 200;

/** The names of the header fields that count. */
export function comparedHeaders({ headers, ignore }: MatchSettings): string[] {
  return headers.filter((name) => !ignore.has(name));
}

/** The pairs that count, in the order of their names: only equal names have an order among them. */
export function countingPairs(params: URLSearchParams, ignore: ReadonlySet<string>): [string, string][] {
  const sorted = new URLSearchParams(params);
  sorted.sort();
  return [...sorted].filter(([name]) => !ignore.has(name.toLowerCase()));
}

/** Tools write bytes that are not UTF-8 in one of two wrong ways, and the right one is base64. */
function writings(body: Buffer): Buffer[] {
  return isUtf8(body) ? [body] : [body, Buffer.from(body.toString()), Buffer.from(body.toString("latin1"))];
}

function canonicalBody(body: Buffer, contentType: string, ignore: ReadonlySet<string>): string {
  const content = contentOf(body, contentType);
  switch (content.type) {
    case "json":
      return `json ${JSON.stringify(canonicalJson(content.value, ignore))}`;
    case "form":
      return `form ${JSON.stringify(countingPairs(content.pairs, ignore))}`;
    case "bytes":
      return content.bytes.length === 0 ? "" : `bytes ${createHash("sha256").update(content.bytes).digest("base64")}`;
    default:
      return content satisfies never;
  }
}

export type BodyContent =
  | { type: "json"; value: unknown }
  | { type: "form"; pairs: URLSearchParams }
  | { type: "bytes"; bytes: Buffer };

/** A body is JSON if it can be read as JSON, because many clients give none of JSON's types. */
export function contentOf(body: Buffer, contentType: string): BodyContent {
  if (body.length === 0) return { type: "bytes", bytes: body };
  if (/^\s*[[{]/.test(body.toString("latin1", 0, 100)) || /json/i.test(contentType)) {
    try {
      const value: unknown = JSON.parse(body.toString());
      if (!isDeep(value)) return { type: "json", value };
    } catch {
      // Compared byte for byte.
    }
  }
  if (/^application\/x-www-form-urlencoded/i.test(contentType)) {
    return { type: "form", pairs: new URLSearchParams(body.toString()) };
  }
  const [, quoted, plain] = /^multipart\/.*;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  // Each request has another boundary (RFC 2046 §5.1.1).
  if (boundary !== undefined)
    return { type: "bytes", bytes: Buffer.from(body.toString("latin1").replaceAll(boundary, "")) };
  return { type: "bytes", bytes: body };
}

/** The same for equal values: the names of objects in order, and without those that don't count. */
export function canonicalJson(value: unknown, ignore: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((each) => canonicalJson(each, ignore));
  if (typeof value !== "object" || value === null) return value;
  const counting = Object.entries(value).filter(([name]) => !ignore.has(name.toLowerCase()));
  const sorted = counting.toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, each]) => [name, canonicalJson(each, ignore)]));
}

/** @returns all values of the name, joined as one; undefined: there is none */
export function valueOf(headers: readonly Field[], wanted: string): string | undefined {
  const values = headers.flatMap(([name, value]) => (name.toLowerCase() === wanted ? [value] : []));
  return values.length === 0 ? undefined : values.join(", ");
}
