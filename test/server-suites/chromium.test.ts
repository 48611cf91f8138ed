/** What is recorded opens in Chromium's network panel, and Playwright answers from it. */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import type { HarEntry, Har } from "../../plugin/recordings/har.ts";
import { createRecorder } from "../../plugin/recordings/recorder.ts";
import { type HarStyle, DEFAULT_STYLE } from "../../plugin/recordings/recording-spec.ts";
import { findRunning } from "../../plugin/scenario/running.ts";
import { checkHar } from "../recordings/check-har.ts";
import { TUNNEL, type TestEnv, startTestWorker } from "../setup/test-worker.ts";

/** `.ci/install-servers` installs Debian's if there is no Chrome. A missing browser fails the suite. */
const CHROMIUM = existsSync("/usr/bin/chromium") ? "/usr/bin/chromium" : "/usr/bin/google-chrome";

const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

const ops = {
  /** @returns the statuses */
  fetchAll: async (env: TestEnv) => {
    const statuses: number[] = [];
    const calls: [string, RequestInit?][] = [
      ["/page"],
      ["/data.json?page=1"],
      ["/data.json?page=1"],
      ["/picture.png"],
      ["/moved"],
      ["/none"],
      [
        "/echo",
        { method: "POST", body: "a=1&b=two", headers: { "content-type": "application/x-www-form-urlencoded" } },
      ],
      [
        "/echo",
        { method: "PUT", body: JSON.stringify({ name: "Ada" }), headers: { "content-type": "application/json" } },
      ],
    ];
    for (const [url, init] of calls) {
      const response = await env.NET.fetch(`http://users.internal${url}`, init);
      await response.arrayBuffer();
      statuses.push(response.status);
    }
    const { webSocket } = await env.NET.fetch("http://users.internal/socket", { headers: { upgrade: "websocket" } });
    const answer = new Promise((resolve) => webSocket.addEventListener("message", resolve, { once: true }));
    webSocket.accept();
    webSocket.send("hello");
    await answer;
    webSocket.close(1000);
    return statuses;
  },
};

function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  const [pathname = ""] = (request.url ?? "").split("?");
  switch (pathname) {
    case "/page":
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      response.end("<!doctype html><title>Recorded</title><h1>Ünïcode</h1>");
      break;
    case "/data.json":
      response.setHeader("Content-Type", "application/json");
      response.setHeader("Content-Encoding", "gzip");
      response.end(gzipSync(JSON.stringify({ items: ["x".repeat(1000), 1] })));
      break;
    case "/picture.png":
      response.setHeader("Content-Type", "image/png");
      response.end(PICTURE);
      break;
    case "/moved":
      response.writeHead(302, { Location: "/page" }).end();
      break;
    case "/none":
      response.writeHead(204).end();
      break;
    default:
      response.setHeader("Content-Type", "text/plain");
      request.pipe(response);
  }
}

const stack = new AsyncDisposableStack();
let folder: string;
let browser: Browser;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "vpc-chromium-"));
  stack.defer(() => rmSync(folder, { recursive: true }));
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  stack.defer(() => browser.close());
}, 120_000);
afterAll(() => stack.disposeAsync());

