/** Rules and the journal over HTTP, for other languages. */

import { expect, test } from "vitest";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { echo, startTcpServer } from "../servers/tcp-server.ts";
import { checkHar } from "../recordings/check-har.ts";
import { TUNNEL } from "../setup/test-worker.ts";
import { type Controlled, startControlled } from "./start-controlled.ts";

async function start(stack: AsyncDisposableStack): Promise<Controlled> {
  const origin = stack.use(await startHttpOrigin(ok("from the origin")));
  const server = stack.use(await startTcpServer(echo));
  const routes = { "api.internal": `127.0.0.1:${origin.port}`, "db.internal:5432": `127.0.0.1:${server.port}` };
  return stack.use(await startControlled({ config: { networks: { [TUNNEL]: { routes } } } }));
}

const URL_OF_USER = "http://api.internal/users/7";

test("rules are added, listed and removed", async () => {
  await using stack = new AsyncDisposableStack();
  const { ask, call } = await start(stack);
  const added = await ask("POST", "/rules", {
    who: "api.internal",
    call: "GET /users/:id",
    respond: { json: { id: "{id}" } },
  });
  expect(added).toEqual({ status: 201, json: { id: "rule-1" } });
  await ask("POST", "/rules", { who: "NET", times: 1, fail: "dns_timeout" });
  await expect(call("fetch", { url: URL_OF_USER })).rejects.toThrow("ProxyError: dns_timeout");
  expect(await call("fetch", { url: URL_OF_USER })).toEqual({ status: 200, text: '{"id":"7"}' });
  expect(await ask("GET", "/rules")).toEqual({
    status: 200,
    json: [
      { id: "rule-2", text: '"NET", every call', who: "NET", effect: "fail", decided: 1 },
      { id: "rule-1", text: '"api.internal", GET /users/:id', who: "api.internal", effect: "respond", decided: 1 },
    ],
  });
  expect(await ask("DELETE", "/rules/rule-1")).toEqual({ status: 204, json: undefined });
  expect(await call("fetch", { url: URL_OF_USER })).toEqual({ status: 200, text: "from the origin" });
  expect(await ask("DELETE", "/rules/rule-1")).toEqual({
    status: 404,
    json: { error: 'there is no rule "rule-1".', status: 404 },
  });
  await ask("POST", "/rules", { who: "NET", to: { deny: "destination_unavailable" } });
  expect(await ask("DELETE", "/rules")).toEqual({ status: 204, json: undefined });
  expect(await ask("GET", "/rules")).toEqual({ status: 200, json: [] });
  expect(await call("fetch", { url: URL_OF_USER })).toEqual({ status: 200, text: "from the origin" });
});

test.each([
  [{ who: "NET" }, "vpc: a rule has one of respond, fail, to, faults; this one has none."],
  [
    { who: "NET", respondBy: "x" },
    'vpc: "respondBy" is not a field of a rule. Write "respond", "fail", "to" or "faults".',
  ],
  [{ who: "http://x/", fail: "dns_timeout" }, 'vpc.on(): "http://x/" is not a binding of this session'],
  [
    { who: "NET", call: { json: JSON.parse("[".repeat(2000) + "]".repeat(2000)) }, fail: "dns_timeout" },
    'vpc: "json" of a call: the nesting is deeper than 500 levels',
  ],
  [
    { who: "NET", respond: { json: JSON.parse("[".repeat(3000) + "]".repeat(3000)) } },
    'vpc: "json" of the answer can\'t be written as JSON: the nesting is deeper than 500 levels',
  ],
  [{ who: "NET", faults: [{ type: "latence" }] }, '"type" is "latence", which is not a fault. Did you mean "latency"?'],
])("POST /rules with %j is refused in words", async (rule, error) => {
  await using stack = new AsyncDisposableStack();
  const { ask } = await start(stack);
  const { status, json } = await ask("POST", "/rules", rule);
  expect(json.error).toContain(error);
  expect(status).toBe(400);
});

