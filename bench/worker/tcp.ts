/** Sockets: of `cloudflare:sockets` itself, or of a VPC Network. */

import { connect } from "cloudflare:sockets";
import type { Bulk, Connections } from "../jobs.ts";
import { type Env, bindingOf, countBytes } from "./http.ts";

const DOWN = "d".charCodeAt(0);
const UP = "u".charCodeAt(0);
const ECHO = "e".charCodeAt(0);

function open(env: Env, { through, addresses, isKnocking }: Connections, nth = 0): Socket {
  const address = addresses[nth % addresses.length] ?? "";
  const socket = through === undefined ? connect(address) : bindingOf(env, through).connect(address);
  return isKnocking ? Object.defineProperty(socket, "opened", { value: knock(socket) }) : socket;
}

async function knock({ writable }: Socket): Promise<void> {
  const writer = writable.getWriter();
  const taken = writer.write(new Uint8Array(1));
  writer.releaseLock();
  await taken;
}

/** Connects, waits until it is open, closes. */
export async function connectMany(env: Env, connections: Connections): Promise<void> {
  for (let nth = 0; nth < connections.operations; nth++) {
    const socket = open(env, connections, nth);
    await socket.opened;
    await socket.close();
  }
}

/** One connection per question. */
export async function connectAndAsk(env: Env, connections: Connections): Promise<void> {
  for (let nth = 0; nth < connections.operations; nth++) {
    const socket = open(env, connections, nth);
    await exchange(socket, 1);
    await socket.close();
  }
}

/** One connection for all questions. */
export async function roundTrips(env: Env, connections: Connections): Promise<void> {
  const socket = open(env, connections);
  await exchange(socket, connections.operations);
  await socket.close();
}

/** Sends 64 bytes there and back, again and again. */
async function exchange(socket: Socket, times: number): Promise<void> {
  const writer = socket.writable.getWriter();
  const reader = socket.readable.getReader();
  const message = new Uint8Array(64);
  for (let done = 0; done < times; done++) {
    // The first byte asks for an echo.
    await writer.write(done === 0 ? new Uint8Array([ECHO, ...message]) : message);
    let missing = message.length;
    while (missing > 0) {
      const { done: isOver, value } = await reader.read();
      if (isOver) throw new Error("the echo ended");
      missing -= value.length;
    }
  }
}

export async function download(env: Env, bulk: Bulk): Promise<void> {
  for (let done = 0; done < bulk.operations; done++) {
    const socket = open(env, bulk);
    const writer = socket.writable.getWriter();
    await writer.write(order(DOWN, bulk.bytes));
    const bytes = await countBytes(socket.readable);
    if (bytes !== bulk.bytes) throw new Error(`${bytes} of ${bulk.bytes} bytes`);
    await socket.close();
  }
}

export async function upload(env: Env, bulk: Bulk): Promise<void> {
  const piece = new Uint8Array(256 * 1024);
  for (let done = 0; done < bulk.operations; done++) {
    const socket = open(env, bulk);
    const writer = socket.writable.getWriter();
    await writer.write(order(UP, bulk.bytes));
    for (let missing = bulk.bytes; missing > 0; missing -= piece.length) {
      await writer.write(missing < piece.length ? piece.subarray(0, missing) : piece);
    }
    const answer = await countBytes(socket.readable);
    if (answer !== 1) throw new Error("the upload was not confirmed");
    await socket.close();
  }
}

function order(letter: number, bytes: number): Uint8Array {
  const head = new Uint8Array(5);
  head[0] = letter;
  new DataView(head.buffer).setUint32(1, bytes);
  return head;
}
