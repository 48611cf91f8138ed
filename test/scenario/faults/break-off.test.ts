/** How connections end: by a fault, or by themselves while faults are on them. */

import { once } from "node:events";
import type net from "node:net";
import tls from "node:tls";

import { describe, expect, test } from "vitest";

import type { Fault } from "../../../plugin/scenario/faults/fault.ts";
import {
  bandwidth,
  down,
  latency,
  limitData,
  resetPeer,
  timeout,
} from "../../../plugin/scenario/faults/make-faults.ts";
import { startTcpServer } from "../../servers/tcp-server.ts";
import { selfSign } from "../../servers/tls-certificates.ts";
import { startTlsOrigin } from "../../servers/tls-server.ts";
import { eventually } from "./eventually.ts";
import { connectThroughFaults } from "./faulty-proxy.ts";

const HALF_OPEN = { allowHalfOpen: true };
const upstream = { stream: "upstream" } as const;

/** For `startTcpServer`: answers once, and notes how each connection ends. */
function watch(seen: string[]): (socket: net.Socket) => void {
  return (socket) => {
    socket.resume();
    socket.once("end", () => seen.push("end"));
    socket.once("error", (error: NodeJS.ErrnoException) => seen.push(String(error.code)));
    socket.once("data", () => socket.write("answer"));
  };
}

describe("faults that end the connection", () => {
  test.each<[what: string, faults: Fault[], detail: string]>([
    ["downstream", [resetPeer()], ""],
    ["downstream, later", [resetPeer(50)], " after 50 ms"],
    ["upstream", [resetPeer(0, upstream)], ""],
    ["upstream, later", [resetPeer(50, upstream)], " after 50 ms"],
  ])("reset_peer: both sides see a reset: %s", async (_, faults, detail) => {
    const seen: string[] = [];
    await using origin = await startTcpServer(watch(seen), HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port, faults);
    connection.client.write("hello");
    await eventually(() => connection.ended).toBe("ECONNRESET");
    await eventually(() => seen).toEqual(["ECONNRESET"]);
    expect(connection.received).toBe("");
    const message = `reset connection_terminated: the fault reset_peer reset the connection${detail}`;
    expect(connection.broken).toEqual([message]);
    await eventually(() => connection.open).toBe(0);
    expect(connection.live.listeners).toBe(0);
  });

  test("reset_peer on an open connection, and after a half-close", async () => {
    const seen: string[] = [];
    await using origin = await startTcpServer(watch(seen), HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port);
    connection.client.write("hello");
    await eventually(() => connection.received).toBe("answer");
    connection.client.end();
    await eventually(() => seen).toEqual(["end"]);
    connection.live.set([resetPeer()]);
    for (const socket of origin.open) socket.write("more");
    await eventually(() => connection.ended).toBe("ECONNRESET");
    await eventually(() => connection.open).toBe(0);
    expect(connection.received).toBe("answer");
  });

  test("reset_peer while the end of the other direction is on its way", async () => {
    await using origin = await startTcpServer((socket) => void socket.resume().write("answer"), HALF_OPEN);
    const reset = resetPeer();
    const held = [latency(3_600_000, upstream), bandwidth(0)];
    await using connection = await connectThroughFaults(origin.port, [...held, reset]);
    await eventually(() => connection.taken).toBe(6);
    connection.client.end("hello");
    await eventually(() => connection.client.writableFinished).toBe(true);
    // At the same time, the origin gets its end and a reset.
    connection.live.set([reset]);
    await eventually(() => connection.open).toBe(0);
    expect(connection.broken.length).toBe(1);
  });

  test("reset_peer on TLS: both sides are closed", async () => {
    await using origin = await startTlsOrigin({ ...selfSign("localhost"), serve: (socket) => void socket.resume() });
    await using connection = await connectThroughFaults(origin.port, [resetPeer(0, upstream)], async (port) => {
      const socket = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
      await once(socket, "secureConnect");
      return socket;
    });
    connection.client.write("hello");
    await eventually(() => connection.ended).toBe("ECONNRESET");
    await eventually(() => origin.open.size).toBe(0);
    expect(connection.broken).toEqual(["reset connection_terminated: the fault reset_peer reset the connection"]);
    await eventually(() => connection.open).toBe(0);
  });

  test("limit_data: the bytes up to it, and a clean close", async () => {
    const seen: string[] = [];
    await using origin = await startTcpServer((socket) => {
      watch(seen)(socket);
      socket.write("0123456789");
    }, HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port, [limitData(4)]);
    await eventually(() => connection.ended).toBe("end");
    expect(connection.received).toBe("0123");
    expect(connection.broken).toEqual([
      "close connection_terminated: the fault limit_data closed the connection after 4 bytes",
    ]);
    await eventually(() => seen.length).toBe(1);
    await eventually(() => connection.open).toBe(0);
    expect(connection.live.listeners).toBe(0);
  });

  test("limit_data: what is on its way in the other direction still arrives", async () => {
    let received = "";
    await using origin = await startTcpServer((socket) => {
      socket.on("data", (chunk) => (received += chunk.toString()));
      socket.write("early answer");
    }, HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port, [latency(300), limitData(4, upstream)]);
    await eventually(() => connection.taken).toBeGreaterThan(0);
    connection.client.write("012345");
    await eventually(() => connection.open).toBe(0);
    await eventually(() => connection.received).toBe("early answer");
    expect(received).toBe("0123");
  });

  test("timeout: nothing gets through, then both sides are closed", async () => {
    const seen: string[] = [];
    await using origin = await startTcpServer(watch(seen), HALF_OPEN);
    const start = performance.now();
    await using connection = await connectThroughFaults(origin.port, [timeout(80)]);
    connection.client.write("hello");
    await once(connection.client, "end");
    expect(performance.now() - start).toBeGreaterThanOrEqual(80);
    expect(connection.received).toBe("");
    expect(connection.broken).toEqual([
      "close connection_terminated: the fault timeout closed the connection after 80 ms without data",
    ]);
    await eventually(() => seen).toEqual(["end"]);
    await eventually(() => connection.open).toBe(0);
  });

  test.each<[stream: string, fault: Fault]>([
    ["upstream", timeout(0, upstream)],
    ["downstream", timeout(0)],
  ])("a timeout of 0 that is removed closes both sides: %s", async (_, fault) => {
    const seen: string[] = [];
    await using origin = await startTcpServer(watch(seen), HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port);
    connection.client.write("hello");
    await eventually(() => connection.received).toBe("answer");
    connection.live.set([fault]);
    connection.live.set([]);
    await eventually(() => connection.ended).toBe("end");
    await eventually(() => seen).toEqual(["end"]);
    await eventually(() => connection.open).toBe(0);
    expect(connection.broken.length).toBe(1);
  });

  test("down cuts what is open", async () => {
    const seen: string[] = [];
    await using origin = await startTcpServer(watch(seen), HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port, [latency(20)]);
    connection.client.write("hello");
    await eventually(() => connection.received).toBe("answer");
    connection.live.set([latency(20), down()]);
    await eventually(() => connection.ended).toBe("end");
    await eventually(() => seen).toEqual(["end"]);
    expect(connection.broken).toEqual(["close connection_terminated: the fault down closed the connection"]);
    await eventually(() => connection.open).toBe(0);
    expect(connection.live.listeners).toBe(0);
  });
});

