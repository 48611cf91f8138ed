/** Faults on the bytes between real sockets. What each of them does and when exactly is in chain.test.ts. */

import { createHash } from "node:crypto";
import { once } from "node:events";

import { describe, expect, test, vi } from "vitest";

import type { Fault } from "../../../plugin/scenario/faults/fault.ts";
import {
  bandwidth,
  latency,
  limitData,
  resetPeer,
  slicer,
  slowClose,
  timeout,
} from "../../../plugin/scenario/faults/make-faults.ts";
import { createRandom } from "../../../plugin/scenario/faults/random.ts";
import { echo, startTcpServer } from "../../servers/tcp-server.ts";
import { connectThroughFaults } from "./faulty-proxy.ts";
import { eventually } from "./eventually.ts";

const HALF_OPEN = { allowHalfOpen: true };
const upstream = { stream: "upstream" } as const;

/** Milliseconds from now until the promise is fulfilled. */
async function measure(promise: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await promise;
  return performance.now() - start;
}

describe("every byte arrives", () => {
  const size = 20 * 1024 * 1024;
  const data = Buffer.alloc(size);
  const random = createRandom(3);
  for (let offset = 0; offset < size; offset += 4) data.writeUInt32LE(Math.floor(random.next() * 2 ** 32), offset);
  const digest = createHash("sha256").update(data).digest("hex");

  const slow = latency(30, { jitter: 20 });
  const narrow = bandwidth(200_000);
  const late = slowClose(30);
  const sliced = slicer({ averageSize: 4000, sizeVariation: 1000, delay: 10 });
  const limited = limitData(size + 1);

  test.each<[what: string, faults: Fault[]]>([
    ["no fault", []],
    ["latency", [slow]],
    ["bandwidth", [narrow]],
    ["slow_close", [late]],
    ["slicer", [sliced]],
    ["limit_data", [limited]],
    ["all of them", [slow, narrow, late, sliced, limited]],
  ])("20 MiB there and back through %s", async (_, faults) => {
    await using origin = await startTcpServer(echo, HALF_OPEN);
    const both = faults.flatMap((fault): Fault[] => [fault, { ...fault, stream: "upstream" }]);
    await using connection = await connectThroughFaults(origin.port, both);
    const hash = createHash("sha256");
    let length = 0;
    connection.client.on("data", (chunk) => {
      hash.update(chunk);
      length += chunk.length;
    });
    connection.client.end(data);
    await once(connection.client, "end");
    expect(length).toBe(size);
    expect(hash.digest("hex")).toBe(digest);
    expect(connection.broken).toEqual([]);
    await eventually(() => connection.open).toBe(0);
    expect(connection.live.listeners).toBe(0);
  });

  test("20 MiB while faults come and go", async () => {
    await using origin = await startTcpServer(echo, HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port);
    const pool = [slow, narrow, sliced, limited, late].flatMap((fault): Fault[] => [
      fault,
      { ...fault, stream: "upstream" },
    ]);
    const hash = createHash("sha256");
    let changes = 0;
    connection.client.on("data", (chunk) => {
      hash.update(chunk);
      changes++;
      connection.live.set(pool.filter(() => random.next() < 0.5));
    });
    connection.client.end(data);
    await once(connection.client, "end");
    expect(hash.digest("hex")).toBe(digest);
    expect(changes).toBeGreaterThan(50);
  });
});

