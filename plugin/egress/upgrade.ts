/**
 * What becomes of a request for an upgrade (RFC 9110 §7.8): whether the target's 101 answers it, and
 * the two connections from then on.
 */

import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** RFC 6455 §1.3. */
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** @returns why a 101 is no answer to the request, or undefined if it is one */
export function describeMismatch(incoming: IncomingMessage, response: IncomingMessage): string | undefined {
  const asked = protocolsOf(incoming);
  const given = protocolsOf(response);
  const wanted = asked.join(", ");
  if (given.length === 0) return `its 101 names no protocol; the request was for ${wanted}`;
  if (!given.every((protocol) => asked.includes(protocol))) {
    return `its 101 is for ${given.join(", ")}; the request was for ${wanted}`;
  }
  const key = incoming.headers["sec-websocket-key"];
  if (!given.includes("websocket") || key === undefined) return undefined;
  const accept = response.headers["sec-websocket-accept"];
  if (accept === undefined) return 'its 101 has no "Sec-WebSocket-Accept"';
  const expected = createHash("sha1").update(`${key}${WEBSOCKET_GUID}`).digest("base64");
  return accept === expected ? undefined : 'its 101 has a "Sec-WebSocket-Accept" that is not for the request\'s key';
}

function protocolsOf({ headers }: IncomingMessage): string[] {
  const protocols = (headers.upgrade ?? "").split(",").map((protocol) => protocol.trim().toLowerCase());
  return protocols.filter((protocol) => protocol !== "");
}

/**
 * Nobody reads a connection while its upgrade is pending; this hears it close, and consumes nothing.
 *
 * @returns stops that
 */
export function watchForEnd(socket: Duplex, onEnd: () => void): () => void {
  const look = (): void => void socket.read(0);
  socket.on("readable", look);
  socket.once("end", onEnd);
  return () => {
    socket.off("readable", look);
    socket.off("end", onEnd);
  };
}
