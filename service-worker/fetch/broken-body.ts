/**
 * Names the failure when a response breaks off in its body, for the Worker that reads the body and for the
 * developer. Without this file, the Worker sees the runtime's own "Network connection lost.".
 */

import { ProxyError } from "../proxy-error.ts";
import { pipeBody } from "../pipe-body.ts";

/**
 * Bytes. Watching a body slows down a short answer, so a body whose announced length is at most this is passed
 * on unwatched.
 */
const SHORT = 64 * 1024;

/** The runtime passes on any status, but can't make a Response with a higher one. */
const MAX_STATUS = 599;

export interface Watcher {
  /** Its signal aborts when nobody reads the body any more. */
  request: Request;
  /** Called once if the body breaks off, but not if its reader gives up. */
  explain: () => Promise<ProxyError>;
}

/**
 * Differs from production: the code is known here, and the body's reader throws it. A short body of announced
 * length breaks off with the runtime's own text.
 *
 * @param response to a request that was sent `AS_SENT`
 */
export function watchBody(response: Response, watcher: Watcher): Response {
  // The order matters, because each access to a response takes time.
  const { headers } = response;
  const length = announcedLength(headers);
  if (length !== undefined && length <= SHORT) return response;
  const { body } = response;
  if (body === null || response.webSocket || response.status > MAX_STATUS) return response;
  // The Content-Length of a chunked body doesn't count (RFC 9112 §6.3).
  const { piped, writable } = pipeBody(response, headers.has("transfer-encoding") ? undefined : length);
  // The event lives as long as somebody reads the body. `waitUntil` would keep a silent body that nobody reads.
  void pass(body, writable, watcher);
  return piped;
}

/** @returns undefined also for a repeated Content-Length, which is a list */
function announcedLength(headers: Headers): number | undefined {
  const length = headers.get("content-length");
  return length !== null && /^\d+$/.test(length) ? Number(length) : undefined;
}

async function pass(body: ReadableStream, writable: WritableStream, { request, explain }: Watcher): Promise<void> {
  try {
    await body.pipeTo(writable, { preventAbort: true });
  } catch {
    // Looked at only now, because the signal of each request takes time.
    if (request.signal.aborted) return;
    // Whatever happens, the reader must not wait for more.
    const failure = await explain().catch((error: unknown) => ProxyError.from(error));
    await writable.abort(failure.bare());
  }
}
