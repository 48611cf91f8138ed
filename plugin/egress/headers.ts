/**
 * Header fields on their way through: as received, in Node's raw form (name, value, name, value, …;
 * one character an octet), less the private ones.
 */

import { FAILURE_HEADER, ORDER_HEADER, SECRET_HEADER } from "../../service-worker/egress-protocol.ts";

export const REQUEST_PRIVATE: ReadonlySet<string> = new Set([ORDER_HEADER, SECRET_HEADER]);
export const RESPONSE_PRIVATE: ReadonlySet<string> = new Set([FAILURE_HEADER]);

export type Field = [fieldName: string, value: string];

export function toFields(rawHeaders: readonly string[]): Field[] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, index) => [
    rawHeaders[index * 2] ?? "",
    rawHeaders[index * 2 + 1] ?? "",
  ]);
}

/**
 * The fields to hand to Node's HTTP, in order, without those named in `dropped` (lower case).
 *
 * Two of Node's habits are steered around: it refuses `Trailer` on a message that isn't chunked, and
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

/** A head as bytes on the wire. `firstLine`: without its line break. */
export function formatHead(firstLine: string, fields: readonly Field[]): Buffer {
  const lines = fields.map(([fieldName, value]) => `${fieldName}: ${value}\r\n`);
  return Buffer.from(`${firstLine}\r\n${lines.join("")}\r\n`, "latin1");
}
