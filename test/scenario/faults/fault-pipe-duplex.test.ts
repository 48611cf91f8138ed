/** Faults on the bytes between two duplexes, which need not be sockets. */

import { createHook } from "node:async_hooks";
import { once } from "node:events";
import { Duplex, duplexPair } from "node:stream";

import { expect, test } from "vitest";

import type { Fault } from "../../../plugin/scenario/faults/fault.ts";
import { pipeWithFaults } from "../../../plugin/scenario/faults/fault-pipe.ts";
import { bandwidth, latency, timeout } from "../../../plugin/scenario/faults/make-faults.ts";
import { createRandom } from "../../../plugin/scenario/faults/random.ts";
import { eventually } from "./eventually.ts";
import { type SettableFaults, settableFaults } from "./settable-faults.ts";

/** A pipe of one stream, and what came out of it. */
function pipeTo(to: Duplex, faults: Fault[] = []): { source: Duplex; from: Duplex; live: SettableFaults } {
  const [source, from] = duplexPair();
  const live = settableFaults(faults);
  pipeWithFaults(from, to, { live, random: createRandom(1), onBreak: () => undefined, stream: "downstream" });
  return { source, from, live };
}

test("bytes, half-close, and the other way round", async () => {
  const [client, inner] = duplexPair();
  const [origin, outer] = duplexPair();
  const options = { live: settableFaults([latency(10)]), random: createRandom(1), onBreak: () => undefined };
  pipeWithFaults(inner, outer, { ...options, stream: "upstream" });
  pipeWithFaults(outer, inner, { ...options, stream: "downstream" });
  client.end("hello");
  const heard: string[] = [];
  for await (const chunk of origin) heard.push(String(chunk));
  origin.end(`got ${heard.join("")}`);
  const answer: string[] = [];
  for await (const chunk of client) answer.push(String(chunk));
  expect(answer.join("")).toBe("got hello");
  await eventually(() => options.live.listeners).toBe(0);
});

test("a source that is gone after its end: the reader gets everything, and goes too", async () => {
  const [reader, to] = duplexPair();
  const { source, from } = pipeTo(to, [latency(30)]);
  const heard: string[] = [];
  reader.on("data", (chunk) => heard.push(String(chunk)));
  source.end("hello");
  await once(from, "end");
  from.destroy();
  await once(to, "close");
  expect(heard).toEqual(["hello"]);
  expect(to.writableFinished).toBe(true);
});

test("a source that breaks off: what is still being written is written", async () => {
  const written: string[] = [];
  const confirmations: (() => void)[] = [];
  const to = new Duplex({
    read: () => undefined,
    write: (chunk, _, callback) => {
      written.push(String(chunk));
      confirmations.push(callback);
    },
  });
  const { source, from } = pipeTo(to);
  source.write("a");
  await eventually(() => written).toEqual(["a"]);
  source.write("b");
  await eventually(() => to.writableLength).toBe(2);
  from.destroy();
  await once(from, "close");
  while (confirmations.length > 0) confirmations.shift()?.();
  await eventually(() => (confirmations.shift()?.(), to.destroyed)).toBe(true);
  expect(written.slice(0, 2)).toEqual(["a", "b"]);
  expect(to.writableFinished).toBe(false);
});

test("a reader that is gone: the rest is taken and dropped", async () => {
  const [, to] = duplexPair();
  const { source, from, live } = pipeTo(to, [bandwidth(0)]);
  let isTaken = false;
  source.write(Buffer.alloc(1024 * 1024));
  source.write(Buffer.alloc(1024 * 1024));
  source.write(Buffer.alloc(1024 * 1024), () => (isTaken = true));
  await eventually(() => from.isPaused()).toBe(true);
  to.destroy();
  await eventually(() => isTaken).toBe(true);
  expect(live.listeners).toBe(0);
});

test("faults that change while what waited for a removed one is written", async () => {
  const written: string[] = [];
  const to = new Duplex({
    read: () => undefined,
    write: (chunk, _, callback) => {
      written.push(String(chunk));
      live.set([timeout(0)]);
      callback();
    },
  });
  const { source, from, live } = pipeTo(to, [bandwidth(0)]);
  for (const letter of "abc") source.write(letter);
  await eventually(() => from.isPaused()).toBe(true);
  live.set([]);
  source.end();
  await once(to, "finish");
  expect(written).toEqual(["a"]);
});

test("no timer is left when both are closed", async () => {
  const timers = new Set<number>();
  const hook = createHook({
    init(id, type) {
      if (type === "Timeout" && new Error("where").stack?.includes("fault-pipe.ts")) timers.add(id);
    },
    destroy: (id) => void timers.delete(id),
  }).enable();
  try {
    const [client, inner] = duplexPair();
    const [origin, outer] = duplexPair();
    const hour = 3_600_000;
    const live = settableFaults([latency(hour), latency(hour, { stream: "upstream" }), timeout(hour)]);
    const options = { live, random: createRandom(1), onBreak: () => undefined };
    pipeWithFaults(inner, outer, { ...options, stream: "upstream" });
    pipeWithFaults(outer, inner, { ...options, stream: "downstream" });
    client.write("hello");
    origin.write("hello");
    await eventually(() => timers.size).toBe(2);
    for (const side of [inner, outer]) side.destroy();
    await eventually(() => timers.size).toBe(0);
    expect(live.listeners).toBe(0);
  } finally {
    hook.disable();
  }
});
