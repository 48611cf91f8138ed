/**
 * A response whose body is led through a pipe, octet for octet: neither its length nor its coding changes.
 */

/** For the `fetch` of such a response: otherwise the runtime decodes the body here, and codes it anew for the caller. */
export const AS_SENT: Readonly<RequestInit> = { encodeResponseBody: "manual" };

/** @param length octets, if that is certain; then the caller's own caller is told, too */
export function pipeBody(response: Response, length?: number): { piped: Response; writable: WritableStream } {
  const { readable, writable } = length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
  const { status, statusText, headers } = response;
  return { piped: new Response(readable, { status, statusText, headers, encodeBody: "manual" }), writable };
}