describe("delays", () => {
  test.each([
    ["upstream", [latency(60, upstream)], 60],
    ["downstream", [latency(60)], 60],
    ["both", [latency(60, upstream), latency(30)], 90],
    ["two of one stream", [latency(40), latency(50)], 90],
  ])("latency: %s", async (_, faults, least) => {
    await using origin = await startTcpServer(echo, HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port, faults);
    connection.client.write("hello\n");
    expect(await measure(once(connection.client, "data"))).toBeGreaterThanOrEqual(least);
    expect(connection.received).toBe("hello\n");
  });

  test("bandwidth: 48 KB at 400 KB/s take 120 ms", async () => {
    await using origin = await startTcpServer((socket) => socket.end(Buffer.alloc(48_000)), HALF_OPEN);
    const start = performance.now();
    await using connection = await connectThroughFaults(origin.port, [bandwidth(400)]);
    await once(connection.client, "end");
    expect(performance.now() - start).toBeGreaterThanOrEqual(120);
    expect(connection.received.length).toBe(48_000);
  });

  test("slow_close: the end comes later than the bytes", async () => {
    await using origin = await startTcpServer((socket) => socket.end("bye"), HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port, [slowClose(100)]);
    await eventually(() => connection.received).toBe("bye");
    expect(connection.ended).toBeUndefined();
    await once(connection.client, "end");
  });

  test("a fault that is added acts on an open connection, and ends with its removal", async () => {
    await using origin = await startTcpServer(echo, HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port);
    connection.client.write("1");
    await eventually(() => connection.received).toBe("1");
    connection.live.set([latency(60)]);
    connection.client.write("2");
    expect(await measure(once(connection.client, "data"))).toBeGreaterThanOrEqual(60);
    connection.live.set([latency(3_600_000)]);
    connection.client.write("3");
    await eventually(() => origin.open.size).toBe(1);
    connection.live.set([]);
    await eventually(() => connection.received).toBe("123");
  });

  test("a test's fake timers do not stop it", async () => {
    await using origin = await startTcpServer(echo, HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port, [latency(30)]);
    vi.useFakeTimers();
    try {
      connection.client.write("hello");
      await once(connection.client, "data");
    } finally {
      vi.useRealTimers();
    }
    expect(connection.received).toBe("hello");
  });
});

describe("half-close", () => {
  const faults = [latency(20), latency(20, upstream), slowClose(20, upstream)];

  test("the origin hears the end and may still answer", async () => {
    await using origin = await startTcpServer((socket) => {
      let received = "";
      socket.on("data", (chunk) => (received += chunk.toString()));
      socket.on("end", () => socket.end(`got ${received}`));
    }, HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port, faults);
    connection.client.end("PING");
    await eventually(() => connection.ended).toBe("end");
    expect(connection.received).toBe("got PING");
    await eventually(() => [connection.open, origin.open.size]).toEqual([0, 0]);
  });

  test("the origin ends, and still hears", async () => {
    let received = "";
    await using origin = await startTcpServer((socket) => {
      socket.end("bye");
      socket.on("data", (chunk) => (received += chunk.toString()));
    }, HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port, faults);
    await eventually(() => connection.ended).toBe("end");
    connection.client.end("still here");
    await eventually(() => received).toBe("still here");
    await eventually(() => [connection.open, origin.open.size]).toEqual([0, 0]);
    expect(connection.broken).toEqual([]);
  });
});

describe("backpressure", () => {
  test.each<[what: string, faults: Fault[]]>([
    ["no fault", []],
    ["latency", [latency(20)]],
    ["latency that never ends", [latency(3_600_000)]],
    ["bandwidth of 0", [bandwidth(0)]],
    ["a slicer", [slicer({ averageSize: 4000 })]],
    ["reset_peer that waits", [resetPeer(3_600_000)]],
  ])("a slow reader holds the sender back: %s", async (_, faults) => {
    const size = 128 * 1024 * 1024;
    let sent = 0;
    await using origin = await startTcpServer((socket) => {
      const block = Buffer.alloc(64 * 1024);
      const fill = (): void => {
        while (sent < size) {
          sent += block.length;
          if (!socket.write(block)) return;
        }
      };
      socket.on("drain", fill);
      fill();
    }, HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port, faults);
    connection.client.pause();
    let before = -1;
    await eventually(() => sent === before || ((before = sent), false), 200).toBe(true);
    expect(sent).toBeLessThan(size / 2);
  });

  test("a timeout takes whatever is sent", async () => {
    const size = 64 * 1024 * 1024;
    await using origin = await startTcpServer((socket) => void socket.write(Buffer.alloc(size)), HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port, [timeout(0)]);
    await eventually(() => [...origin.open][0]?.bytesWritten).toBe(size);
    await eventually(() => [...origin.open][0]?.writableLength).toBe(0);
    expect(connection.received).toBe("");
  });
});
