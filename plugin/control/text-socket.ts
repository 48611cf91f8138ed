/**
 * A WebSocket on which only the server speaks, in texts (RFC 6455). A browser opens many of these to one origin, but only
 * six other requests at a time, whatever number of tabs it has.
 *
 *   server ── text frames ──▶ page       page ── whatever it says ──▶ the end
 */

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { acceptOf } from "../egress/http/upgrade.ts";

export interface TextSocket {
  send(text: string): void;
  /** Its "drain" and "close" are those of the connection. It never has an unhandled "error". */
  stream: Duplex;
}

/** RFC 6455 §5.5.1. */
const CLOSE = Buffer.from([0x88, 0]);

/** RFC 6455 §4.2.1. */
export function asksForTextSocket({ method, headers }: IncomingMessage): boolean {
  const { upgrade = "", "sec-websocket-key": key, "sec-websocket-version": version } = headers;
  return method === "GET" && upgrade.toLowerCase() === "websocket" && key !== undefined && version === "13";
}

/** @param stream nothing has been written to it */
export function acceptTextSocket({ headers }: IncomingMessage, stream: Duplex): TextSocket {
  stream.write(
    [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${acceptOf(headers["sec-websocket-key"] ?? "")}`,
      "\r\n",
    ].join("\r\n"),
  );
  stream.once("data", () => stream.end(CLOSE));
  stream.once("end", () => stream.destroy());
  stream.on("error", () => stream.destroy());
  stream.resume();
  return {
    stream,
    send(text) {
      if (!stream.writable) return;
      const content = Buffer.from(text);
      stream.write(headOf(content.length));
      stream.write(content);
    },
  };
}

/** Of a whole text that is not masked (RFC 6455 §5.2). */
function headOf(length: number): Buffer {
  if (length < 126) return Buffer.from([0x81, length]);
  const isLong = length > 0xffff;
  const head = Buffer.alloc(isLong ? 10 : 4);
  head[0] = 0x81;
  head[1] = isLong ? 127 : 126;
  if (isLong) head.writeBigUInt64BE(BigInt(length), 2);
  else head.writeUInt16BE(length, 2);
  return head;
}
