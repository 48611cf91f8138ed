/**
 * Plays the server's end of a recorded WebSocket (RFC 6455): after each message of the client, the messages that the server
 * sent next. What the client's messages say isn't compared.
 */

import type { Duplex } from "node:stream";

import { createMessageReader } from "../egress/observed/websocket-messages.ts";
import type { HarWebSocketMessage } from "./har.ts";

const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

export function playMessages(socket: Duplex, messages: readonly HarWebSocketMessage[]): void {
  let next = 0;
  const send = (opcode: number, data: Buffer): void => {
    if (socket.writable) socket.write(frame(opcode, data));
  };
  /** Up to the next message that the client must send. */
  const sendOwn = (): void => {
    for (let message = messages[next]; message?.type === "receive"; message = messages[++next]) {
      const { opcode, data } = message;
      if (opcode === OPCODE.close) return close(Buffer.alloc(0));
      send(opcode, Buffer.from(data, opcode === OPCODE.text ? "utf8" : "base64"));
    }
  };
  const close = (data: Buffer): void => {
    send(OPCODE.close, data);
    socket.end();
  };
  const read = createMessageReader({
    isDeflated: false,
    message(opcode, data) {
      if (opcode === OPCODE.close) return close(data);
      if (opcode === OPCODE.ping) return send(OPCODE.pong, data);
      if (opcode === OPCODE.pong) return undefined;
      if (messages[next]?.type === "send") next++;
      return sendOwn();
    },
    lost: () => socket.destroy(),
  });
  socket.on("error", () => socket.destroy());
  socket.on("data", read);
  socket.once("end", () => socket.end());
  sendOwn();
}

/** One frame, without a mask: it is the server's (RFC 6455 §5.2). */
function frame(opcode: number, data: Buffer): Buffer {
  const { length } = data;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (head.length === 2) head[1] = length;
  else if (head.length === 4) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, data]);
}
