/**
 * A response that breaks off in its body: names the failure, for the Worker that reads on and for the
 * developer. Without this file the Worker sees the runtime's own "Network connection lost.".
 */

import type { Call } from "./env.ts";
import { ProxyError } from "./failure.ts";
import { pipeBody } from "./pipe-body.ts";

/**
 * Octets. Watching costs nothing measurable on a long body, but a third of the time of a short answer, so
 * a body whose announced length is at most this is passed on as it is.
 */
const SHORT = 64 * 1024;

/** The runtime passes on any, but makes no Response of a higher one. */
const MAX_STATUS = 599;

export interface Watcher extends Pick<Call, "ctx"> {
  /** Aborted once nobody reads on. */
  request: Request;
  /** Called once if the body breaks off; not if its reader gives up. */
  explain: () => Promise<ProxyError>;
}

/**
 * Differs from production: the code is known here and thrown by the body's reader. A short body of announced
 * length breaks off in the runtime's own words.
 *
 * @param response to a request that was sent `AS_SENT`
 */
export function watchBody(response: Response, watcher: Watcher): Response {
  // In this order: each look at a response takes time.
  const { headers } = response;
  const length = announcedLength(headers);
  if (length !== undefined && length <= SHORT) return response;
  const { body } = response;
  if (body === null || response.webSocket || response.status > MAX_STATUS) return response;
  // Of a body in chunks, no other length counts (RFC 9112 §6.3).
  const { piped, writable } = pipeBody(response, headers.has("transfer-encoding") ? undefined : length);
  watcher.ctx.waitUntil(pass(body, writable, watcher));
  return piped;
}

/** @returns undefined also for a length that is said twice, which is a list */
function announcedLength(headers: Headers): number | undefined {
  const length = headers.get("content-length");
  return length !== null && /^\d+$/.test(length) ? Number(length) : undefined;
}

async function pass(
  body: ReadableStream,
  writable: WritableStream,
  { request: { signal }, explain }: Watcher,
): Promise<void> {
  try {
    // Without the signal, a body would be waited for as long as it is silent, whether or not anybody reads.
    await body.pipeTo(writable, { preventAbort: true, signal });
  } catch {
    if (signal.aborted) return;
    // Whatever happens, the reader must not wait for more.
    const failure = await explain().catch((error: unknown) => ProxyError.from(error));
    await writable.abort(failure.bare());
  }
}
