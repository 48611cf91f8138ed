/**
 * The part of AMQP 0-9-1 that a client needs to send a message to a queue and to get it back.
 *
 *   frame: type (1: method, 2: header, 3: body), channel (2 bytes), size (4), payload, 0xCE
 */

import type net from "node:net";
import { type TestServer, startTcpServer } from "./tcp-server.ts";

const GREETING = "AMQP\u0000\u0000\u0009\u0001";
const METHOD = 1;
const HEADER = 2;
const BODY = 3;
const MAX_FRAME = 131_072;
/** Class and method of a request → class, method and arguments of the answer. See section 1 of the specification. */
const ANSWERS: Record<string, [classId: number, methodId: number, args: Buffer]> = {
  "10.11": [10, 30, numbers([2, 0], [4, MAX_FRAME], [2, 0])], // start-ok → tune
  "10.40": [10, 41, Buffer.of(0)], // open → open-ok
  "10.50": [10, 51, Buffer.of()], // close → close-ok
  "20.10": [20, 11, numbers([4, 0])], // channel: open → open-ok
  "20.40": [20, 41, Buffer.of()], // channel: close → close-ok
  "50.10": [50, 11, Buffer.concat([Buffer.from("\u0001q"), numbers([4, 0], [4, 0])])], // queue: declare → declare-ok
  "85.10": [85, 11, Buffer.of()], // confirm: select → select-ok
};

/** connection.start: version 0-9, no properties, login mechanisms, languages. */
const START = method(10, 10, Buffer.concat([Buffer.from([0, 9, 0, 0, 0, 0]), longText("PLAIN"), longText("en_US")]));

export async function startAmqpLike(): Promise<TestServer> {
  return await startTcpServer((socket) => {
    const message = { size: 0, body: Buffer.alloc(0) };
    let received = Buffer.alloc(0);
    let next = readGreeting;
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let length = next(received); length > 0; length = next(received)) received = received.subarray(length);
    });

    /** @returns the number of bytes read, or 0 if more bytes are needed */
    function readGreeting(bytes: Buffer): number {
      if (!bytes.toString("latin1").startsWith(GREETING)) return 0;
      send(socket, 0, START);
      next = readFrame;
      return GREETING.length;
    }

    function readFrame(bytes: Buffer): number {
      const length = bytes.length < 7 ? Infinity : 7 + bytes.readUInt32BE(3) + 1;
      if (bytes.length < length) return 0;
      const payload = bytes.subarray(7, length - 1);
      handle(socket, { type: bytes.readUInt8(0), channel: bytes.readUInt16BE(1), payload }, message);
      return length;
    }
  });
}

interface Frame {
  type: number;
  channel: number;
  payload: Buffer;
}

/** @param message the only message in the queue */
function handle(socket: net.Socket, { type, channel, payload }: Frame, message: { size: number; body: Buffer }): void {
  if (type === HEADER) {
    message.size = Number(payload.readBigUInt64BE(4));
    message.body = Buffer.alloc(0);
  } else if (type === BODY) {
    message.body = Buffer.concat([message.body, payload]);
    if (message.body.length === message.size)
      send(socket, channel, method(60, 80, Buffer.of(0, 0, 0, 0, 0, 0, 0, 1, 0)));
  } else if (type === METHOD) {
    const name = `${payload.readUInt16BE(0)}.${payload.readUInt16BE(2)}`;
    const answer = ANSWERS[name];
    if (answer !== undefined) send(socket, channel, method(...answer));
    if (name === "60.70") sendMessage(socket, channel, message.body);
  }
}

/** basic.get-ok, header, body. */
function sendMessage(socket: net.Socket, channel: number, body: Buffer): void {
  send(
    socket,
    channel,
    method(60, 71, Buffer.concat([numbers([4, 0], [4, 1], [1, 0]), Buffer.of(0, 0), numbers([4, 0])])),
  );
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(body.length));
  send(socket, channel, { type: HEADER, payload: Buffer.concat([numbers([2, 60], [2, 0]), size, numbers([2, 0])]) });
  const step = MAX_FRAME - 8;
  for (let at = 0; at < body.length; at += step)
    send(socket, channel, { type: BODY, payload: body.subarray(at, at + step) });
}

function method(classId: number, methodId: number, args: Buffer): Omit<Frame, "channel"> {
  return { type: METHOD, payload: Buffer.concat([numbers([2, classId], [2, methodId]), args]) };
}

function send(socket: net.Socket, channel: number, { type, payload }: Omit<Frame, "channel">): void {
  socket.write(Buffer.concat([numbers([1, type], [2, channel], [4, payload.length]), payload, Buffer.of(0xce)]));
}

function longText(text: string): Buffer {
  return Buffer.concat([numbers([4, text.length]), Buffer.from(text)]);
}

/** Big-endian. */
function numbers(...parts: [bytes: 1 | 2 | 4, value: number][]): Buffer {
  return Buffer.concat(
    parts.map(([bytes, value]) => {
      const buffer = Buffer.alloc(bytes);
      buffer.writeUIntBE(value, 0, bytes);
      return buffer;
    }),
  );
}
