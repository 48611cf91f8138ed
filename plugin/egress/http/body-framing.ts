/**
 * Whether an HTTP/1.1 message has a body, and how its end is marked (RFC 9112 §6.3). Sends heads and ends.
 */

import type { IncomingMessage, OutgoingMessage } from "node:http";

import { isFramed } from "../../../service-worker/routing/framing.ts";
import { type Field, toFields } from "./headers.ts";

/** RFC 9112 §6.3: a request without either field has no body. */
export function hasBody(incoming: IncomingMessage): boolean {
  return incoming.headers["transfer-encoding"] !== undefined || Number(incoming.headers["content-length"] ?? 0) > 0;
}

/** RFC 9112 §6.3: these responses end with their head, whatever their fields say. */
export function isBodiless({ method }: Pick<IncomingMessage, "method">, status: number | undefined): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}

/** Whether the body of this response ends with its connection (RFC 9112 §6.3). */
export function endsWithConnection(incoming: IncomingMessage, { statusCode, headers }: IncomingMessage): boolean {
  return !isBodiless(incoming, statusCode) && !isFramed(headers["content-length"], headers["transfer-encoding"]);
}

/**
 * A body that ends with its connection (RFC 9112 §6.3) is passed on in chunks, because workerd's connection stays
 * open and a reset must not look like an end. Node already does this if there is no `Transfer-Encoding`.
 */
export function inChunks(fields: Field[]): Field[] {
  const first = fields.find(isFraming);
  if (first === undefined) return fields;
  const codings = fields.filter(isFraming).flatMap(([, value]) => value.split(",").map((coding) => coding.trim()));
  if (codings.at(-1)?.toLowerCase() === "chunked") return fields;
  const kept = codings.filter((coding) => coding !== "" && coding.toLowerCase() !== "identity");
  const chunked: Field = [first[0], [...kept, "chunked"].join(", ")];
  return fields.flatMap((field) => (field === first ? [chunked] : isFraming(field) ? [] : [field]));
}

function isFraming([fieldName]: Field): boolean {
  return fieldName.toLowerCase() === "transfer-encoding";
}

/** `flushHeaders()` would write the head as UTF-8. */
export function flushHead(message: OutgoingMessage, taken?: () => void): void {
  message.write(new Uint8Array(), taken);
}

/** Ends with the same trailers. Breaks the message off if Node refuses one of them. */
export function endLike(received: IncomingMessage, sent: OutgoingMessage): void {
  try {
    if (received.rawTrailers.length > 0) sent.addTrailers(toFields(received.rawTrailers));
    sent.end();
  } catch (error) {
    sent.destroy(error instanceof Error ? error : undefined);
  }
}
