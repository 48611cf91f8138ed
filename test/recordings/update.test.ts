/** `"update": true`: records what the target answers, without secrets, and writes it at the end. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { connectVpc } from "miniflare-vpc/test/node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import type { VpcConfig, VpcHar } from "../../plugin/config.ts";
import { type Har, type HarEntry, REDACTED } from "../../plugin/recordings/har.ts";
import { NO_SIGNALS, testOn } from "../setup/only-on.ts";
import { TUNNEL, type TestEnv, type TestWorker, startTestWorker } from "../setup/test-worker.ts";
import { REPOSITORY } from "../wrangler/temporary-project.ts";
import { checkHar } from "./check-har.ts";

/** Planted in every place that can carry one. Each must not be in any file, in any spelling. */
const SECRETS = {
  authorization: "authorization-s3cret/+ä1",
  proxy: "proxy-s3cret-2",
  cookie: "cookie-s3cret-3",
  setCookie: "set-cookie-s3cret-4",
  apiKey: "api-key-s3cret-5",
  query: "query s3cret&=/6",
  json: 'json-s3cret-"7"-\n',
  field: "header-s3cret-8",
  form: "form s3cret 9+",
  password: "password-s3cret-10",
  message: "message-s3cret-11",
  nested: "nested-s3cret-12",
  answer: "answer-s3cret-13",
  redirect: "redirect-s3cret-14",
};

const ops = {
  fetch: async (env: TestEnv, { url, ...init }: RequestInit & { url: string }) => {
    const response: Response = await env.NET.fetch(url, init);
    return { status: response.status, text: await response.text() };
  },
  /** The body in gzip. */
  fetchGzip: async (env: TestEnv, { url, text }: { url: string; text: string }) => {
    const body = new Response(text).body?.pipeThrough(new CompressionStream("gzip")) ?? null;
    const headers = { "content-encoding": "gzip", "content-type": "application/json" };
    return (await env.NET.fetch(url, { method: "POST", body, headers })).text();
  },
  talk: async (env: TestEnv, { url, texts }: { url: string; texts: string[] }) => {
    const { webSocket } = await env.NET.fetch(url, { headers: { upgrade: "websocket" } });
    webSocket.accept();
    for (const text of texts) {
      const answer = new Promise((resolve) => webSocket.addEventListener("message", resolve, { once: true }));
      webSocket.send(text);
      await answer;
    }
    webSocket.close(1000);
  },
};

let folder: string;
let origin: http.Server;
let port: number;

/** Repeats what it gets, in a spelling of one's choice. */
async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const seen = JSON.stringify({ headers: request.headers, url: request.url, body: body.toString() });
  const { pathname } = new URL(request.url ?? "/", "http://origin");
  switch (pathname) {
    case "/echo":
      response.setHeader("Content-Type", "application/json").end(seen);
      break;
    case "/gzip":
      response.setHeader("Content-Encoding", "gzip").end(gzipSync(seen));
      break;
    case "/brotli":
      response.setHeader("Content-Encoding", "br").end(brotliCompressSync(seen));
      break;
    case "/bytes":
      response.end(Buffer.concat([Buffer.from([0, 255, 254]), Buffer.from(seen)]));
      break;
    case "/base64":
      response.end(Buffer.from(seen).toString("base64"));
      break;
    case "/answer":
      response.setHeader("Set-Cookie", [`id=${SECRETS.setCookie}; Path=/; HttpOnly`, "other=1"]);
      response.setHeader("X-Token", SECRETS.field);
      response.end(
        JSON.stringify({ deep: [{ token: SECRETS.answer, inner: JSON.stringify({ token: SECRETS.nested }) }] }),
      );
      break;
    case "/redirect":
      response.writeHead(302, { Location: `/echo?token=${SECRETS.redirect}&page=1` }).end();
      break;
    case "/broken":
      response.writeHead(200, { "Content-Length": "10" });
      response.write("12");
      response.destroy();
      break;
    default:
      response.end(`answer to ${request.method} ${request.url}`);
  }
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "vpc-update-"));
  origin = http.createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  const sockets = new WebSocketServer({ server: origin });
  sockets.on("connection", (socket) => socket.on("message", (data: Buffer) => socket.send(`echo ${data.toString()}`)));
  await once(origin, "listening");
  ({ port } = origin.address() as AddressInfo);
});
afterAll(() => {
  origin.closeAllConnections();
  origin.close();
  rmSync(folder, { recursive: true });
});

function start(har: Partial<VpcHar> & { har: string }, more: VpcConfig["networks"] = {}): Promise<TestWorker> {
  const target = { target: `127.0.0.1:${port}`, update: true, ...har, har: path.join(folder, har.har) };
  return startTestWorker({
    ops,
    config: { networks: { [TUNNEL]: { routes: { "users.internal": target, ...(more as object) } } } },
  });
}

