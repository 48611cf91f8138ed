/** All of one call in the traffic page: the decision, bodies in each form, conversations, timing, certificates, errors. */

import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";

import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { WebSocketServer } from "ws";

import { selfSign } from "../servers/tls-certificates.ts";
import { startMutualOrigin, startTlsOrigin } from "../servers/tls-server.ts";
import { SERVICE } from "../setup/test-worker.ts";
import { type BrowsedSession, startBrowsed } from "./open-browser.ts";

const stack = new AsyncDisposableStack();
let session: BrowsedSession;
let page: Page;
let detail: Locator;
/** Of the client certificate. */
let fingerprint: string;
const CLIENT = "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f";

const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);
const USER = { id: 7, name: "Ada <b>Lovelace</b>", roles: ["admin", "author"], address: { city: "London" } };

/** By path: the content type, other fields, and the body. */
const ANSWERS: Record<string, [type: string, fields: string, body: Buffer]> = {
  "/json": ["application/json", "", Buffer.from(JSON.stringify(USER))],
  "/gzip": ["application/json", "Content-Encoding: gzip\r\n", gzipSync(JSON.stringify(USER))],
  "/image": ["image/png", "", PIXEL],
  "/binary": ["application/octet-stream", "", Buffer.from([0, 1, 2, 0xff, 65, 66])],
  "/html": ["text/html", "", Buffer.from("<img src=x onerror=alert(1)>")],
  "/large": ["text/plain", "", Buffer.alloc(1024 * 1024 + 1, "x")],
};

function answer(request: string): string {
  const [, path = ""] = /^\w+ (\S+) /.exec(request) ?? [];
  const [type, fields, body] = ANSWERS[path] ?? ["text/plain", "", Buffer.from("hello")];
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n${fields}Content-Length: ${body.length}\r\n\r\n`;
  return head + body.toString("latin1");
}

beforeAll(async () => {
  const certificate = selfSign("secure.internal", { names: ["secure.internal"] });
  const secure = stack.use(await startTlsOrigin({ ...certificate, answer: answer("") }));
  const client = selfSign("app of the team");
  ({ fingerprint256: fingerprint } = new X509Certificate(client.cert));
  const mutual = stack.use(await startMutualOrigin(certificate));
  const folder = await mkdtemp(path.join(tmpdir(), "vpc-detail-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const file = path.join(folder, "client.pem");
  await writeFile(file, client.cert + client.key);
  const sockets = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  stack.defer(() => sockets.close());
  sockets.on("connection", (socket) => socket.on("message", (data: Buffer) => socket.send(`echo ${data.toString()}`)));
  await once(sockets, "listening");
  session = stack.use(
    await startBrowsed(
      answer,
      {
        "secure.internal": { target: `127.0.0.1:${secure.port}`, tls_settings: { cert_verification_mode: "disabled" } },
        "sockets.internal": `127.0.0.1:${(sockets.address() as AddressInfo).port}`,
        "down.internal": "127.0.0.1:1",
      },
      {
        certificates: { [CLIENT]: { cert: file, key: file } },
        services: {
          [SERVICE]: {
            target: `https://127.0.0.1:${mutual.port}`,
            tls_settings: { cert_verification_mode: "disabled", client_certificate: CLIENT },
          },
        },
      },
    ),
  );
});
afterAll(() => stack.disposeAsync());
beforeEach(async () => {
  session.shown.scenario.journal.clear();
  page = await session.openTab();
  detail = page.getByRole("region", { name: "Call" });
});
afterEach(async () => {
  await page.context().close();
  session.throwProblems();
});

/** Opens the last call with this text in its row. */
async function open(text: string): Promise<void> {
  await page.getByRole("row").filter({ hasText: text }).last().click();
  await detail.waitFor();
}

function section(title: string): Locator {
  return detail.locator("details.section").filter({ has: page.getByRole("heading", { name: title, exact: true }) });
}

/** Fails unless the text appears. */
async function shows(text: string | RegExp, within: Locator = detail): Promise<void> {
  await within.getByText(text).first().waitFor();
}

async function call(path: string, more: object = {}): Promise<void> {
  await session.make("fetch", { url: `http://a.internal${path}`, ...more });
  await open(path);
}

test("the decision, step by step, with the place in the config", async () => {
  await call("/json");
  const decision = section("Decision");
  await shows('env.NET.fetch("http://a.internal/json")', decision);
  await shows(/won\s+a\.internal\s+→ 127\.0\.0\.1:\d+\s+<vpc config> networks/, decision);
  await shows("direct: workerd's own HTTP client", decision);
});

