/** The sockets of lanes: when they listen, and when they are gone. */

import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { once } from "node:events";
import net from "node:net";
import os from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { createLanes } from "../../plugin/egress/lanes.ts";
import { echo, startTcpServer } from "../servers/tcp-server.ts";
import { describeOn } from "../setup/only-on.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "vpc-lanes-"));
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const LIMITS = { connectTimeout: 1000, dnsTimeout: 1000 };

function goal(feedId: string, port: number): Parameters<ReturnType<typeof createLanes>["assign"]>[0] {
  return { op: "lane", feedId, target: { type: "address", host: "127.0.0.1", port }, limits: LIMITS };
}

test("on Windows there are none", async () => {
  vi.spyOn(process, "platform", "get").mockReturnValue("win32");
  const lanes = createLanes(folder);
  expect(lanes.open("feed").addresses.size).toBe(0);
  expect(await lanes.assign(goal("feed", 1))).toBeNull();
});

describeOn("posix", "a lane is a Unix socket", "lanes", () => {
  test("nothing listens before a target is assigned, and a target has one lane of each session", async () => {
    await using target = await startTcpServer(echo);
    const lanes = createLanes(folder);
    const one = lanes.open("one");
    const other = lanes.open("other");
    expect(readdirSync(folder)).toEqual([]);
    const [first, again] = await Promise.all([
      lanes.assign(goal("one", target.port)),
      lanes.assign(goal("one", target.port)),
    ]);
    expect(again).toEqual(first);
    expect(readdirSync(folder)).toHaveLength(1);
    const elsewhere = await lanes.assign(goal("other", target.port));
    expect(elsewhere?.token).not.toBe(first?.token);
    expect(readdirSync(folder)).toHaveLength(2);
    expect(await lanes.assign(goal("unknown", target.port))).toBeNull();
    one.close();
    other.close();
  });

  test("a lane whose socket can't be opened is tried again", async () => {
    await using target = await startTcpServer(echo);
    const lanes = createLanes(path.join(folder, "gone"));
    const session = lanes.open("feed");
    const ask = (): ReturnType<typeof lanes.assign> => lanes.assign(goal("feed", target.port));
    // More often than there are lanes.
    for (let times = 0; times < 40; times++) expect(await Promise.all([ask(), ask()])).toEqual([null, null]);
    await mkdir(path.join(folder, "gone"));
    const lane = await ask();
    const connection = net.connect(session.addresses.get(lane!.laneName)!.slice("unix:".length));
    connection.write("a");
    expect(String(await once(connection, "data"))).toBe("a");
    connection.destroy();
    session.close();
  });

  test("a closed session assigns none, its sockets are gone soon, and open connections go on", async () => {
    await using target = await startTcpServer(echo);
    const lanes = createLanes(folder);
    const session = lanes.open("feed");
    const lane = await lanes.assign(goal("feed", target.port));
    const socketPath = session.addresses.get(lane!.laneName)!.slice("unix:".length);
    const connection = net.connect(socketPath);
    connection.write("a");
    expect(String(await once(connection, "data"))).toBe("a");
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    session.close();
    expect(await lanes.assign(goal("feed", target.port))).toBeNull();
    // The runtime may go on for a moment.
    expect(existsSync(socketPath)).toBe(true);
    vi.runAllTimers();
    vi.useRealTimers();
    await vi.waitFor(() => expect(existsSync(socketPath)).toBe(false));
    connection.write("b");
    expect(String(await once(connection, "data"))).toBe("b");
    connection.destroy();
    await vi.waitFor(() => expect(target.open.size).toBe(0));
  });

  test("a target that can't be reached closes a connection that nobody has asked anything on", async () => {
    const target = await startTcpServer();
    const { port } = target;
    await target[Symbol.asyncDispose]();
    const lanes = createLanes(folder);
    const session = lanes.open("feed");
    const lane = await lanes.assign(goal("feed", port));
    const socketPath = session.addresses.get(lane!.laneName)!.slice("unix:".length);
    const connection = net.connect(socketPath);
    connection.resume();
    await once(connection, "close");
    expect(connection.bytesRead).toBe(0);
    session.close();
  });
});
