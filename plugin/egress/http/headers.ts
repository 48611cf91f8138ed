/**
 * Relays header fields as received, in Node's raw form (name, value, name, value, …; one character
 * per byte), without the private ones.
 */

import { MAX_FIELDS, MAX_HEAD } from "../egress-error.ts";
import { FAILURE_HEADER, ORDER_HEADER, SECRET_HEADER } from "../../../service-worker/routing/egress-protocol.ts";

export const REQUEST_PRIVATE: ReadonlySet<string> = new Set([ORDER_HEADER, SECRET_HEADER]);
export const RESPONSE_PRIVATE: ReadonlySet<string> = new Set([FAILURE_HEADER]);

export type Field = [fieldName: string, value: string];

export function toFields(rawHeaders: readonly string[]): Field[] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, index) => [
    rawHeaders[index * 2] ?? "",
    rawHeaders[index * 2 + 1] ?? "",
  ]);
}

/** @param wanted in lower case. @returns the first value */
export function firstValue(fields: readonly Field[], wanted: string): string | undefined {
  return fields.find(([fieldName]) => fieldName.toLowerCase() === wanted)?.[1];
}

/**
 * The fields to hand to Node's HTTP, in order, without those named in `dropped` (lower case).
 *
 * Works around two habits of Node: it refuses `Trailer` on a message that isn't chunked, and it
 * re-encodes a `Content-Disposition` that comes after `Content-Length`.
 */
export function relayedFields(rawHeaders: readonly string[], dropped: ReadonlySet<string>): Field[] {
  const fields = toFields(rawHeaders).filter(([fieldName]) => !dropped.has(fieldName.toLowerCase()));
  const has = (wanted: string): boolean => fields.some(([fieldName]) => fieldName.toLowerCase() === wanted);
  const without = (unwanted: string): Field[] => fields.filter(([fieldName]) => fieldName.toLowerCase() !== unwanted);
  if (has("trailer") && !has("transfer-encoding")) return without("trailer");
  if (has("content-disposition") && has("content-length")) {
    return [
      ...without("content-length"),
      ...fields.filter(([fieldName]) => fieldName.toLowerCase() === "content-length"),
    ];
  }
  return fields;
}

/** @returns why workerd would refuse a response with these fields, as a clause */
export function findOversize(fields: readonly Field[]): string | undefined {
  if (fields.length > MAX_FIELDS) return `it has ${fields.length} fields`;
  // Each line also has a colon, a space and a line break.
  const size = fields.reduce((sum, [fieldName, value]) => sum + fieldName.length + value.length + 4, 0);
  return size > MAX_HEAD ? `it has ${size} bytes` : undefined;
}

/** Characters that workerd refuses in a status line (RFC 9112 §4), and in any line of a head. */
const NOT_IN_A_STATUS_LINE = /[^\t\x20-\x7e\x80-\xff]/;
const NOT_IN_A_LINE = /[\0\r\n]/;

/**
 * A head as bytes on the wire. `firstLine` has no line break. Undefined if workerd would drop the connection because of
 * the head's size or a control character in it.
 */
export function formatHead(firstLine: string, fields: readonly Field[]): Buffer | undefined {
  const lines = fields.map(([fieldName, value]) => `${fieldName}: ${value}`);
  if (NOT_IN_A_STATUS_LINE.test(firstLine) || lines.some((line) => NOT_IN_A_LINE.test(line))) return undefined;
  if (findOversize(fields) !== undefined) return undefined;
  return Buffer.from([firstLine, ...lines, "", ""].join("\r\n"), "latin1");
}