describe("connections that end by themselves", () => {
  test("the origin's reset: what came before it is still delivered after its delay", async () => {
    await using origin = await startTcpServer((socket) => {
      socket.write("partial");
      socket.once("data", () => socket.resetAndDestroy());
    }, HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port, [latency(200)]);
    await eventually(() => connection.taken).toBeGreaterThan(0);
    connection.client.write("x");
    await eventually(() => connection.received).toBe("partial");
    await eventually(() => connection.open).toBe(0);
    expect(connection.broken).toEqual([]);
  });

  test("the client's going: the origin's connection goes too", async () => {
    await using origin = await startTcpServer();
    await using connection = await connectThroughFaults(origin.port, [latency(20), latency(20, upstream)]);
    await eventually(() => origin.open.size).toBe(1);
    connection.client.resetAndDestroy();
    await eventually(() => [origin.open.size, connection.open]).toEqual([0, 0]);
    expect(connection.live.listeners).toBe(0);
  });

  test("the client's going while the origin's bytes are held back", async () => {
    await using origin = await startTcpServer((socket) => void socket.resume().write("hello"));
    await using connection = await connectThroughFaults(origin.port, [latency(3_600_000)]);
    await eventually(() => connection.taken).toBe(5);
    connection.client.resetAndDestroy();
    await eventually(() => [origin.open.size, connection.open]).toEqual([0, 0]);
    expect(connection.live.listeners).toBe(0);
  });

  test("an origin that answers and hangs up while it is written to is heard to the end", async () => {
    await using origin = await startTcpServer((socket) => {
      socket.once("data", () => socket.end("-ERR too many connections\r\n"));
      socket.pause();
      socket.resume();
    }, HALF_OPEN);
    await using connection = await connectThroughFaults(origin.port, [latency(20)]);
    connection.client.end(Buffer.alloc(1024 * 1024));
    await eventually(() => connection.ended).toBe("end");
    expect(connection.received).toBe("-ERR too many connections\r\n");
  });
});
