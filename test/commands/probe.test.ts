/** `check --probe` against real servers. */

import { writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";

import { expect, test } from "vitest";

import { startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { makeAuthority, selfSign } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { SERVICE_ID, TUNNEL_ID } from "../setup/vpc-folder.ts";
import { type CallFolder, createCallFolder } from "./call.ts";
import { testOn } from "../setup/only-on.ts";

const WRANGLER = JSON.stringify({
  name: "api",
  vpc_services: [{ binding: "USERS", service_id: SERVICE_ID }],
  vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL_ID }],
});

/** Replaces the times, because they differ. */
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
      `http://127.0.0.1:${plain.port}  open N ms  HTTP 404  (FOLDER/vpc.json:3:17)`,
      `127.0.0.1:${plain.port}  open N ms  TCP only  (FOLDER/vpc.json:8:5)`,
      `https://127.0.0.1:${secure.port}  open N ms  HTTP 204, certificate of secure.internal, expires 2040-01-02  (FOLDER/vpc.json:5:5)`,
      `https://127.0.0.1:${untrusted.port}  failed N ms  the target's certificate is self-signed and not trusted here, certificate of untrusted.internal, expires 2040-01-02  (FOLDER/vpc.json:6:5)`,
      `127.0.0.1:${tcp.port}  open N ms  TCP only  (FOLDER/vpc.json:7:5 and 1 more)`,
      `http://127.0.0.1:${mute.port}  failed N ms  it accepted the connection and closed it without an answer to HEAD /  (FOLDER/vpc.json:9:5)`,
      `127.0.0.1:${closed}  refused N ms  connect ECONNREFUSED 127.0.0.1:${closed}  (FOLDER/vpc.json:10:5)`,
    ].toSorted(),
  );
  expect(out.at(-1)).toBe("No answer from 3 of 7 targets.");
  expect(plain.requests).toEqual([`HEAD / HTTP/1.1\r\nhost: 127.0.0.1\r\nConnection: close\r\n\r\n`]);
  expect(secure.handshakes.map(({ serverName }) => serverName)).toEqual(["secure.internal"]);
});

testOn("posix", "Windows has named pipes only", "a Unix socket that does not exist is refused", async () => {
  const networks = { NET: { routes: { "socket.internal": "unix:gone.sock" } } };
  await using vpc = await createCallFolder({ "wrangler.json": WRANGLER, "vpc.json": JSON.stringify({ networks }) });
  expect((await probe(vpc)).out.at(-2)?.trim().replace(/ {2,}/g, "  ")).toBe(
    "unix:FOLDER/gone.sock  refused N ms  connect ENOENT FOLDER/gone.sock  (FOLDER/vpc.json:1:31)",
  );
});

const GARBAGE = Buffer.from([0x4a, 0, 0, 0, 10]);

test.each<[what: string, scheme: string, serve: (socket: net.Socket) => void, state: string, words: string]>([
  [
    "SSH",
    "http://",
    (socket) => socket.write("SSH-2.0-OpenSSH_9.2p1\r\n"),
    "failed",
    'it does not speak HTTP: it sends "SSH-2.0-OpenSSH_9.2p1"',
  ],
  ["binary", "http://", (socket) => socket.write(GARBAGE), "failed", "it does not speak HTTP"],
  [
    "a broken response",
    "http://",
    onRequest("HTTP/1.1 999999 OK\r\n\r\n"),
    "failed",
    "its answer to HEAD / is not valid HTTP: ",
  ],
  [
    "a closed connection",
    "http://",
    onRequest(""),
    "failed",
    "it accepted the connection and closed it without an answer to HEAD /",
  ],
  [
    "a reset",
    "http://",
    (socket) => socket.once("data", () => socket.resetAndDestroy()),
    "failed",
    "it accepted the connection and closed it without an answer to HEAD /",
  ],
  [
    "half a head",
    "http://",
    onRequest("HTTP/1.1 200 OK\r\nCont"),
    "failed",
    "the connection closed after 21 bytes, in the middle of the response's head",
  ],
  [
    "silence",
    "http://",
    (socket) => void socket.resume(),
    "timed out",
    "it accepted the connection, but did not answer HEAD / within 500 ms",
  ],
  ["SSH", "https://", (socket) => socket.write("SSH-2.0-OpenSSH_9.2p1\r\n"), "failed", "the target's answer isn't TLS"],
  [
    "plain HTTP",
    "https://",
    onRequest("HTTP/1.1 400 Bad Request\r\n\r\n"),
    "failed",
    'it speaks plain HTTP, not TLS; write "http://127.0.0.1:',
  ],
  [
    "plain HTTP that waits for a whole request",
    "https://",
    onRequest("HTTP/1.1 204 No Content\r\n\r\n", /HEAD/),
    "timed out",
    'it speaks plain HTTP, not TLS; write "http://127.0.0.1:',
  ],
  [
    "a connection that is closed at once",
    "",
    (socket) => void socket.end(),
    "failed",
    "it accepted the connection and closed it at once, without sending a byte",
  ],
  ["a greeting and a closed connection", "", (socket) => void socket.end("too many connections"), "open", ""],
])("the server answers with %s, and the target begins with %j", async (_what, scheme, serve, state, words) => {
  await using server = await startTcpServer(serve);
  await using vpc = await createCallFolder({
    "wrangler.json": WRANGLER,
    "vpc.json": `{ "connectTimeout": 500, "services": { "USERS": "${scheme}127.0.0.1:${server.port}" }, "networks": { "NET": {} } }`,
  });
  const { exit, out } = await probe(vpc);
  expect(exit).toBe(state === "open" ? 0 : 1);
  expect(out[3]).toContain(`    ${scheme}127.0.0.1:${server.port}  ${state} N ms  ${words}`);
  expect(out.at(-1)).toBe(state === "open" ? "Every target answers." : "No answer from 1 of 1 targets.");
});