/** @returns the file that the calls of `fetchAll` were recorded in */
async function record(name: string, style: Partial<HarStyle> = {}): Promise<{ file: string; har: Har }> {
  await using origin = http.createServer(answer).listen(0, "127.0.0.1");
  const sockets = new WebSocketServer({ server: origin });
  sockets.on("connection", (socket) => socket.on("message", (data: Buffer) => socket.send(`echo ${data.toString()}`)));
  await once(origin, "listening");
  const { port } = origin.address() as AddressInfo;
  await using worker = await startTestWorker({
    ops,
    config: { networks: { [TUNNEL]: { routes: { "users.internal": `localhost:${port}` } } } },
  });
  const { MINIFLARE_VPC: id } = await worker.miniflare.getBindings();
  const scenario = findRunning(String(id))?.scenario;
  if (scenario === undefined) throw new Error("the instance has no scenario");
  await scenario.observe();
  const recorder = createRecorder(scenario.journal, { print: (line) => lines.push(line), recovery: undefined });
  const lines: string[] = [];
  const file = path.join(folder, name);
  recorder.want([], { file, redact: [], style: { ...DEFAULT_STYLE, ...style } });
  expect(await worker.call("fetchAll")).toEqual([200, 200, 200, 200, 200, 204, 200, 200]);
  const isOver = (): boolean =>
    scenario.journal.entries.every((entry) => entry.duration !== undefined && entry.type === "request") &&
    (scenario.journal.entries.at(-1) as { detail?: { at: { ended?: number } } }).detail?.at.ended !== undefined;
  await expect.poll(isOver, { timeout: 60_000 }).toBe(true);
  recorder.close();
  // The redirect is two of them, and its page was fetched again.
  expect(lines).toEqual([
    expect.stringMatching(/^Recording into /),
    expect.stringMatching(/^Recorded 10 calls in .*\.$/),
  ]);
  return {
    file,
    har: checkHar(JSON.parse(readFileSync(file, "utf8")), {
      isFull: style.mode !== "minimal" && style.content !== "attach",
    }),
  };
}

/** What the panel shows of a request. */
interface Shown {
  url: string;
  method: string;
  status: number;
  type: string;
  mimeType: string;
  text: string | null;
  isBase64: boolean;
  form: unknown;
  posted: string | null;
  address: string;
  /** Seconds. */
  duration: number;
  wait: number;
  frames: { type: string; text: string; opCode: number }[];
}

test("Chromium's network panel imports it, with bodies, forms, timings, addresses and messages", async () => {
  const { har } = await record("panel.har");
  const page = await browser.newPage();
  await page.goto("devtools://devtools/bundled/devtools_app.html");
  const shown = await page.evaluate<Shown[]>(`(${IMPORT_IN_PANEL})(${JSON.stringify(JSON.stringify(har))})`);
  await page.close();
  const { entries } = har.log;
  expect(shown.map(({ url, method, status }) => [url, method, status])).toEqual(
    entries.map(({ request, response }) => [request.url, request.method, response.status]),
  );
  const find = (end: string, method = "GET"): Shown => {
    const found = shown.find((each) => each.url.endsWith(end) && each.method === method);
    if (found === undefined) throw new Error(`the panel has no ${method} ${end}`);
    return found;
  };
  expect(find("/page")).toMatchObject({
    mimeType: expect.stringMatching(/^text\/html/),
    text: "<!doctype html><title>Recorded</title><h1>Ünïcode</h1>",
    // The panel takes the connection's id for the port.
    address: expect.stringMatching(/^(?:127\.0\.0\.1|\[?::1\]?):\d+$/),
  });
  expect(JSON.parse(find("page=1").text ?? "")).toEqual({ items: ["x".repeat(1000), 1] });
  expect(find("/picture.png")).toMatchObject({
    isBase64: true,
    text: PICTURE.toString("base64"),
    mimeType: "image/png",
  });
  expect(find("/echo", "POST").form).toEqual([
    { name: "a", value: "1" },
    { name: "b", value: "two" },
  ]);
  expect(find("/echo", "PUT")).toMatchObject({ posted: '{"name":"Ada"}', text: '{"name":"Ada"}' });
  expect(find("/socket")).toMatchObject({
    type: "websocket",
    frames: [
      { type: "send", text: "hello", opCode: 1 },
      { type: "receive", text: "echo hello", opCode: 1 },
    ],
  });
  for (const [index, { duration, wait }] of shown.entries()) {
    const entry = entries[index] as HarEntry;
    expect(duration * 1000).toBeCloseTo(entry.time, 1);
    expect(wait).toBeCloseTo(entry.timings.wait, 1);
  }
}, 180_000);

