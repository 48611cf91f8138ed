import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";

import { expect, test } from "vitest";

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
  server.listen(0, "127.0.0.1", () => console.log(JSON.stringify([server.address().port, process.pid])));
  setTimeout(() => process.exit(), 60_000);
`;

interface Listener extends AsyncDisposable {
  port: number;
}

/** @param via arguments of what is to start it; without them it is a child of this process */
async function startListener(via: string[] = []): Promise<Listener> {
  const [command, ...args] = [...via, process.execPath, "-e", LISTEN];
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

test.each(["127.0.0.1", "0.0.0.0", "::1", "::"])("this process at %s", async (host) => {
  await using server = await startTcpServer(undefined, { host });
  expect(await isOwn(server.port)).toBe(true);
});

test.each([
  ["a child", []],
  ["a grandchild", ["sh", "-c", '"$@"; exit 0', "sh"]],
])("%s of this process, as workerd is", async (_, via) => {
  await using listener = await startListener(via);
  expect(await isOwn(listener.port)).toBe(true);
});

test("a process that is no descendant", async () => {
  // The shell is gone by the time the process listens, or soon after.
  await using listener = await startListener(["sh", "-c", '"$@" & exit 0', "sh"]);
  await expect.poll(() => isOwn(listener.port)).toBe(false);
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
