/** The page that shows the traffic, as its own code sees it: when calls are captured, the rows, and all of a call. */

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { viewCall } from "../../plugin/ui/call-view.ts";
import type { TrafficRow } from "../../plugin/ui/traffic-view.ts";
import { type HttpOrigin, startHttpOrigin } from "../servers/http-origin.ts";
import { type TestServer, echo, startTcpServer } from "../servers/tcp-server.ts";
import { TUNNEL, startTestWorker } from "../setup/test-worker.ts";
import { type Shown, addressIn, get, lastEntry, readFeed, startShown } from "./start-shown.ts";

const WAIT = { timeout: 20_000 };
const stack = new AsyncDisposableStack();
let origin: HttpOrigin;
let database: TestServer;
let shown: Shown;

/** Answers with the request's body. */
function answer(request: string): string {
  const body = request.slice(request.indexOf("\r\n\r\n") + 4);
  const status = request.includes(" /missing ") ? "404 Not Found" : "200 OK";
  return `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

beforeAll(async () => {
  origin = stack.use(await startHttpOrigin(answer));
  database = stack.use(await startTcpServer(echo));
  const routes = { "a.internal": `127.0.0.1:${origin.port}`, "db.internal:5432": `127.0.0.1:${database.port}` };
  shown = stack.use(await startShown({ networks: { [TUNNEL]: { routes } } }));
});
afterAll(() => stack.disposeAsync());

test("nothing is captured before a page is opened, and then everything, also when it is closed", async () => {
  await shown.call("fetch", { url: "http://a.internal/before" });
  expect(shown.scenario.isObserved).toBe(false);
  expect(shown.scenario.journal.entries).toEqual([]);
  expect((await shown.open()).statusCode).toBe(200);
  await shown.call("fetch", { url: "http://a.internal/after" });
  await using feed = await readFeed(shown.url);
  await expect
    .poll(() => [...feed.rows.values()].map(({ address }) => address), WAIT)
    .toEqual(["http://a.internal/after"]);
});

describe("with an open page", () => {
  beforeAll(() => shown.open());

  test("the decision is shown also if the Worker has another name in the runtime, as in vitest", async () => {
    await shown.call("fetch", { url: "http://a.internal/named" });
    const [entry] = shown.scenario.journal.entries.slice(-1);
    const named = { ...entry!, worker: "as-the-user-calls-it" };
    expect(viewCall(named, shown.scenario.context.table).decision?.heading).toContain("http://a.internal/named");
  });

  test("a row has what the list shows, and changes with its call", async () => {
    await using feed = await readFeed(shown.url);
    await shown.call("fetch", { url: "http://a.internal/missing", method: "POST", size: 5 });
    await shown.call("connect", { address: "db.internal:5432", text: "ping" });
    await expect(shown.call("fetch", { url: "http://b.internal/" })).rejects.toThrow("destination_not_found");
    const rowsOf = (): TrafficRow[] => [...feed.rows.values()].slice(-3);
    await expect
      .poll(() => rowsOf().map(({ address, duration }) => duration !== undefined && address), WAIT)
      .toEqual(["http://a.internal/missing", "db.internal:5432", "http://b.internal/"]);
    const same = { binding: "NET", worker: "app", id: expect.any(Number), startedAt: expect.any(Number) };
    expect(rowsOf()).toEqual([
      {
        ...same,
        kind: "http",
        method: "POST",
        address: "http://a.internal/missing",
        route: "a.internal",
        target: `127.0.0.1:${origin.port}`,
        status: 404,
        sent: 5,
        received: 5,
        duration: expect.any(Number),
      },
      {
        ...same,
        kind: "tcp",
        address: "db.internal:5432",
        route: "db.internal:5432",
        target: `127.0.0.1:${database.port}`,
        sent: 4,
        received: 4,
        duration: expect.any(Number),
      },
      {
        ...same,
        kind: "http",
        method: "GET",
        address: "http://b.internal/",
        code: "destination_not_found",
        isRefused: true,
        sent: 0,
        received: 0,
        duration: expect.any(Number),
      },
    ]);
    expect(feed.events[0]).toBe("session");
  });

  test("the bytes of a connection are counted while it is open", async () => {
    await using feed = await readFeed(shown.url);
    await using chatting = await startTcpServer((socket) => void socket.write("hello"));
    const last = (): object | undefined => [...feed.rows.values()].at(-1);
    using _ = await ruleTo(`127.0.0.1:${chatting.port}`);
    const call = shown.call("connect", { address: "db.internal:5432", text: "ping" });
    await expect.poll(last, WAIT).toMatchObject({ rule: 'rule "NET"', sent: 4, received: 5 });
    expect(last()).not.toHaveProperty("duration");
    await chatting[Symbol.asyncDispose]();
    await call.catch(() => {});
    await expect.poll(last, WAIT).toHaveProperty("duration");
  });

  test("all of a call: the decision, heads, bodies, steps", async () => {
    await shown.call("fetch", { url: "http://a.internal/all", method: "POST", size: 7 });
    const { id } = await lastEntry(shown);
    const call = await shown.view(id);
    expect(call.decision?.heading).toBe('env.NET.fetch("http://a.internal/all")');
    expect(call.decision?.steps.map(({ label }) => label)).toEqual([
      "binding",
      "network",
      "routes",
      "target",
      "transport",
      "Host",
      "TLS",
    ]);
    expect(call.decision?.steps.find(({ label }) => label === "routes")?.lines[1]).toMatch(
      /^ {2}won {3}a\.internal {2}→ /,
    );
    expect(call.request).toMatchObject({ body: { size: 7, kept: 7, isEnded: true } });
    expect(call.request?.headers).toContainEqual(["Host", "a.internal"]);
    expect(call.response).toMatchObject({ statusText: "OK", body: { size: 7 } });
    expect(call.response?.headers).toContainEqual(["Content-Type", "text/plain"]);
    expect(call.timing?.phases.wait).toBeGreaterThan(0);
    expect(call.connection?.server).toEqual({ address: "127.0.0.1", port: origin.port });
    for (const part of ["request", "response"]) {
      const response = await fetch(`${shown.url}api/calls/${id}/${part}`);
      expect(response.headers.get("content-type")).toBe("application/octet-stream");
      expect(await response.text()).toBe("xxxxxxx");
    }
  });

  test("a refused call says what to add, and where", async () => {
    await expect(shown.call("fetch", { url: "http://b.internal/" })).rejects.toThrow("destination_not_found");
    const { error, response } = await shown.view((await lastEntry(shown)).id);
    expect(error).toMatchObject({ code: "destination_not_found", group: "Bad Upstream" });
    expect(error?.hint).toBe(
      `Add "b.internal": "localhost:80" to "routes" of the network at <vpc config> networks[${JSON.stringify(TUNNEL)}].`,
    );
    expect(response).toBeUndefined();
  });

  test("a connection shows what was said in turn", async () => {
    await shown.call("connect", { address: "db.internal:5432", text: "ping" });
    const { conversation, sent, received } = await shown.view((await lastEntry(shown)).id);
    expect(conversation).toEqual({
      more: 0,
      pieces: [
        { from: "worker", at: expect.any(Number), offset: 0, size: 4 },
        { from: "target", at: expect.any(Number), offset: 0, size: 4 },
      ],
    });
    expect([sent, received]).toMatchObject([{ size: 4 }, { size: 4 }]);
  });

  test("clearing empties every page and the journal; a call that is gone is a 404 in words", async () => {
    await using feed = await readFeed(shown.url);
    await using other = await readFeed(shown.url);
    await shown.call("fetch", { url: "http://a.internal/" });
    const { id } = shown.scenario.journal.entries.at(-1)!;
    await expect.poll(() => feed.rows.has(id) && other.rows.has(id), WAIT).toBe(true);
    expect((await shown.ask("DELETE", "api/requests")).status).toBe(204);
    await expect.poll(() => feed.rows.size + other.rows.size, WAIT).toBe(0);
    expect(await shown.view(id)).toEqual({
      error: "the session no longer has this call: it was cleared, or is too old.",
      status: 404,
    });
  });

  test("many calls come in few events", async () => {
    await using feed = await readFeed(shown.url);
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 300 }, () => shown.call("fetch", { url: "http://a.internal/" })));
    await expect.poll(() => feed.rows.size, WAIT).toBeGreaterThanOrEqual(300);
    // At most one in 50 milliseconds, however long it took.
    const rowEvents = feed.events.filter((event) => event === "rows").length;
    expect(rowEvents).toBeLessThan(10 + (performance.now() - startedAt) / 50);
    expect(rowEvents).toBeGreaterThan(0);
  });

  test("rules stay within reach of the page", async () => {
    const rule = { who: "NET", call: "/ruled", respond: { status: 418 } };
    const made = await shown.ask("POST", "api/rules", rule);
    expect(made.status).toBe(201);
    expect(await shown.call("fetch", { url: "http://a.internal/ruled" })).toMatchObject({ status: 418 });
    expect((await shown.ask("DELETE", `api/rules/${made.json.id}`)).status).toBe(204);
  });
});

/** A rule that leads all calls elsewhere, until it is disposed of. */
async function ruleTo(to: string): Promise<Disposable> {
  const { id } = shown.scenario.addRule({ who: "NET", to });
  return { [Symbol.dispose]: () => void shown.scenario.removeRules((rule) => rule.id === id) };
}

test("the page goes on after a reload of the Worker, at the same address and with its calls", async () => {
  await shown.open();
  await shown.call("fetch", { url: "http://a.internal/before-reload" });
  await shown.reload();
  await shown.call("fetch", { url: "http://a.internal/after-reload" });
  await using feed = await readFeed(shown.url);
  await expect
    .poll(() => [...feed.rows.values()].slice(-2).map(({ address }) => address), WAIT)
    .toEqual(["http://a.internal/before-reload", "http://a.internal/after-reload"]);
});

test('a config that is passed as an object asks for it with "ui": true, also under CI', async () => {
  vi.stubEnv("CI", "true");
  await using worker = await startTestWorker({
    config: { ui: true, services: { API: `127.0.0.1:${origin.port}` } },
    ops: {},
  });
  vi.unstubAllEnvs();
  expect((await get(addressIn(worker.output()))).statusCode).toBe(200);
});

test("the page ends with its session, also if the process goes on", async () => {
  const worker = await startShown({ services: { API: `127.0.0.1:${origin.port}` } });
  const { url } = worker;
  expect((await get(url)).statusCode).toBe(200);
  await worker[Symbol.asyncDispose]();
  await expect
    .poll(
      () =>
        get(url).then(
          () => "served",
          (error: NodeJS.ErrnoException) => error.code,
        ),
      WAIT,
    )
    .toBe("ECONNREFUSED");
});
