import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { isOwnPort } from "../../plugin/egress/connections/own-port.ts";
import type { EgressOwnership } from "../../service-worker/routing/egress-protocol.ts";
import { closedPort, startTcpServer } from "../servers/tcp-server.ts";
import { ask } from "./ask.ts";
import { describeOn } from "../setup/only-on.ts";

async function isOwn(port: number): Promise<boolean> {
  const { body } = await ask({ order: { op: "ownership", port } });
  return (JSON.parse(body) as EgressOwnership).isOwn;
}

/** Listens, and prints its port and process id. It exits after a minute at the latest. */
const LISTEN = `
  const server = require("node:net").createServer();
  server.listen(0, process.argv[1], () => console.log(JSON.stringify([server.address().port, process.pid])));
  setTimeout(() => process.exit(), 60_000);
`;

interface Listener extends AsyncDisposable {
  port: number;
}

describeOn("posix", "Windows has neither /proc nor lsof, so the answer is always no", "a port", () => {
  let folder: string;
  /** A program named workerd that listens. The check looks at nothing else. */
  let workerd: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "vpc-own-"));
    workerd = path.join(folder, "workerd");
    await symlink(process.execPath, workerd);
  });
  afterAll(() => rm(folder, { recursive: true }));

  interface ListenerOptions {
    /** The command that starts it. Default: it is a child of this process. */
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

  test("a port of this process, or of a child that isn't workerd, is not ours", async () => {
    await using server = await startTcpServer();
    expect(await isOwn(server.port)).toBe(false);
    await using listener = await startListener({ program: process.execPath });
    expect(await isOwn(listener.port)).toBe(false);
  });

  test.each([
    ["a child", []],
    ["a grandchild", ["sh", "-c", '"$@"; exit 0', "sh"]],
  ])("the port of a workerd that is %s of this process is ours", async (_, via) => {
    await using listener = await startListener({ via });
    expect(await isOwn(listener.port)).toBe(true);
  });

  test.each(["0.0.0.0", "::1", "::"])("it is ours at %s", async (host) => {
    await using listener = await startListener({ host });
    expect(await isOwn(listener.port)).toBe(true);
  });

  test("the port of a workerd that isn't a descendant of this process is not ours", async () => {
    // The shell exits, so the process loses its parent.
    await using listener = await startListener({ via: ["sh", "-c", '"$@" & exit 0', "sh"] });
    await expect.poll(() => isOwn(listener.port), { timeout: 10_000 }).toBe(false);
  });

  test("simultaneous questions about a port share one look-up", async () => {
    await using listener = await startListener();
    const first = isOwnPort(listener.port);
    expect(isOwnPort(listener.port)).toBe(first);
    expect(await first).toBe(true);
    expect(isOwnPort(listener.port)).not.toBe(first);
  });

  test("a port where nobody listens is not ours", async () => {
    expect(await isOwn(await closedPort())).toBe(false);
  });

  test("the local port of a connection is not ours", async () => {
    await using server = await startTcpServer();
    const socket = net.connect(server.port, "127.0.0.1");
    await once(socket, "connect");
    expect(await isOwn(socket.localPort ?? 0)).toBe(false);
    socket.destroy();
  });
});
