/**
 * A response that breaks off in its body: names the failure, for the Worker that reads on and for the
 * developer. Without this file the Worker sees the runtime's own "Network connection lost.".
 */

import type { Call } from "./env.ts";
import { ProxyError } from "./failure.ts";

/**
 * Octets. Watching costs nothing measurable on a long body, but a third of the time of a short answer, so
 * a body whose announced length is at most this is passed on as it is.
 */
const SHORT = 64 * 1024;

export interface Watcher extends Pick<Call, "ctx"> {
  /** Called once if the body breaks off; not if its reader gives up. */
  explain: () => Promise<ProxyError>;
}

/**
 * Differs from production: the code is known here and thrown by the body's reader. A short body of announced
 * length breaks off in the runtime's own words.
 */
export function watchBody(response: Response, watcher: Watcher): Response {
  const { body } = response;
  if (body === null || response.webSocket || isShort(response)) return response;
  const { readable, writable } = new IdentityTransformStream();
  watcher.ctx.waitUntil(pass(body, writable, watcher));
  return new Response(readable, response);
}

function isShort({ headers }: Response): boolean {
  const length = headers.get("content-length");
  return length !== null && Number(length) <= SHORT;
}

async function pass(body: ReadableStream, writable: WritableStream, { explain }: Watcher): Promise<void> {
  let hasReader = true;
  try {
    await body.pipeTo(writable, { preventAbort: true });
  } catch {
    const writer = writable.getWriter();
    // A reader that gave up has already broken the other end.
    writer.closed.catch(() => (hasReader = false));
    await Promise.resolve();
    if (!hasReader) return;
    // Whatever happens, the reader must not wait for more.
    const failure = await explain().catch((error: unknown) => ProxyError.from(error));
    await writer.abort(failure.bare());
  }
}
