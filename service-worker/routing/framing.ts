/** Whether the end of a body is in what the target sends (RFC 9112 §6.3). Otherwise the body ends with its connection. Pure. */
export function isFramed(
  contentLength: string | null | undefined,
  transferEncoding: string | null | undefined,
): boolean {
  return typeof contentLength === "string" || /\bchunked\s*$/i.test(transferEncoding ?? "");
}
