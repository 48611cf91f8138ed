/** `check --probe` against real servers. */

import { writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, test } from "vitest";

import { startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { makeAuthority, selfSign } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { SERVICE_ID, TUNNEL_ID } from "../vpc-folder.ts";
import { type CallFolder, createCallFolder } from "./call.ts";

const WRANGLER = JSON.stringify({
  name: "api",
  vpc_services: [{ binding: "USERS", service_id: SERVICE_ID }],
  vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL_ID }],
});

/** With times replaced, for they differ. */
async function probe(vpc: CallFolder, line = "check --probe"): Promise<{ exit: unknown; out: string[] }> {
  const { exit, out } = await vpc.call(line);
  return { exit, out: out.map((text) => text.replace(/ +\d+ ms/, " N ms")) };
}

async function closedPort(): Promise<number> {
  await using server = await startTcpServer();
  return server.port;
}

test("every target, its status and its certificate", async () => {
  process.env["CAROOT"] = "/none";
  const root = makeAuthority("Test root");
  const expires = new Date(Date.UTC(2040, 0, 2));
  await using plain = await startHttpOrigin("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  await using secure = await startTlsOrigin({
    ...root.issue("secure.internal", { names: ["secure.internal"], notAfter: expires }),
    answer: "HTTP/1.1 204 No Content\r\n\r\n",
  });
  await using untrusted = await startTlsOrigin(selfSign("untrusted.internal", { notAfter: expires }));
  await using tcp = await startTcpServer();
  await using mute = await startTcpServer((socket) => void socket.end());
  const closed = await closedPort();
  await using vpc = await createCallFolder({
    "wrangler.json": WRANGLER,
    "vpc.json": `{
  "ca": ["root.pem"],
  "services": { "USERS": "http://127.0.0.1:${plain.port}" },
  "networks": { "NET": { "connectTimeout": 1000, "routes": {
    "secure.internal": "https://127.0.0.1:${secure.port}",
    "untrusted.internal": "https://127.0.0.1:${untrusted.port}",
    "tcp.internal": "127.0.0.1:${tcp.port}",
    "twice.internal": "127.0.0.1:${plain.port}",
    "mute.internal": "http://127.0.0.1:${mute.port}",
    "closed.internal": "127.0.0.1:${closed}",
    "socket.internal": "unix:gone.sock",
    "127.0.0.1:${tcp.port}": "passthrough",
    "kept.internal": "localhost",
    "10.0.0.0/8": "passthrough",
    "worker.internal": "worker:api",
    "denied.internal": { "deny": "dns_error" }
  } } }
}`,
  });
  await writeFile(path.join(vpc.folder, "root.pem"), root.cert);
  const { exit, out } = await probe(vpc);
  expect(exit).toBe(1);
  expect(out.slice(0, 3)).toEqual(["No problems in wrangler.json, vpc.json.", "", "targets"]);
  const lines = out.slice(3, -1).map((line) => line.trim().replace(/ {2,}/g, "  "));
  expect(lines.toSorted()).toEqual(
    [
      `http://127.0.0.1:${plain.port}  open N ms  HTTP 404  (FOLDER/vpc.json:3:17 and 1 more)`,
      `https://127.0.0.1:${secure.port}  open N ms  HTTP 204, certificate of secure.internal, expires 2040-01-02  (FOLDER/vpc.json:5:5)`,
      `https://127.0.0.1:${untrusted.port}  failed N ms  the target's certificate is self-signed and not trusted here, certificate of untrusted.internal, expires 2040-01-02  (FOLDER/vpc.json:6:5)`,
      `127.0.0.1:${tcp.port}  open N ms  (FOLDER/vpc.json:7:5 and 1 more)`,
      `http://127.0.0.1:${mute.port}  open N ms  socket hang up  (FOLDER/vpc.json:9:5)`,
      `127.0.0.1:${closed}  refused N ms  connect ECONNREFUSED 127.0.0.1:${closed}  (FOLDER/vpc.json:10:5)`,
      `unix:FOLDER/gone.sock  refused N ms  connect ENOENT FOLDER/gone.sock  (FOLDER/vpc.json:11:5)`,
    ].toSorted(),
  );
  expect(out.at(-1)).toBe("Without an answer: 3 of 7.");
  expect(plain.requests).toEqual([`HEAD / HTTP/1.1\r\nhost: 127.0.0.1\r\nConnection: close\r\n\r\n`]);
  expect(secure.handshakes.map(({ serverName }) => serverName)).toEqual(["secure.internal"]);
});

