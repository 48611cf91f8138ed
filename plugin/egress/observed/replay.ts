/**
 * Reads a request's body ahead of those who carry it out, and makes the same request again for them.
 */

import { type IncomingMessage, IncomingMessage as Incoming } from "node:http";

import type { RequestEntry } from "../../scenario/journal.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import { hasBody } from "../http/body-framing.ts";

/** @returns the whole body. Rejects if it breaks off */
export async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** @param incoming whose body was read as a whole */
function replay(incoming: IncomingMessage, body: Buffer): IncomingMessage {
  const copy = new Incoming(incoming.socket);
  const { method, url, httpVersion, httpVersionMajor, httpVersionMinor, rawHeaders, headers, rawTrailers } = incoming;
  Object.assign(copy, {
    method,
    url,
    httpVersion,
    httpVersionMajor,
    httpVersionMinor,
    rawHeaders,
    headers,
    rawTrailers,
    complete: true,
  });
  copy.push(body);
  copy.push(null);
  return copy;
}

/** @returns the whole body, and what makes the same request again. The journal has the body then */
export async function readAhead(
  { incoming, scenario }: { incoming: IncomingMessage; scenario: Scenario },
  entry: RequestEntry,
): Promise<{ body: Buffer; again: () => IncomingMessage }> {
  if (!hasBody(incoming)) return { body: Buffer.alloc(0), again: () => incoming };
  const body = await readBody(incoming);
  // What reads it ahead hears no events.
  if (entry.body.size === 0) scenario.journal.capture(entry.body, body);
  entry.body.end();
  return { body, again: () => replay(incoming, body) };
}