function read(name: string, options?: { isFull: boolean }): Har["log"] {
  return checkHar(JSON.parse(readFileSync(path.join(folder, name), "utf8")), options).log;
}

/** The ways in which a secret may be written. */
function spell(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const base64 = Buffer.from(secret).toString("base64").replaceAll("=", "");
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams([["", secret]]).toString().slice(1),
    json,
    JSON.stringify(json).slice(1, -1),
    base64.slice(0, -2),
  ];
}

/** @returns the secrets that are in the text, or in what is base64 in it */
function findSecrets(text: string): string[] {
  const decoded = [...text.matchAll(/[A-Za-z\d+/]{16,}={0,2}/g)].map(([base64]) =>
    Buffer.from(base64, "base64").toString("latin1"),
  );
  const places = [text, ...decoded];
  return Object.values(SECRETS).filter((secret) =>
    spell(secret).some((spelling) => places.some((place) => place.includes(spelling))),
  );
}

async function plant(worker: TestWorker): Promise<void> {
  const headers = {
    authorization: `Bearer ${SECRETS.authorization.replace("ä", "a")}`,
    "proxy-authorization": `Basic ${Buffer.from(`ada:${SECRETS.proxy}`).toString("base64")}`,
    cookie: `id=${SECRETS.cookie}; theme=dark`,
    "x-api-key": SECRETS.apiKey,
    "x-token": SECRETS.field,
    referer: `http://ada:${SECRETS.password}@users.internal/`,
  };
  const json = JSON.stringify({
    user: { token: SECRETS.json, inner: JSON.stringify({ token: SECRETS.nested }) },
    page: 1,
  });
  const form = new URLSearchParams([
    ["token", SECRETS.form],
    ["page", "1"],
  ]).toString();
  const query = new URLSearchParams([
    ["token", SECRETS.query],
    ["page", "1"],
  ]).toString();
  for (const place of ["/answer", "/echo", "/gzip", "/brotli", "/bytes", "/base64"]) {
    const url = `http://users.internal${place}?${query}`;
    await worker.call("fetch", { url, headers });
    await worker.call("fetch", {
      url,
      headers: { ...headers, "content-type": "application/json" },
      method: "POST",
      body: json,
    });
    await worker.call("fetch", {
      url,
      headers: { ...headers, "content-type": "application/x-www-form-urlencoded" },
      method: "PUT",
      body: form,
    });
    await worker.call("fetchGzip", { url, text: json });
  }
  await worker.call("fetch", { url: "http://users.internal/redirect" });
  const text = JSON.stringify({ token: SECRETS.message });
  await worker.call("talk", { url: "http://users.internal/socket", texts: ["plain", text] });
}

test.each([
  ["embedded", "embed", "full"],
  ["attached", "attach", "full"],
  ["minimal", "attach", "minimal"],
] as const)(
  "no secret is in any file: %s",
  async (name, updateContent, updateMode) => {
    const place = path.join(folder, name);
    mkdirSync(place);
    const worker = await start({ har: `${name}/users.har`, updateContent, updateMode, redact: ["Token", "X-Token"] });
    await plant(worker);
    expect(readdirSync(place)).toEqual([]);
    await worker[Symbol.asyncDispose]();
    const files = readdirSync(place);
    expect(files.length > 1).toBe(updateContent === "attach");
    for (const file of files) {
      const text = readFileSync(path.join(place, file), "utf8");
      expect([file, findSecrets(text)]).toEqual([file, []]);
      expect(statSync(path.join(place, file)).mode & 0o777).toBe(process.platform === "win32" ? 0o666 : 0o600);
    }
    const { entries } = read(`${name}/users.har`, { isFull: updateContent === "embed" });
    expect(entries).toHaveLength(27);
    expect(JSON.stringify(entries)).toContain(REDACTED);
    // The oracle finds them where nothing was replaced.
    expect(findSecrets(JSON.stringify(spell(SECRETS.query)))).toEqual([SECRETS.query]);
    // What is no secret stays.
    const [first] = entries as [HarEntry];
    expect(first.request.url).toBe(`http://users.internal/answer?token=${REDACTED}&page=1`);
    expect(first.request.queryString).toContainEqual({ name: "page", value: "1" });
    const isFull = updateMode === "full";
    const [id, other] = [
      { name: "id", value: REDACTED },
      { name: "other", value: REDACTED },
    ];
    expect(first.response.cookies).toEqual(isFull ? [{ ...id, path: "/", httpOnly: true }, other] : []);
    expect(first.request.cookies).toEqual(isFull ? [id, { name: "theme", value: REDACTED }] : []);
  },
  120_000,
);