/** Runs in the page of the panel, with the panel's own modules. Text, because the test's own `import()` is another one. */
const IMPORT_IN_PANEL = `async (text) => {
  const load = (name) => import(new URL(name, location.href).href);
  const { NetworkPanel } = await load("./panels/network/network.js");
  const { NetworkLog } = await load("./models/logs/logs.js");
  const panel = NetworkPanel.NetworkPanel.instance();
  await panel.networkLogView.onLoadFromFile(new File([text], "recorded.har", { type: "application/json" }));
  return await Promise.all(NetworkLog.NetworkLog.instance().requests().map(async (request) => {
    const content = await request.requestContentData();
    return {
      url: request.url(),
      method: request.requestMethod,
      status: request.statusCode,
      type: request.resourceType().name(),
      mimeType: request.mimeType,
      text: content.isTextContent ? content.text : content.base64,
      isBase64: content.isTextContent === false,
      form: await request.formParameters(),
      posted: await request.requestFormData(),
      address: request.remoteAddress(),
      duration: request.duration,
      wait: request.timing === undefined ? -1 : request.timing.receiveHeadersEnd - request.timing.sendEnd,
      frames: request.frames().map(({ type, text: data, opCode }) => ({ type, text: data, opCode })),
    };
  }));
}`;

/** Runs in a page whose network is the recording. */
const FETCH_IN_PAGE = `(async () => {
  const read = async (url, init) => {
    try {
      const response = await fetch(url, init);
      const bytes = new Uint8Array(await response.arrayBuffer());
      return [response.status, response.headers.get("content-type"), btoa(String.fromCodePoint(...bytes))];
    } catch {
      return "aborted";
    }
  };
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return [
    await read("/data.json?page=1"),
    await read("/picture.png"),
    await read("/none"),
    await read("/echo", { method: "POST", body: "a=1&b=two", headers }),
    await read("/echo", { method: "PUT", body: '{"name":"Ada"}' }),
    await read("/data.json?page=2"),
  ];
})()`;

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

test.each<[title: string, style: Partial<HarStyle>]>([
  ["embedded", {}],
  ["attached", { content: "attach" }],
  ["minimal", { mode: "minimal" }],
  ["attached and minimal", { content: "attach", mode: "minimal" }],
])(
  "routeFromHAR of Playwright answers from it: %s",
  async (title, style) => {
    const { file, har } = await record(`${title}.har`, style);
    const isAttached = style.content === "attach";
    await using context = await browser.newContext();
    await context.routeFromHAR(file, { notFound: "abort" });
    const page = await context.newPage();
    await page.goto("http://users.internal/moved");
    expect([page.url(), await page.title(), await page.textContent("h1")]).toEqual([
      "http://users.internal/page",
      "Recorded",
      "Ünïcode",
    ]);
    const answers = await page.evaluate(FETCH_IN_PAGE);
    expect(answers).toEqual([
      [200, "application/json", base64(JSON.stringify({ items: ["x".repeat(1000), 1] }))],
      [200, "image/png", PICTURE.toString("base64")],
      [204, null, ""],
      [200, "text/plain", base64("a=1&b=two")],
      [200, "text/plain", base64('{"name":"Ada"}')],
      "aborted",
    ]);
    // Each file is named for its bytes.
    const attached = har.log.entries
      .flatMap(({ response: { content } }) => Object.values({ ...content, size: "" }))
      .filter((value) => /^[\da-f]{40}\./.test(String(value)))
      .map(String);
    const hashes = attached.map((name) =>
      createHash("sha1")
        .update(readFileSync(path.join(folder, name)))
        .digest("hex"),
    );
    expect(attached.map((name) => name.replace(/\..*/, ""))).toEqual(hashes);
    expect(attached.length > 0).toBe(isAttached);
  },
  180_000,
);