test("a JSON body as a tree, whose text is text; as text and in hex on request", async () => {
  await call("/json");
  const response = section("Response");
  await shows("Content-Type", response);
  await shows('"Ada <b>Lovelace</b>"', response);
  await shows('"author"', response);
  expect(await response.locator("b").count()).toBe(0);
  await response.getByRole("button", { name: "Text" }).click();
  await shows(JSON.stringify(USER), response);
  await response.getByRole("button", { name: "Hex" }).click();
  await shows(/^00000000 {2}7b 22 69 64 22 3a 37 2c {2}22 6e 61 6d 65 22 3a 22 {2}\{"id":7,"name":"/, response);
});

test("a compressed body is shown as what it stands for", async () => {
  await call("/gzip");
  await shows('"London"', section("Response"));
});

test("an image is drawn", async () => {
  await call("/image");
  const image = section("Response").getByRole("img");
  await image.waitFor();
  const width = "document.querySelector('.picture img').naturalWidth";
  await expect.poll(() => page.evaluate(width), { timeout: 20_000 }).toBe(1);
});

test("bytes that are no text in hex, and markup as text", async () => {
  await call("/binary");
  await shows("00000000  00 01 02 ff 41 42                                 ....AB", section("Response"));
  await call("/html");
  await shows("<img src=x onerror=alert(1)>", section("Response"));
  expect(await section("Response").getByRole("img").count()).toBe(0);
});

test("a body beyond the limit says so", async () => {
  await call("/large", { method: "POST", size: 3 });
  await shows("Only the first 1048576 bytes are kept", section("Response"));
  await shows("1048577 bytes, text/plain", section("Response"));
  await shows(/^Show .* more characters$/, section("Response"));
  await shows("xxx", section("Request"));
});

test("timing and connection", async () => {
  await call("/json", { method: "POST", size: 3 });
  await shows("first byte", section("Timing"));
  await shows("wait for the first byte", section("Timing"));
  await shows(`127.0.0.1, port ${session.origin.port}`, section("Connection"));
});

test("TLS: version, server name and certificate", async () => {
  await session.make("fetch", { url: "https://secure.internal/", method: "POST", size: 1 });
  await open("secure.internal");
  const connection = section("Connection");
  await shows(/^TLSv1\.3, TLS_/, connection);
  await shows("issued by secure.internal", connection);
  await shows("secure.internal", connection);
  expect(await connection.textContent()).not.toContain("client certificate");
});

test("TLS: the client certificate that a target asked for, with its fingerprint and no key", async () => {
  await session.shown.call("fetch", { binding: "API", url: "https://mutual.internal/" });
  await open("mutual.internal");
  const connection = section("Connection");
  await shows("client certificate", connection);
  await shows("app of the team", connection);
  await shows(`SHA-256 ${fingerprint}`, connection);
});

test("what a connection said, in turn and with times, as text and in hex", async () => {
  await session.make("connect", { address: "db.internal:5432", text: "SELECT 1" });
  await open("db.internal:5432");
  const said = section("Conversation").getByRole("listitem");
  await expect.poll(() => said.count()).toBe(2);
  await expect.poll(() => said.first().textContent()).toMatch(/Worker.* ms, 8 bytes.*SELECT 1/s);
  await expect.poll(() => said.last().textContent()).toMatch(/Target.* ms, 8 bytes.*SELECT 1/s);
  await said.last().getByRole("button", { name: "Hex" }).click();
  await shows("53 45 4c 45 43 54 20 31", said.last());
  await shows("8 bytes", section("Received by the Worker"));
});

test("what a database is asked is named", async () => {
  await session.make("connect", { address: "db.internal:5432", text: "*2\r\n$3\r\nGET\r\n$1\r\na\r\n" });
  await open("db.internal:5432");
  await shows("GET a", section("Redis"));
  await shows("1 command", section("Redis"));
});

test("the messages of a WebSocket, as they come", async () => {
  await session.shown.call("talk", { url: "http://sockets.internal/", texts: ["one", "two"] });
  await open("sockets.internal");
  const said = section("Messages").getByRole("listitem");
  await shows("echo two", said.nth(3));
  await expect.poll(() => said.first().textContent()).toMatch(/Worker.*text, 3 bytes.*one/s);
  await shows("1000 done", said.nth(4));
  await shows("101 Switching Protocols", section("Response"));
  await shows("Sec-WebSocket-Accept", section("Response"));
});

test("an error: what happened, and what to do", async () => {
  await session.make("fetch", { url: "http://down.internal/" });
  await open("down.internal");
  await shows("connection_refused");
  await shows(/The target refused the connection: connect ECONNREFUSED 127\.0\.0\.1:1\./);
  await shows("Start the service, or change the target if it listens elsewhere.");
  await shows("connect", section("Timing"));
  expect(await section("Timing").getByText("wait for the first byte").count()).toBe(0);
});

test("a refused call: the line to add, and where", async () => {
  await session.make("fetch", { url: "http://vault.internal/" });
  await open("vault.internal");
  await shows(/^Add "vault\.internal": "localhost:80" to "routes" of the network at /);
  // Nothing was sent, so nothing was waited for.
  await shows("decided", section("Timing"));
  expect(await section("Timing").getByRole("row").count()).toBe(1);
  expect(await section("Connection").count()).toBe(0);
});

test("a call that is cleared while it is open closes", async () => {
  await call("/json");
  await page.getByRole("button", { name: "Clear" }).click();
  await detail.waitFor({ state: "detached" });
});

test("a session that has ended says so, and what was shown stays", async () => {
  await using other = await startBrowsed(answer);
  const tab = await other.openTab();
  await other.shown.call("fetch", { url: "http://a.internal/json" });
  await tab.getByRole("row").filter({ hasText: "/json" }).waitFor();
  await other.shown[Symbol.asyncDispose]();
  await tab.getByText("The session has ended, or can't be reached.").waitFor();
  await expect.poll(() => tab.getByRole("row").filter({ hasText: "/json" }).count()).toBe(1);
});
