/** Takes the content encoding off a body (RFC 9110 §8.4), also of one that is cut off. */

import zlib from "node:zlib";

/** Bytes that a body may have without its encoding. */
const MAX_DECODED = 256 * 1024 * 1024;

/**
 * @param encoding the header field, which may name several
 * @throws {Error} if the bytes don't have the encoding, or it is an unknown one
 */
export function decodeBody(bytes: Buffer, encoding: string): Buffer {
  return codingsIn(encoding).reduceRight((encoded, coding) => {
    const decoded = decodeCoding(encoded, coding, MAX_DECODED);
    if (decoded === undefined) throw new Error(`the content encoding ${JSON.stringify(coding)} can't be read`);
    return decoded;
  }, bytes);
}

/** @returns in the order in which they were applied, in lower case */
export function codingsIn(encoding: string): string[] {
  return encoding.split(",").map((each) => each.trim().toLowerCase());
}

/**
 * @param limit bytes of the result: a small body may stand for a huge one
 * @returns undefined if the coding is unknown
 * @throws {Error} if the bytes don't have it, or stand for more
 */
export function decodeCoding(bytes: Buffer, coding: string, limit: number): Buffer | undefined {
  if (bytes.length === 0) return bytes;
  // Half a body is decoded as far as it goes.
  const options = { finishFlush: zlib.constants.Z_SYNC_FLUSH, maxOutputLength: limit };
  switch (coding) {
    case "":
    case "identity":
      return bytes;
    case "gzip":
    case "x-gzip":
      return zlib.gunzipSync(bytes, options);
    case "deflate":
      // Some servers leave out zlib's header.
      return ((bytes[0] ?? 0) & 0x0f) === 8 ? zlib.inflateSync(bytes, options) : zlib.inflateRawSync(bytes, options);
    case "br":
      return zlib.brotliDecompressSync(bytes, {
        finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH,
        maxOutputLength: limit,
      });
    case "zstd":
      // Node.js 22.15 and newer.
      return "zstdDecompressSync" in zlib ? zlib.zstdDecompressSync(bytes, { maxOutputLength: limit }) : undefined;
    default:
      return undefined;
  }
}
