/** Undoes the content encoding of a body for those who look at it (RFC 9110 §8.4). */

import type { Field } from "../egress/http/headers.ts";
import { codingsIn, decodeCoding } from "../recordings/decode-body.ts";

/** Bytes of the result. */
const MAX_SHOWN = 32 * 1024 * 1024;

/** @returns the bytes as they are if they can't be decoded */
export function decodeContent(bytes: Buffer, headers: readonly Field[]): Buffer {
  const codings = headers.flatMap(([field, value]) =>
    field.toLowerCase() === "content-encoding" ? codingsIn(value) : [],
  );
  try {
    // An unknown one is passed over.
    return codings.reduceRight((encoded, coding) => decodeCoding(encoded, coding, MAX_SHOWN) ?? encoded, bytes);
  } catch {
    return bytes;
  }
}