test("all answer; a record's only scheme is known, progress is told", async () => {
  await using plain = await startHttpOrigin("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  await using vpc = await createCallFolder({
    "wrangler.json": WRANGLER,
    "vpc.json": `{
  "services": { "USERS": { "name": "users", "type": "http", "http_port": 8080,
    "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } } } },
  "networks": { "${TUNNEL_ID}": { "routes": { "users.internal": "127.0.0.1:${plain.port}" } } }
}`,
  });
  const progress: string[] = [];
  const { exit, out } = await vpc.call("check --probe", { onProgress: (text) => progress.push(text) });
  expect(exit).toBe(0);
  expect(out.at(-2)).toMatch(/^ {4}http:\/\/127\.0\.0\.1:\d+ {2}open {7}\d+ ms {2}HTTP 200 {2}\(/);
  expect(out.at(-1)).toBe("Every target answers.");
  expect(plain.requests[0]).toMatch(/^HEAD \/ .*\r\nhost: users\.internal\r\n/);
  expect(progress).toEqual(["dialling targets: 0 of 1", "dialling targets: 1 of 1", ""]);
});

test("one that never answers is given up", async () => {
  await using silent = await startTcpServer();
  await using vpc = await createCallFolder({
    "wrangler.json": WRANGLER,
    "vpc.json": `{ "connectTimeout": 100, "services": { "USERS": "https://127.0.0.1:${silent.port}" }, "networks": { "NET": {} } }`,
  });
  expect(await probe(vpc)).toEqual({
    exit: 1,
    out: [
      "No problems in wrangler.json, vpc.json.",
      "",
      "targets",
      `    https://127.0.0.1:${silent.port}  timed out N ms  no TLS handshake with 127.0.0.1 port ${silent.port} within 100 ms  (FOLDER/vpc.json:1:40)`,
      "Without an answer: 1 of 1.",
    ],
  });
});

test("what does not answer is an annotation, and JSON", async () => {
  const closed = await closedPort();
  await using vpc = await createCallFolder({
    "wrangler.json": WRANGLER,
    "vpc.json": `{ "services": { "USERS": "127.0.0.1:${closed}" }, "networks": { "NET": {} } }`,
  });
  const github = await probe(vpc, "check --probe --format github");
  expect(github).toEqual({
    exit: 1,
    out: [
      `::error file=vpc.json,line=1,col=17,title=target-does-not-answer::the target 127.0.0.1:${closed} does not answer: connect ECONNREFUSED 127.0.0.1:${closed}%0AStart the service, or change the target if it listens elsewhere.`,
      "No problems in wrangler.json, vpc.json.",
    ],
  });
  const { out } = await vpc.call("check --probe --json");
  expect(JSON.parse(out.join("\n"))).toEqual({
    errors: 0,
    warnings: 0,
    diagnostics: [],
    targets: [
      {
        target: `127.0.0.1:${closed}`,
        origins: ["FOLDER/vpc.json:1:17"],
        time: expect.any(Number) as number,
        outcome: {
          state: "refused",
          code: "connection_refused",
          detail: `connect ECONNREFUSED 127.0.0.1:${closed}`,
        },
      },
    ],
  });
});

test("nothing to dial", async () => {
  await using vpc = await createCallFolder({
    "wrangler.json": WRANGLER,
    "vpc.json": `{ "services": { "USERS": "worker:api" }, "networks": { "NET": { "routes": { "*.internal": "localhost" } } } }`,
  });
  expect((await probe(vpc)).out).toEqual([
    "No problems in wrangler.json, vpc.json.",
    "",
    "There is no target to dial: none is an address or a Unix socket that is known beforehand.",
  ]);
});
