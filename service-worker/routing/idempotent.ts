/** Which methods may be repeated if it is unknown whether the target acted on them. Pure: runs in workerd and in Node. */

/** The methods of RFC 9110 §9.2.2, and those that the registry of §16.1.1 calls idempotent and Workers can send. */
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

/** The methods that workerd's own client repeats itself, if they have no body and a kept connection closes. */
const REPEATED_BY_WORKERD = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/**
 * Whether workerd's own client is safe for the request: it doesn't lose it if the target has closed a kept connection,
 * and doesn't send it twice if it may not be repeated.
 */
export function mayUseWorkerdClient(request: Pick<Request, "method" | "body">): boolean {
  const { method } = request;
  // A GET has no body, and each access to a request takes time.
  return method === "GET" || (REPEATED_BY_WORKERD.has(method) && request.body === null);
}
