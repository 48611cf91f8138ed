/** Which methods may be repeated when it is unknown whether the target acted on them. Pure: runs in workerd and in Node. */

/** RFC 9110 §9.2.2, and what the method registry of §16.1.1 calls idempotent, as far as Workers can send it. */
const IDEMPOTENT = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
  "PROPFIND",
  "REPORT",
  "SEARCH",
  "QUERY",
]);

export function isIdempotent(method: string | undefined): boolean {
  return IDEMPOTENT.has(method ?? "");
}
