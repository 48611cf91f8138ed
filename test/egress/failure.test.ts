import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { LookupFunction } from "node:net";
import os from "node:os";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { dial, probe } from "../../plugin/egress/connections/dial.ts";
import { classify } from "../../plugin/egress/egress-error.ts";
import {
  type EgressFailure,
  type EgressOrder,
  type EgressTcpTarget,
  FAILURE_HEADER,
} from "../../service-worker/routing/egress-protocol.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { closedPort, reset, startDeafServer, startTcpServer } from "../servers/tcp-server.ts";
import { pretend } from "../setup/platform.ts";
import { ask, httpTo, openRaw, orderLines, tcpTo } from "./ask.ts";
import { describeOn } from "../setup/only-on.ts";

/** @returns a target's failure, which must be the same for each of the three kinds of order */
async function failureOf(target: EgressTcpTarget, connectTimeout: number): Promise<EgressFailure | null | undefined> {
  const order = { target, limits: { connectTimeout, dnsTimeout: connectTimeout } };
  const [http, probed, tcp] = await Promise.all([
    ask({ order: { op: "http", ...order } }),
    ask({ order: { op: "probe", ...order } }),
    connectFailure({ op: "tcp", ...order }),
  ]);
  expect(http).toMatchObject({ status: 502, body: "" });
  expect(JSON.parse(probed.body)).toEqual({ failure: http.failure });
  expect(tcp).toEqual(http.failure);
  return http.failure;
}

async function connectFailure(order: EgressOrder): Promise<EgressFailure> {
  await using connection = await openRaw();
  connection.socket.write(`CONNECT egress:1 HTTP/1.1\r\nHost: egress:1\r\n${await orderLines(order)}\r\n`);
  await expect.poll(() => connection.isEnded, { timeout: 5000 }).toBe(true);
  const [statusLine, header = "", ...rest] = connection.received.split("\r\n");
  expect([statusLine, ...rest]).toEqual(["HTTP/1.1 502 Bad Gateway", "", ""]);
  expect(header).toContain(`${FAILURE_HEADER}: `);
  return JSON.parse(header.slice(FAILURE_HEADER.length + 2)) as EgressFailure;
}