test("the file is there when the instance has been disposed of; failed calls are left out and counted", async () => {
  const worker = await start({ har: "users.har" });
  await worker.call("fetch", { url: "http://users.internal/a?x=1", method: "POST", body: "sent" });
  await expect(worker.call("fetch", { url: "http://users.internal/broken" })).rejects.toThrow(
    /http_response_incomplete|connection_terminated/,
  );
  await worker.call("fetch", { url: "http://users.internal/redirect" });
  await worker.call("talk", { url: "http://users.internal/socket", texts: ["one", "two"] });
  await worker[Symbol.asyncDispose]();
  const { entries } = read("users.har");
  expect(entries.map(({ request, response }) => [request.method, request.url, response.status])).toEqual([
    ["POST", "http://users.internal/a?x=1", 200],
    ["GET", "http://users.internal/redirect", 302],
    ["GET", `http://users.internal/echo?token=${SECRETS.redirect}&page=1`, 200],
    ["GET", "http://users.internal/socket", 101],
  ]);
  const [posted, redirect, , socket] = entries as [HarEntry, HarEntry, HarEntry, HarEntry];
  expect(posted).toMatchObject({
    serverIPAddress: "127.0.0.1",
    _serverPort: port,
    request: { httpVersion: "HTTP/1.1", postData: { text: "sent" }, bodySize: 4 },
    response: { statusText: "OK", httpVersion: "HTTP/1.1", content: { text: "answer to POST /a?x=1" } },
  });
  expect(redirect.response.redirectURL).toBe(`/echo?token=${SECRETS.redirect}&page=1`);
  const { _webSocketMessages: messages } = socket;
  expect(messages?.map(({ type, data }) => [type, data])).toEqual([
    ["send", "one"],
    ["receive", "echo one"],
    ["send", "two"],
    ["receive", "echo two"],
  ]);
  expect(worker.output()).toMatch(/Recorded 4 calls in .*users\.har\. Left out: 1 that failed\./);
}, 60_000);

test("targets that name the same file record into it together; another one is not recorded", async () => {
  const har = path.join(folder, "shared.har");
  const worker = await start({ har: "shared.har" }, {
    "orders.internal": { har, target: `localhost:${port}`, update: true },
    "plain.internal": `127.0.0.1:${port}`,
  } as never);
  for (const host of ["users", "plain", "orders", "users"])
    await worker.call("fetch", { url: `http://${host}.internal/x` });
  await worker[Symbol.asyncDispose]();
  expect(read("shared.har").entries.map(({ request }) => request.url)).toEqual([
    "http://users.internal/x",
    "http://orders.internal/x",
    "http://users.internal/x",
  ]);
}, 60_000);

test("a second recording replaces the first, and what was recorded replays", async () => {
  for (const page of ["first", "second"]) {
    const worker = await start({ har: "again.har" });
    await worker.call("fetch", { url: `http://users.internal/${page}` });
    await worker[Symbol.asyncDispose]();
  }
  expect(read("again.har").entries.map(({ request }) => request.url)).toEqual(["http://users.internal/second"]);
  await using worker = await start({ har: "again.har", update: false });
  expect(await worker.call("fetch", { url: "http://users.internal/second" })).toEqual({
    status: 200,
    text: "answer to GET /second",
  });
  await expect(worker.call("fetch", { url: "http://users.internal/first" })).rejects.toThrow("destination_not_found");
}, 60_000);

test("what was secret in a path or a query is recorded as a URL that replays", async () => {
  const calls = ["/sessions/abcdefgh12345678", "/echo?token=abcdefgh1", "/redirect-to?a=1"];
  const recorder = await start({ har: "paths.har", redact: ["path", "q"] });
  const body = JSON.stringify({ path: calls[0], q: "?token=abcdefgh1" });
  for (const call of calls) await recorder.call("fetch", { url: `http://users.internal${call}`, method: "POST", body });
  await recorder[Symbol.asyncDispose]();
  expect(recorder.output()).toMatch(/Recording into .*paths\.har, which is written when the session ends\./);
  expect(read("paths.har").entries.map(({ request }) => request.url)).toEqual([
    `http://users.internal/sessions/${REDACTED}`,
    `http://users.internal/echo?token=${REDACTED}`,
    "http://users.internal/redirect-to?a=1",
  ]);
  await using worker = await start({ har: "paths.har", redact: ["path", "q"], update: false });
  for (const call of calls)
    expect(await worker.call("fetch", { url: `http://users.internal${call}`, method: "POST", body })).toMatchObject({
      status: 200,
    });
}, 60_000);