function onRequest(answer: string, wanted = /(?:)/): (socket: net.Socket) => void {
  return (socket) =>
    void socket.on("data", (chunk) => {
      if (wanted.test(chunk.toString("latin1"))) socket.end(answer);
    });
}

test.each(["the server closes the connection", "the server answers 400"])(
  "an http:// target is a TLS server: %s",
  async (which) => {
    await using secure = await startTlsOrigin(selfSign("users.internal"));
    await using front = await startTcpServer((socket) => {
      socket.once("data", (first) => {
        if (first[0] !== 0x16) {
          socket.end("HTTP/1.0 400 Bad Request\r\n\r\n");
          return;
        }
        const onward = net.connect(secure.port, "127.0.0.1");
        onward.on("error", () => socket.destroy());
        onward.write(first);
        socket.pipe(onward).pipe(socket);
      });
    });
    const { port } = which.endsWith("400") ? front : secure;
    await using vpc = await createCallFolder({
      "wrangler.json": WRANGLER,
      "vpc.json": `{ "services": { "USERS": "http://127.0.0.1:${port}" }, "networks": { "NET": {} } }`,
    });
    const { exit, out } = await probe(vpc, "check --probe --format github");
    expect(exit).toBe(1);
    expect(out[0]).toContain(
      `::the target http://127.0.0.1:${port} does not answer: it speaks TLS, not plain HTTP; write "https://127.0.0.1:${port}"%0ACorrect the target, or the service that listens there.`,
    );
  },
);

test("a target is probed with the settings of the route that leads to it, and once for each way of checking it", async () => {
  process.env["CAROOT"] = "/none";
  const corp = makeAuthority("Corporate root");
  const names = ["a.internal", "b.internal", "users.internal"];
  const answer = "HTTP/1.1 204 No Content\r\n\r\n";
  await using origin = await startTlsOrigin({ ...corp.issue("corp.internal", { names }), answer });
  await using served = await startTlsOrigin({ ...corp.issue("served.internal", { names }), answer });
  await using silent = await startTcpServer();
  const target = `https://127.0.0.1:${origin.port}`;
  await using vpc = await createCallFolder({
    "wrangler.json": WRANGLER,
    "corp.pem": corp.cert,
    "vpc.json": `{
  "services": { "USERS": { "name": "users", "type": "http", "https_port": 443,
    "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } } } },
  "networks": { "NET": { "routes": {
    "a.internal": "${target}",
    "b.internal": { "target": "${target}", "ca": ["corp.pem"] },
    "b.internal:1": { "target": "${target}", "ca": ["corp.pem"], "readTimeout": 5000 },
    "c.internal": { "target": "${target}", "tls_settings": { "cert_verification_mode": "disabled" } },
    "users.internal": { "target": "127.0.0.1:${served.port}", "ca": ["corp.pem"] },
    "silent.internal": { "target": "http://127.0.0.1:${silent.port}", "readTimeout": 100 }
  } } }
}`,
  });
  const { exit, out } = await probe(vpc);
  expect(exit).toBe(1);
  const lines = out
    .slice(3, -1)
    .map((line) => line.trim().replace(/(127.*?), certificate of (\w+).*, expires \S+/, "$1, $2"));
  expect(lines.map((line) => line.replaceAll(/ {2,}/g, "  ")).toSorted()).toEqual(
    [
      `${target}  failed N ms  the target's certificate was issued by "Corporate root", and no trusted root vouches for it, corp  (FOLDER/vpc.json:5:5)`,
      `${target}  open N ms  HTTP 204, corp  (FOLDER/vpc.json:6:5 and 1 more)`,
      `${target}  open N ms  HTTP 204, corp  (FOLDER/vpc.json:8:5)`,
      `https://127.0.0.1:${served.port}  open N ms  HTTP 204, served  (FOLDER/vpc.json:2:17)`,
      `127.0.0.1:${served.port}  open N ms  TCP only  (FOLDER/vpc.json:9:5)`,
      `http://127.0.0.1:${silent.port}  timed out N ms  it accepted the connection, but did not answer HEAD / within 100 ms  (FOLDER/vpc.json:10:5)`,
    ].toSorted(),
  );
  expect(out.at(-1)).toBe("No answer from 2 of 6 targets.");
});

