/** HTTP/1.1 over a connection in memory, with faults on its bytes. */

import { once } from "node:events";
import http from "node:http";
import type { Duplex } from "node:stream";

import { expect, test } from "vitest";

import { EgressError } from "../../../plugin/egress/egress-error.ts";
import type { Fault } from "../../../plugin/scenario/faults/fault.ts";
import { linkWithFaults } from "../../../plugin/scenario/faults/link.ts";
import {
  bandwidth,
  down,
  latency,
  limitData,
  resetPeer,
  slicer,
  timeout,
} from "../../../plugin/scenario/faults/make-faults.ts";
import { createRandom } from "../../../plugin/scenario/faults/random.ts";
import { eventually } from "./eventually.ts";
import { type SettableFaults, settableFaults } from "./settable-faults.ts";

interface Linked extends Disposable {
  near: Duplex;
  far: Duplex;
  live: SettableFaults;
  broken: string[];
  /** Asks over the link; the connection is kept. */
  ask(body?: string | Buffer): Promise<string>;
}

/** @param answer default: the request's body */
function serveOverLink(faults: Fault[], answer?: http.RequestListener): Linked {
  const live = settableFaults(faults);
  const broken: string[] = [];
  const [near, far] = linkWithFaults({
    live,
    random: createRandom(1),
    onBreak: (failure, how) => void broken.push(`${how} ${failure.code}: ${failure.detail}`),
  });
  for (const side of [near, far]) side.on("error", () => undefined);
  const server = http.createServer(answer ?? ((request, response) => void request.pipe(response)));
  server.emit("connection", far);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => near;
  return {
    near,
    far,
    live,
    broken,
    async ask(body = "") {
      const request = http.request({ agent, method: "POST", path: "/", host: "users.internal" });
      request.end(body);
      const [response] = (await once(request, "response")) as [http.IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString("latin1");
    },
    [Symbol.dispose]() {
      near.destroy();
    },
  };
}

test("requests, one after the other on the same connection", async () => {
  using linked = serveOverLink([latency(10), latency(10, { stream: "upstream" })]);
  for (const body of ["first", "second", ""]) expect(await linked.ask(body)).toBe(body);
  expect(linked.near.destroyed).toBe(false);
});

test("a fault that is added acts on the kept connection", async () => {
  using linked = serveOverLink([]);
  expect(await linked.ask("a")).toBe("a");
  linked.live.set([latency(80)]);
  const start = performance.now();
  expect(await linked.ask("b")).toBe("b");
  expect(performance.now() - start).toBeGreaterThanOrEqual(80);
});

test.each<[what: string, faults: Fault[]]>([
  ["no fault", []],
  ["a slicer", [slicer({ averageSize: 5000, sizeVariation: 2000 })]],
  ["bandwidth and latency", [bandwidth(200_000), latency(20)]],
])("20 MiB there and back through %s", async (_, faults) => {
  using linked = serveOverLink(faults.flatMap((fault): Fault[] => [fault, { ...fault, stream: "upstream" }]));
  const body = Buffer.alloc(20 * 1024 * 1024, "0123456789abcdefg");
  expect((await linked.ask(body)) === body.toString("latin1")).toBe(true);
});

test("a writer is held back", async () => {
  using linked = serveOverLink([latency(3_600_000, { stream: "upstream" })]);
  const block = Buffer.alloc(64 * 1024);
  let blocks = 0;
  const fill = (): void => {
    do blocks++;
    while (linked.near.write(block));
    linked.near.once("drain", fill);
  };
  fill();
  // 8 MiB are on their way at most, and what the buffers of the streams hold.
  await eventually(() => blocks * block.length).toBeGreaterThan(7 * 1024 * 1024);
  let before = -1;
  await eventually(() => blocks === before || ((before = blocks), false), 200).toBe(true);
  expect(blocks * block.length).toBeLessThan(10 * 1024 * 1024);
});

test("reset_peer: the request fails with the fault's words", async () => {
  using linked = serveOverLink([resetPeer(30)]);
  const detail = "the fault reset_peer reset the connection after 30 ms";
  const error = await linked.ask("hello").then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EgressError);
  expect((error as EgressError).failure).toEqual({ code: "connection_terminated", detail });
  expect(linked.broken).toEqual([`reset connection_terminated: ${detail}`]);
  await eventually(() => linked.far.destroyed).toBe(true);
  expect(linked.live.listeners).toBe(0);
});

test("limit_data: the response breaks off", async () => {
  using linked = serveOverLink([limitData(200)], (_, response) => response.end("x".repeat(1000)));
  await expect(linked.ask()).rejects.toThrow("aborted");
  expect(linked.broken).toEqual([
    "close connection_terminated: the fault limit_data closed the connection after 200 bytes",
  ]);
  await eventually(() => [linked.near.destroyed, linked.far.destroyed]).toEqual([true, true]);
  expect(linked.live.listeners).toBe(0);
});

test("a timeout of 0: the request hangs until it is removed", async () => {
  let isAsked = false;
  using linked = serveOverLink([timeout(0)], (_, response) => {
    isAsked = true;
    response.end("lost");
  });
  const answer = linked.ask();
  await eventually(() => isAsked).toBe(true);
  linked.live.set([]);
  await expect(answer).rejects.toThrow("socket hang up");
  expect(linked.broken.length).toBe(1);
});

test("down cuts a connection that is idle", async () => {
  using linked = serveOverLink([]);
  expect(await linked.ask("a")).toBe("a");
  linked.live.set([down()]);
  await eventually(() => [linked.near.destroyed, linked.far.destroyed]).toEqual([true, true]);
  expect(linked.broken).toEqual(["close connection_terminated: the fault down closed the connection"]);
});

test.each(["near", "far"] as const)("the other end goes when the %s one does", async (side) => {
  using linked = serveOverLink([latency(10), latency(10, { stream: "upstream" })]);
  expect(await linked.ask("a")).toBe("a");
  linked[side].destroy();
  await eventually(() => [linked.near.destroyed, linked.far.destroyed]).toEqual([true, true]);
  await eventually(() => linked.live.listeners).toBe(0);
});

test("a server that closes after its answer is heard to the end", async () => {
  using linked = serveOverLink([latency(20)], (_, response) => {
    response.setHeader("Connection", "close");
    response.end("x".repeat(100_000));
  });
  expect((await linked.ask()).length).toBe(100_000);
  await eventually(() => [linked.near.destroyed, linked.far.destroyed]).toEqual([true, true]);
  await eventually(() => linked.live.listeners).toBe(0);
});

test("an end that is destroyed after it has finished: the other end gets everything", async () => {
  const options = { live: settableFaults([bandwidth(2000)]), random: createRandom(1), onBreak: () => undefined };
  const [near, far] = linkWithFaults(options);
  for (let count = 0; count < 20; count++) far.write(Buffer.alloc(10_000));
  far.end();
  far.once("finish", () => far.destroy());
  let received = 0;
  for await (const chunk of near) received += (chunk as Buffer).length;
  expect(received).toBe(200_000);
});
