import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { isOwnPort } from "../../plugin/egress/own-ports.ts";
import type { EgressOwnership } from "../../service-worker/egress-protocol.ts";
import { closedPort, startTcpServer } from "../servers/tcp-server.ts";
import { ask } from "./ask.ts";

async function isOwn(port: number): Promise<boolean> {
  const { body } = await ask({ order: { op: "ownership", port } });
  return (JSON.parse(body) as EgressOwnership).isOwn;
}

/** Listens, and prints its port and process id. At the latest after a minute it is gone. */
const LISTEN = `
  const server = require("node:net").createServer();
  server.listen(0, process.argv[1], () => console.log(JSON.stringify([server.address().port, process.pid])));
  setTimeout(() => process.exit(), 60_000);
`;

interface Listener extends AsyncDisposable {
  port: number;
}

let folder: string;
/** A program of that name that listens, which is all that is looked at. */
let workerd: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "vpc-own-"));
  workerd = path.join(folder, "workerd");
  await symlink(process.execPath, workerd);
});
afterAll(() => rm(folder, { recursive: true }));

interface ListenerOptions {
  /** Arguments of what is to start it; without them it is a child of this process. */
  via?: string[];
  program?: string;
  host?: string;
}

async function startListener({
  via = [],
  program = workerd,
  host = "127.0.0.1",
}: ListenerOptions = {}): Promise<Listener> {
  const [command, ...args] = [...via, program, "-e", LISTEN, host];
  const { stdout } = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = (await once(stdout, "data")) as [Buffer];
  const [port, pid] = JSON.parse(String(line)) as [number, number];
  return {
    port,
    async [Symbol.asyncDispose]() {
      process.kill(pid);
      await once(stdout.resume(), "end");
    },
  };
}

test("a private service that this process plays, or has started, is none", async () => {
  await using server = await startTcpServer();
  expect(await isOwn(server.port)).toBe(false);
  await using listener = await startListener({ program: process.execPath });
  expect(await isOwn(listener.port)).toBe(false);
});

test.each([
  ["a child", []],
  ["a grandchild", ["sh", "-c", '"$@"; exit 0', "sh"]],
])("%s of this process, as workerd is", async (_, via) => {
  await using listener = await startListener({ via });
  expect(await isOwn(listener.port)).toBe(true);
});

test.each(["0.0.0.0", "::1", "::"])("at %s, too", async (host) => {
  await using listener = await startListener({ host });
  expect(await isOwn(listener.port)).toBe(true);
});

test("a process that is no descendant", async () => {
  // The shell is gone by the time the process listens, or soon after.
  await using listener = await startListener({ via: ["sh", "-c", '"$@" & exit 0', "sh"] });
  await expect.poll(() => isOwn(listener.port), { timeout: 10_000 }).toBe(false);
});

test("asked again and again meanwhile, it looks once", async () => {
  await using listener = await startListener();
  const first = isOwnPort(listener.port);
  expect(isOwnPort(listener.port)).toBe(first);
  expect(await first).toBe(true);
  expect(isOwnPort(listener.port)).not.toBe(first);
});

test("nobody", async () => {
  expect(await isOwn(await closedPort())).toBe(false);
});

test("a connection from a port is no listener at it", async () => {
  await using server = await startTcpServer();
  const socket = net.connect(server.port, "127.0.0.1");
  await once(socket, "connect");
  expect(await isOwn(socket.localPort ?? 0)).toBe(false);
  socket.destroy();
});