test.each(["TLSv1.2", "TLSv1.3"] as const)(
  "a target that requires a client certificate, with the right one, another one and none: %s",
  async (maxVersion) => {
    process.env["CAROOT"] = "/none";
    const corp = makeAuthority("Corporate root");
    const [right, wrong] = [corp.issue("app"), makeAuthority("Stranger").issue("mallory")];
    const answer = "HTTP/1.1 204 No Content\r\n\r\n";
    const mutual = { ca: corp.cert, requestCert: true, rejectUnauthorized: true, answer, maxVersion };
    await using origin = await startTlsOrigin({ ...corp.issue("corp.internal"), ...mutual });
    const ids = ["b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f", "c1e5f4a3-0d9c-4e8b-9f70-2b3c4d5e6f70", null];
    const names = ["RIGHT", "WRONG", "NONE"];
    await using vpc = await createCallFolder({
      "wrangler.json": JSON.stringify({
        name: "api",
        vpc_services: names.map((binding) => ({ binding, service_id: binding })),
      }),
      "right.pem": right.cert + right.key,
      "wrong.pem": wrong.cert + wrong.key,
      "vpc.json": JSON.stringify({
        certificates: {
          [String(ids[0])]: { cert: "right.pem", key: "right.pem" },
          [String(ids[1])]: { cert: "wrong.pem", key: "wrong.pem" },
        },
        services: Object.fromEntries(
          names.map((name, index) => [
            name,
            {
              // Without a scheme, the settings say that TLS matters.
              target: `127.0.0.1:${origin.port}`,
              tls_settings: { cert_verification_mode: "disabled", client_certificate: ids[index] },
            },
          ]),
        ),
      }),
    });
    const { exit, out } = await probe(vpc);
    expect(exit).toBe(1);
    const outcomes = out.filter((line) => line.includes("127.0.0.1")).map((line) => line.trim().replace(/^\S+ +/, ""));
    expect(outcomes).toEqual([
      expect.stringMatching(/^open +N ms  HTTP 204, certificate of corp\.internal, /),
      expect.stringMatching(
        /^failed +N ms  (?:it accepted the connection and closed it without an answer to HEAD \/|the target closed the connection before it answered); it may have refused the client certificate .*wrong\.pem(?:, certificate of |  \()/,
      ),
      expect.stringMatching(/^failed +N ms  the target requires a client certificate(?:, certificate of |  \()/),
    ]);
  },
);

test("all targets answer; a record with one port determines the scheme; progress is reported", async () => {
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
  expect(out.at(-3)).toMatch(/^ {4}http:\/\/127\.0\.0\.1:\d+ {2}open +\d+ ms {2}HTTP 200 {2}\(/);
  expect(out.at(-1)).toBe("Every target answers.");
  expect(plain.requests[0]).toMatch(/^HEAD \/ .*\r\nhost: users\.internal\r\n/);
  expect(progress).toEqual(["dialling targets: 0 of 2", "dialling targets: 1 of 2", "dialling targets: 2 of 2", ""]);
});

test("two services and a route at one address, each asked for in its own way", async () => {
  const answer = "HTTP/1.1 204 No Content\r\n\r\n";
  await using origin = await startTlsOrigin({
    ...selfSign("a.internal", { names: ["a.internal", "b.internal"] }),
    answer,
  });
  const record = (name: string): object => ({
    name,
    type: "http",
    host: { hostname: `${name}.internal`, resolver_network: { tunnel_id: TUNNEL_ID } },
    tls_settings: { cert_verification_mode: "disabled" },
    target: `https://127.0.0.1:${origin.port}`,
  });
  await using vpc = await createCallFolder({
    "wrangler.json": JSON.stringify({
      name: "api",
      vpc_services: ["A", "B"].map((binding) => ({ binding, service_id: binding })),
      vpc_networks: [{ binding: "NET", network_id: "NET" }],
    }),
    "vpc.json": JSON.stringify({
      services: { A: record("a"), B: record("b") },
      networks: { NET: { routes: { "foo.internal": `127.0.0.1:${origin.port}` } } },
    }),
  });
  const { out } = await probe(vpc);
  const lines = out.filter((line) => line.includes("127.0.0.1")).map((line) => line.trim().replace(/ +N ms.*/, ""));
  expect(lines).toEqual([
    `https://127.0.0.1:${origin.port}  open`,
    `https://127.0.0.1:${origin.port}  open`,
    `127.0.0.1:${origin.port}          open`,
  ]);
  expect(new Set(origin.handshakes.map(({ serverName }) => serverName))).toEqual(new Set(["a.internal", "b.internal"]));
  expect(origin.handshakes).toHaveLength(2);
});

test("a target that never answers times out", async () => {
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
      "No answer from 1 of 1 targets.",
    ],
  });
});

test("a target that does not answer is reported as an annotation and as JSON", async () => {
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
    "There is no target to dial: no target is a fixed address or a Unix socket.",
  ]);
});