describe("no connection: http, probe and tcp report the same failure", () => {
  test("nobody listens", async () => {
    const port = await closedPort();
    const failure = await failureOf({ type: "address", host: "127.0.0.1", port }, 5000);
    expect(failure).toEqual({ code: "connection_refused", detail: `connect ECONNREFUSED 127.0.0.1:${port}` });
  });

  test("no answer within the time limit", async () => {
    await using deaf = await startDeafServer();
    const failure = await failureOf({ type: "address", host: "127.0.0.1", port: deaf.port }, 150);
    const detail = `no connection to 127.0.0.1 port ${deaf.port} within 150 ms`;
    expect(failure).toEqual({ code: "connection_timeout", detail });
  });

  test("a name that does not exist (RFC 6761 §6.4)", async () => {
    const failure = await failureOf({ type: "address", host: "nowhere.invalid", port: 80 }, 5000);
    expect(failure).toEqual({
      code: "dns_error",
      detail: expect.stringMatching(/this machine's resolver.*/),
      hint: expect.any(String),
    });
    expect(failure?.detail).toContain("nowhere.invalid");
  });

  describeOn("posix", "Windows has named pipes, which are no files", "a unix socket", () => {
    test.each(["none", "file"])("that doesn't exist or isn't a socket: %s", async (fileName) => {
      const directory = await mkdtemp(path.join(os.tmpdir(), "vpc-"));
      await writeFile(path.join(directory, "file"), "");
      const socketPath = path.join(directory, fileName);
      const failure = await failureOf({ type: "unix", path: socketPath }, 5000);
      expect(failure).toEqual({ code: "connection_refused", detail: expect.stringContaining(socketPath) });
      await rm(directory, { recursive: true });
    });
  });
});

describe("a connection but no response", () => {
  test("reset", async () => {
    await using target = await startTcpServer(reset);
    const { failure, status } = await ask({ order: httpTo(target.port) });
    expect({ failure, status }).toEqual({
      status: 502,
      failure: { code: "connection_terminated", detail: expect.any(String) },
    });
  });

  test.each([
    ["closed without a byte", "", "connection_terminated"],
    ["closed in the middle of a head", "HTTP/1.1 200 OK\r\nX: ", "http_response_incomplete"],
    ["another protocol", "SSH-2.0-OpenSSH_9.9\r\n", "http_protocol_error"],
    ["an invalid status", "HTTP/1.1 007 Bond\r\nContent-Length: 0\r\n\r\n", "http_protocol_error"],
    [
      "an upgrade without a request for it",
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
      "http_protocol_error",
    ],
  ])("%s", async (_, bytes, code) => {
    await using target = await startTcpServer((socket) => void socket.once("data", () => socket.end(bytes)));
    expect((await ask({ order: httpTo(target.port) })).failure?.code).toBe(code);
    // The same during an upload.
    expect((await ask({ order: httpTo(target.port), method: "POST", body: "x".repeat(500_000) })).failure?.code).toBe(
      code,
    );
    await expect.poll(() => target.open.size).toBe(0);
  });

  test("a probe of a target that accepts reports no failure and closes its connection", async () => {
    await using target = await startTcpServer();
    expect((await ask({ order: { ...tcpTo(target.port), op: "probe" } })).body).toBe('{"failure":null}');
    await expect.poll(() => target.accepted === 1 && target.open.size === 0).toBe(true);
  });

  test("the connection to the proxy can be used for the next request", async () => {
    await using origin = await startHttpOrigin(ok("next"));
    await using connection = await openRaw();
    connection.socket.write(`GET / HTTP/1.1\r\n${await orderLines(httpTo(await closedPort()))}Host: a\r\n\r\n`);
    await expect.poll(() => connection.received).toContain("connection_refused");
    connection.socket.write(`GET / HTTP/1.1\r\n${await orderLines(httpTo(origin.port))}Host: a\r\n\r\n`);
    await expect.poll(() => connection.received).toContain("next");
  });
});

function lookup(...addresses: string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  return (_, __, callback) => callback(null, found);
}

describe("dial", () => {
  test.each(["127.0.0.1", "::1"])(
    "if a name has addresses of both families, the one where the server listens is used: %s",
    async (host) => {
      await using target = await startTcpServer(undefined, { host });
      const name = { type: "address", host: "both.internal", port: target.port } as const;
      for (const addresses of [
        ["127.0.0.1", "::1"],
        ["::1", "127.0.0.1"],
      ]) {
        const socket = dial(name, { limits: { connectTimeout: 5000, dnsTimeout: 5000 }, lookup: lookup(...addresses) });
        await once(socket, "connect");
        socket.destroy();
      }
      expect(target.accepted).toBe(2);
    },
  );

  test("if the server listens on neither, the message names both", async () => {
    const port = await closedPort();
    const target = { type: "address", host: "both.internal", port } as const;
    expect(
      await probe(target, { limits: { connectTimeout: 5000, dnsTimeout: 5000 }, lookup: lookup("::1", "127.0.0.1") }),
    ).toEqual({
      code: "connection_refused",
      detail: `connect ECONNREFUSED ::1:${port}, connect ECONNREFUSED 127.0.0.1:${port}`,
    });
  });

  test("name servers have their own time limit", async () => {
    const target = { type: "address", host: "slow.internal", port: 1 } as const;
    expect(await probe(target, { limits: { connectTimeout: 5000, dnsTimeout: 50 }, lookup: () => {} })).toEqual({
      code: "dns_timeout",
      detail: "no name server answered for slow.internal port 1 within 50 ms",
    });
  });
});

const ELSEWHERE = "Check that the host is up and that this machine is in its network, for example over a VPN.";

test.each<[systemCode: string, platform: NodeJS.Platform, hint: string]>([
  ["ENETUNREACH", "linux", ELSEWHERE],
  ["EHOSTUNREACH", "linux", ELSEWHERE],
  ["ENETDOWN", "win32", ELSEWHERE],
  ...["EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH"].map((code): [string, NodeJS.Platform, string] => [
    code,
    "darwin",
    `${ELSEWHERE} If it is in your local network, your terminal also needs the permission: System Settings > Privacy & Security > Local Network.`,
  ]),
])("%s is reported as destination_ip_unroutable, with what may be the cause on %s", (systemCode, platform, hint) => {
  using _ = pretend(platform);
  const error = Object.assign(new Error(`connect ${systemCode} 192.168.1.9:80`), { code: systemCode });
  expect(classify(error)).toEqual({
    code: "destination_ip_unroutable",
    detail: `this machine can't reach the target: connect ${systemCode} 192.168.1.9:80`,
    hint,
  });
});

test.each([
  ["EPIPE", "connection_terminated"],
  ["EMFILE", "connection_limit_reached"],
  ["EWHATEVER", "proxy_internal_error"],
])("%s is reported as %s", (systemCode, code) => {
  expect(classify(Object.assign(new Error("words"), { code: systemCode }))).toEqual({ code, detail: "words" });
});

test.each(["EACCES", "EPERM"])("%s is not reported as connection_refused", (code) => {
  const error = Object.assign(new Error(`connect ${code} /run/a.sock`), { code, syscall: "connect" });
  expect(classify(error)).toEqual({
    code: "destination_unavailable",
    detail: `this user isn't allowed to connect to the target: connect ${code} /run/a.sock`,
    hint: expect.stringContaining("permissions"),
  });
});
