/**
 * Sends a response's body through a pipe byte for byte. Neither its length nor its encoding changes.
 */

/** For the `fetch` of such a response. Otherwise the runtime decodes the body here and encodes it again for the caller. */
export const AS_SENT: Readonly<RequestInit> = { encodeResponseBody: "manual" };

/** @param length bytes, if certain; the piped response then has this Content-Length */
export function pipeBody(response: Response, length?: number): { piped: Response; writable: WritableStream } {
  const { readable, writable } = length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
  const { status, statusText, headers } = response;
  return { piped: new Response(readable, { status, statusText, headers, encodeBody: "manual" }), writable };
}
