/** A line counts the beginning of a connection. What follows travels by the runtime's own pipes, and behaves the same. */

import { createHash } from "node:crypto";
import type net from "node:net";
import { expect, it } from "vitest";
import { startTcpServer } from "../servers/tcp-server.ts";
import { TUNNEL, type TestWorker, startTestWorker } from "../setup/test-worker.ts";

/** As many as are counted, and some more. */
const ROUNDS = 40;
const MEGABYTE = 1_000_000;

function routesTo(port: number): object {
  return {
    networks: {
      [TUNNEL]: { routes: { "tcp.internal": `127.0.0.1:${port}`, "name.internal": `localhost:${port}` } },
    },
  };
}

function start(port: number): Promise<TestWorker> {
  return startTestWorker({
    config: routesTo(port),
    prelude: `
      const encoder = new TextEncoder();
      async function talk(socket, rounds) {
        const writer = socket.writable.getWriter();
        const reader = socket.readable.getReader();
        for (let round = 0; round < rounds; round++) {
          await writer.write(encoder.encode("?"));
          await reader.read();
        }
        return { writer, reader };
      }`,
    ops: {
      /** Sends a megabyte after a few questions, and reads what comes back until the end. */
      async send(env, host: string) {
        const socket = env.NET.connect(`${host}:1`, { allowHalfOpen: true });
        // @ts-expect-error: defined in the prelude
        const { writer, reader } = (await talk(socket, 40)) as {
          writer: WritableStreamDefaultWriter<Uint8Array>;
          reader: ReadableStreamDefaultReader<Uint8Array>;
        };
        const bytes = Uint8Array.from({ length: 1_000_000 }, (_, index) => index % 251);
        await writer.write(bytes);
        await writer.close();
        let text = "";
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return text;
          text += new TextDecoder().decode(value);
        }
      },
      async receive(env, host: string) {
        const socket = env.NET.connect(`${host}:1`);
        let size = 0;
        let sum = 0;
        for await (const piece of socket.readable as unknown as AsyncIterable<Uint8Array>) {
          size += piece.length;
          for (const byte of piece) sum = (sum * 31 + byte) % 1_000_003;
        }
        return { size, sum };
      },
      async breakOff(env, host: string) {
        const socket = env.NET.connect(`${host}:1`);
        // @ts-expect-error: defined in the prelude
        const { writer, reader } = (await talk(socket, 40)) as {
          writer: WritableStreamDefaultWriter<Uint8Array>;
          reader: ReadableStreamDefaultReader<Uint8Array>;
        };
        await writer.write(new TextEncoder().encode("!"));
        try {
          return (await reader.read()).done ? "ended" : "read";
        } catch {
          return "failed";
        }
      },
      async leave(env, host: string) {
        const socket = env.NET.connect(`${host}:1`);
        // @ts-expect-error: defined in the prelude
        const { writer } = (await talk(socket, 40)) as { writer: WritableStreamDefaultWriter<Uint8Array> };
        await writer.write(new TextEncoder().encode("last words"));
        await socket.close();
        return "closed";
      },
    },
  });
}

/** Answers each question, until something else comes. */
function answerQuestions(socket: net.Socket, then: (rest: Buffer) => void): void {
  let asked = 0;
  const answer = (chunk: Buffer): void => {
    if (asked++ < ROUNDS) return void socket.write("a");
    socket.off("data", answer);
    then(chunk);
  };
  socket.on("data", answer);
}

const HOSTS = ["tcp.internal", "name.internal"];

it.each(HOSTS)("every byte of an upload arrives, and the answer after its half-close: %s", async (host) => {
  await using server = await startTcpServer(
    (socket) => {
      const hash = createHash("sha256");
      answerQuestions(socket, (first) => {
        hash.update(first);
        socket.on("data", (chunk) => hash.update(chunk));
        socket.on("end", () => socket.end(hash.digest("hex")));
      });
    },
    { allowHalfOpen: true },
  );
  await using worker = await start(server.port);
  const sent = Uint8Array.from({ length: MEGABYTE }, (_, index) => index % 251);
  expect(await worker.call("send", host)).toBe(createHash("sha256").update(sent).digest("hex"));
  await expect.poll(() => worker.output()).toMatch(/ ↑ more than \S+ k?B ↓ more than 32 B {2}\d+ ms/);
});

it.each(HOSTS)("every byte of a download arrives: %s", async (host) => {
  const bytes = Uint8Array.from({ length: MEGABYTE }, (_, index) => index % 253);
  await using server = await startTcpServer((socket) => socket.end(bytes));
  await using worker = await start(server.port);
  const sum = bytes.reduce((before, byte) => (before * 31 + byte) % 1_000_003, 0);
  expect(await worker.call("receive", host)).toEqual({ size: MEGABYTE, sum });
  await expect.poll(() => worker.output()).toMatch(/ ↑ 0 B ↓ more than \d+ kB {2}\d+ ms/);
});

it.each(HOSTS)("a reset is still an error: %s", async (host) => {
  await using server = await startTcpServer((socket) => answerQuestions(socket, () => socket.resetAndDestroy()));
  await using worker = await start(server.port);
  expect(await worker.call("breakOff", host)).toBe("failed");
});

it.each(HOSTS)("the last write before close() still arrives: %s", async (host) => {
  const heard: string[] = [];
  await using server = await startTcpServer((socket) => {
    answerQuestions(socket, (first) => {
      heard.push(String(first));
      socket.on("data", (chunk) => heard.push(String(chunk)));
    });
  });
  await using worker = await start(server.port);
  expect(await worker.call("leave", host)).toBe("closed");
  await expect.poll(() => heard.join("")).toBe("last words");
});