test('"update" is removed before there is a file', async () => {
  const config = path.join(folder, "early.json");
  const write = (update: boolean): void => {
    const target = { har: "early.har", target: `127.0.0.1:${port}`, ...(update && { update }) };
    writeFileSync(config, JSON.stringify({ networks: { [TUNNEL]: { routes: { "users.internal": target } } } }));
  };
  write(true);
  await using worker = await startTestWorker({ ops, config });
  await worker.call("fetch", { url: "http://users.internal/a" });
  write(false);
  await expect
    .poll(() => worker.output(), { timeout: 30_000 })
    .toMatch(/early\.har" is not there yet: it is written when this session ends/);
  expect(worker.output()).toContain('Leave "update": true until then, and remove it before the next session.');
}, 60_000);

test("rules and faults of a test act on a target that is recorded, and a rule may lead to one", async () => {
  const worker = await start({ har: "rules.har" }, { "other.internal": `127.0.0.1:${port}` } as never);
  {
    await using vpc = await connectVpc(worker.miniflare);
    await vpc.on("users.internal", "GET /stand-in").respond({ text: "of the test" });
    await vpc.on("other.internal").to({
      har: path.join(folder, "rules.har"),
      target: `127.0.0.1:${port}`,
      update: true,
    });
    expect(await worker.call("fetch", { url: "http://users.internal/stand-in" })).toMatchObject({
      text: "of the test",
    });
    await worker.call("fetch", { url: "http://users.internal/real" });
    await worker.call("fetch", { url: "http://other.internal/by-rule" });
    expect((await vpc.requests()).map(({ target }) => target)).toEqual([
      "rule",
      `127.0.0.1:${port}`,
      `127.0.0.1:${port}`,
    ]);
  }
  await worker[Symbol.asyncDispose]();
  expect(read("rules.har").entries.map(({ request }) => request.url)).toEqual([
    "http://users.internal/real",
    "http://other.internal/by-rule",
  ]);
}, 60_000);

test("under CI, the file replays and says so", async () => {
  const first = await start({ har: "ci.har" });
  await first.call("fetch", { url: "http://users.internal/a" });
  await first[Symbol.asyncDispose]();
  const before = readFileSync(path.join(folder, "ci.har"), "utf8");
  vi.stubEnv("CI", "true");
  try {
    const worker = await start({ har: "ci.har" });
    await worker.call("fetch", { url: "http://users.internal/a" });
    await expect(worker.call("fetch", { url: "http://users.internal/b" })).rejects.toThrow("destination_not_found");
    await worker[Symbol.asyncDispose]();
    expect(worker.output()).toMatch(/"update" records nothing under CI: .*ci\.har answers\./);
  } finally {
    vi.unstubAllEnvs();
  }
  expect(readFileSync(path.join(folder, "ci.har"), "utf8")).toBe(before);
}, 60_000);

testOn(
  "posix",
  NO_SIGNALS,
  "a program that is ended by a signal has written the file",
  { timeout: 60_000 },
  async () => {
    const script = path.join(REPOSITORY, "test/recordings", `.record-${process.pid}.mjs`);
    const file = path.join(folder, "signal.har");
    writeFileSync(
      script,
      `import { Miniflare } from "miniflare";
import { withVpc } from "miniflare-vpc";
const miniflare = new Miniflare(withVpc({
  workers: [{ config: { name: "w", compatibilityDate: "2026-11-01",
    manifest: { mainModule: "m.js", modules: { "m.js": { type: "esm", contents:
      "export default { fetch: (request, env) => env.NET.fetch('http://users.internal/signal') }" } } },
    env: { NET: { type: "vpc-network", tunnelId: ${JSON.stringify(TUNNEL)} } } } }],
}, { config: { networks: { ${JSON.stringify(TUNNEL)}: { routes: { "users.internal":
  { har: ${JSON.stringify(file)}, target: "127.0.0.1:${port}", update: true } } } } } }));
const response = await miniflare.dispatchFetch("http://w/");
console.log(await response.text());
setInterval(() => {}, 1000);
`,
    );
    try {
      const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text) => (output += text));
      await expect.poll(() => output, { timeout: 40_000 }).toContain("answer to GET /signal");
      child.kill("SIGHUP");
      await once(child, "close");
      expect(output).toContain("Recorded 1 call in");
      expect(read("signal.har").entries).toHaveLength(1);
    } finally {
      rmSync(script);
    }
  },
);

test('"update" without a target is reported', async () => {
  await expect(start({ har: "x.har", target: undefined as never })).rejects.toThrow(
    '"update" is true, but there is no "target" to record',
  );
});