test("the journal gives requests, connections and their bytes", async () => {
  await using stack = new AsyncDisposableStack();
  const { ask, call, url } = await start(stack);
  // Nothing is kept before a client has asked.
  await ask("GET", "/version");
  await call("fetch", { url: URL_OF_USER });
  expect((await ask("GET", "/requests")).json).toEqual([]);

  await call("fetch", { url: URL_OF_USER, method: "POST", size: 100_000 });
  await call("fetch", { url: "http://api.internal/other" });
  await call("connect", { address: "db.internal:5432", text: "ping" });
  const { json: requests } = await ask(
    "GET",
    `/requests?who=api.internal&call=${encodeURIComponent("POST /users/:id")}`,
  );
  expect(requests).toMatchObject([
    {
      binding: "NET",
      worker: "app",
      method: "POST",
      url: URL_OF_USER,
      status: 200,
      route: "api.internal",
      body: { size: 100_000, isTruncated: false },
      responseBody: { size: 15, base64: btoa("from the origin") },
    },
  ]);
  const { json: connections } = await ask("GET", "/connections?who=NET");
  expect(connections).toMatchObject([{ address: "db.internal:5432", sent: { size: 4 }, received: { size: 4 } }]);
  const bytes = async (path: string): Promise<string> => (await fetch(url + path)).text();
  expect(await bytes(`/requests/${requests[0].id}/body`)).toBe("x".repeat(100_000));
  expect(await bytes(`/requests/${requests[0].id}/response`)).toBe("from the origin");
  expect(await bytes(`/connections/${connections[0].id}/sent`)).toBe("ping");
  expect(await bytes(`/connections/${connections[0].id}/received`)).toBe("ping");
  expect(await ask("GET", "/requests/77/body")).toMatchObject({
    status: 404,
    json: { error: 'the journal has no request "77".' },
  });
  expect((await ask("GET", "/requests")).json).toHaveLength(2);
  expect(await ask("DELETE", "/requests")).toMatchObject({ status: 204 });
  expect((await ask("GET", "/requests")).json).toEqual([]);
});

test("events tell of each request and connection as it happens", async () => {
  await using stack = new AsyncDisposableStack();
  const { call, url, scenario } = await start(stack);
  const given = new AbortController();
  const response = await fetch(`${url}/events`, { signal: given.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  let text = "";
  const reading = (async () => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) text += chunk;
  })().catch((error: unknown) => error);
  await call("fetch", { url: URL_OF_USER });
  await call("connect", { address: "db.internal:5432", text: "ping" });
  const events = (): { type: string; data: Record<string, unknown> }[] =>
    [...text.matchAll(/event: (\w+)\nid: \d+\ndata: (.*)\n\n/g)].map(([, type = "", data = ""]) => ({
      type,
      data: JSON.parse(data),
    }));
  await expect
    .poll(() => events().filter(({ data }) => data["duration"] !== undefined))
    .toMatchObject([
      { type: "request", data: { url: URL_OF_USER, status: 200 } },
      { type: "connection", data: { address: "db.internal:5432" } },
    ]);
  const listeners = scenario.journal.changes.listenerCount("entry");
  given.abort();
  await expect.poll(() => scenario.journal.changes.listenerCount("entry")).toBe(listeners - 1);
  expect(await reading).toMatchObject({ name: "AbortError" });
});

test("what is not there is named", async () => {
  await using stack = new AsyncDisposableStack();
  const { ask, url } = await start(stack);
  expect(await ask("GET", "/nothing")).toEqual({
    status: 404,
    json: { error: "there is no GET /nothing; docs/control.openapi.yaml lists what there is.", status: 404 },
  });
  expect(await ask("PUT", "/rules", {})).toMatchObject({
    status: 404,
    json: { error: expect.stringContaining("PUT /rules") },
  });
  const broken = await fetch(`${url}/rules`, { method: "POST", body: "{" });
  expect([broken.status, await broken.json()]).toEqual([
    400,
    { error: expect.stringContaining("the body is not JSON: "), status: 400 },
  ]);
});

test("the journal as a HAR file, without secrets", async () => {
  await using stack = new AsyncDisposableStack();
  const { ask, call, scenario } = await start(stack);
  expect(checkHar((await ask("GET", "/har")).json).log.entries).toEqual([]);
  await call("fetch", { url: "http://api.internal/a?token=a-secret-token-1&page=1" });
  await call("fetch", { url: "http://api.internal/b?page=2", method: "POST", size: 2_000_000 });
  await call("connect", { address: "db.internal:5432", text: "ping" });
  scenario.addRule({ who: "NET", fail: "dns_timeout" });
  await expect(call("fetch", { url: "http://api.internal/failed" })).rejects.toThrow("dns_timeout");
  await expect.poll(() => scenario.journal.entries.filter(({ duration }) => duration === undefined)).toEqual([]);
  const { json } = await ask("GET", "/har?redact=token&redact=other");
  const { log } = checkHar(json);
  expect(log.entries.map(({ request }) => [request.method, request.url])).toEqual([
    ["GET", "http://api.internal/a?token=[redacted]&page=1"],
    ["POST", "http://api.internal/b?page=2"],
  ]);
  expect(JSON.stringify(json)).not.toContain("a-secret-token-1");
  expect(log.entries[0]).toMatchObject({
    serverIPAddress: "127.0.0.1",
    response: { content: { text: "from the origin" } },
  });
  expect(log.entries[1]?.comment).toBe("The body is cut off after 1048576 of 2000000 bytes.");
  expect(log.comment).toMatch(/^1 call is not in it, because of a failure/);
  const filtered = await ask("GET", "/har?call=GET%20/a");
  expect(checkHar(filtered.json).log.entries).toHaveLength(1);
});
