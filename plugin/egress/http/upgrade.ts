/**
 * Handles an upgrade request (RFC 9110 §7.8): checks whether the target's 101 answers it, and watches
 * for the end of its connection.
 */

import { createHash } from "node:crypto";
import http from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** RFC 6455 §1.3. */
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** @returns why a 101 doesn't answer the request, or undefined if it does */
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
  return accept === acceptOf(key)
    ? undefined
    : "its 101 has a \"Sec-WebSocket-Accept\" that doesn't match the request's key";
}

/** @returns the `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key` (RFC 6455 §4.2.2) */
export function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}${WEBSOCKET_GUID}`).digest("base64");
}

/** A response on a connection that Node has handed over because of an `Upgrade` field. It is the last one there. */
export function responseOn(socket: Duplex, incoming: IncomingMessage): ServerResponse {
  const outgoing = new http.ServerResponse(incoming);
  outgoing.shouldKeepAlive = false;
  outgoing.assignSocket(socket as Socket);
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => outgoing.emit("drain"));
  outgoing.once("finish", () => socket.end());
  return outgoing;
}

function protocolsOf({ headers }: IncomingMessage): string[] {
  const protocols = (headers.upgrade ?? "").split(",").map((protocol) => protocol.trim().toLowerCase());
  return protocols.filter((protocol) => protocol !== "");
}

/**
 * Nothing reads a connection while its upgrade is pending. This notices when it ends, without consuming data.
 *
 * @returns a function that stops watching
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
