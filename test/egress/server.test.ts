import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { egressProxy } from "../../plugin/egress/server.ts";
import { FAILURE_HEADER, ORDER_HEADER, SECRET_HEADER } from "../../service-worker/routing/egress-protocol.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { ask, httpTo, openRaw, orderLines, tcpTo } from "./ask.ts";
import { testOn } from "../setup/only-on.ts";

const NO_SOCKET = "on Windows, it listens on a port and has no socket";
const SERVER = new URL("../../plugin/egress/server.ts", import.meta.url).href;

describe("the secret", () => {
  const wrongSecrets: [string, (secret: string) => string][] = [
    ["no secret", () => ""],
    ["a wrong secret", (secret) => `${SECRET_HEADER}: ${"x".repeat(secret.length)}\r\n`],
    ["too short a secret", (secret) => `${SECRET_HEADER}: ${secret.slice(1)}\r\n`],
    ["the secret and another", (secret) => `${SECRET_HEADER}: ${secret}\r\n${SECRET_HEADER}: x\r\n`],
  ];
  const requests: [string, string][] = [
    ["a request", "GET / HTTP/1.1\r\nHost: a\r\n"],
    ["an upload", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n"],
    ["an upgrade", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"],
    ["a CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n"],
  ];
  test.each(requests.flatMap(([what, head]) => wrongSecrets.map(([how, line]) => ({ what, how, head, line }))))(
    "$what with $how: 403 and nothing else",
    async ({ head, line }) => {
      await using target = await startTcpServer();
      const { secret } = await egressProxy();
      await using connection = await openRaw();
      const order = head.startsWith("CONNECT") ? tcpTo(target.port) : httpTo(target.port);
      connection.socket.write(`${head}${line(secret)}${ORDER_HEADER}: ${JSON.stringify(order)}\r\n\r\n`);
      await expect.poll(() => connection.isEnded).toBe(true);
      expect(connection.received).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
      expect(connection.received).toMatch(/\r\n\r\n$/);
      expect(connection.received).not.toContain(FAILURE_HEADER);
      expect(target.accepted).toBe(0);
    },
  );

  test("garbage gets no answer", async () => {
    await using connection = await openRaw();
    connection.socket.write("HELLO\r\n\r\n");
    await expect.poll(() => connection.isEnded).toBe(true);
    expect(connection.received).toBe("");
  });

  testOn("posix", NO_SOCKET, "only this user can open the socket and its directory", async () => {
    const { address } = await egressProxy();
    const file = address.slice("unix:".length);
    expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Buffer.byteLength(address)).toBeLessThan(104);
  });

  test("a process has one proxy", async () => {
    expect(await egressProxy()).toBe(await egressProxy());
  });
});

describe("orders that can't be executed", () => {
  test.each([
    ["an unknown method", "GROW / HTTP/1.1", httpTo(1), "http_request_error"],
    ["an order for tcp without CONNECT", "GET / HTTP/1.1", tcpTo(1), "proxy_internal_error"],
    ["an order for http with CONNECT", "CONNECT a:1 HTTP/1.1", httpTo(1), "proxy_internal_error"],
  ])("%s fails with a message", async (_, firstLine, order, code) => {
    await using connection = await openRaw();
    connection.socket.write(`${firstLine}\r\nHost: a\r\n${await orderLines(order)}\r\n`);
    await expect.poll(() => connection.received).toContain(`${FAILURE_HEADER}: {"code":"${code}"`);
  });

  test.each(["GET / HTTP/1.1", "CONNECT a:1 HTTP/1.1"])(
    "%s without an order fails with a message",
    async (firstLine) => {
      const { secret } = await egressProxy();
      await using connection = await openRaw();
      connection.socket.write(`${firstLine}\r\nHost: a\r\n${SECRET_HEADER}: ${secret}\r\n\r\n`);
      await expect.poll(() => connection.received).toContain("unreadable order");
    },
  );
});

/** Arguments for Node: start the proxy, print its address, then run `rest`. */
function script(rest: string): string[] {
  return [
    "--experimental-strip-types",
    "--no-warnings",
    "--input-type=module",
    "-e",
    `import { egressProxy } from ${JSON.stringify(SERVER)};
   const { address, secret } = await egressProxy();
   const directory = address.replace(/^unix:(.*)\\/.*$/, "$1");
   console.log(JSON.stringify({ address, directory, secret }));
   ${rest}`,
  ];
}

test("on Windows, it listens on loopback and requires the secret", async () => {
  await using origin = await startHttpOrigin(ok("done"));
  const order = JSON.stringify(httpTo(origin.port));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      // The code only checks this value; what it then does works on every platform.
      "--import=data:text/javascript,Object.defineProperty(process,'platform',{value:'win32'})",
      ...script(`
      const ask = async (presented) => {
        const headers = { ${JSON.stringify(SECRET_HEADER)}: presented, ${JSON.stringify(ORDER_HEADER)}: ${JSON.stringify(order)} };
        const response = await fetch("http://" + address, { headers });
        return [response.status, await response.text()];
      };
      console.log(JSON.stringify([await ask(secret), await ask("guessed"), await ask("")]));
      process.exit();
    `),
    ],
    { env: { ...process.env, TEMP: os.tmpdir() } },
  );
  const [started = "", answers = ""] = stdout.split("\n");
  expect(JSON.parse(started)).toMatchObject({ address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
  expect(JSON.parse(answers)).toEqual([
    [200, "done"],
    [403, ""],
    [403, ""],
  ]);
});

describe("the process", () => {
  testOn("posix", NO_SOCKET, "exits although a connection is in the pool, and leaves no files", async () => {
    await using origin = await startHttpOrigin(ok("done"));
    const order = JSON.stringify(httpTo(origin.port));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      script(`
        import http from "node:http";
        const headers = { ${JSON.stringify(SECRET_HEADER)}: secret, ${JSON.stringify(ORDER_HEADER)}: ${JSON.stringify(order)} };
        const agent = new http.Agent({ keepAlive: true });
        await new Promise((resolve) => {
          http.get({ socketPath: address.slice(5), headers, agent }, (response) => response.resume().on("end", resolve));
        });
      `),
    );
    expect(origin.accepted).toBe(1);
    const { directory } = JSON.parse(stdout) as { directory: string };
    expect(path.dirname(directory)).toBe(os.tmpdir());
    expect(existsSync(directory)).toBe(false);
  });

  testOn(
    "posix",
    NO_SOCKET,
    "the next process removes the directory of a killed one, and no other directory",
    async () => {
      const base = await mkdtemp(path.join(os.tmpdir(), "vpc-"));
      const env = { ...process.env, TMPDIR: base };
      const killed = spawn(process.execPath, script("setInterval(() => {}, 1000);"), {
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const living = spawn(process.execPath, script("setInterval(() => {}, 1000);"), {
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [[killedLine], [livingLine]] = await Promise.all([
        once(killed.stdout, "data"),
        once(living.stdout, "data"),
      ]);
      const left = (JSON.parse(String(killedLine)) as { directory: string }).directory;
      const alive = (JSON.parse(String(livingLine)) as { directory: string }).directory;
      const notOurs = path.join(base, "mvpc-notes");
      await mkdir(notOurs);
      await writeFile(path.join(notOurs, "kept"), "");
      killed.kill("SIGKILL");
      await once(killed, "exit");
      expect(existsSync(left)).toBe(true);

      await promisify(execFile)(process.execPath, script(""), { env });
      expect([left, alive, notOurs].map((directory) => existsSync(directory))).toEqual([false, true, true]);

      living.kill();
      await once(living, "exit");
      await rm(base, { recursive: true });
    },
  );
});

test("many requests, some of them aborted, leave no connection open", async () => {
  await using origin = await startHttpOrigin(ok("done"));
  await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      if (index % 2 === 0) return ask({ order: httpTo(origin.port) });
      await using connection = await openRaw();
      connection.socket.write(`POST / HTTP/1.1\r\n${await orderLines(httpTo(origin.port))}Content-Length: 9\r\n\r\nab`);
      return undefined;
    }),
  );
  // The pool keeps at most one for each complete request.
  await expect.poll(() => origin.open.size).toBeLessThanOrEqual(50);
  expect(origin.requests.length).toBe(50);
});
