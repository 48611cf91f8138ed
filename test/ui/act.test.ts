/** What the page does with calls: each as a request of the page's own code. What is copied is run. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { connectVpc } from "miniflare-vpc/test/node";
import { type HttpOrigin, startHttpOrigin } from "../servers/http-origin.ts";
import { type TestServer, echo, startTcpServer } from "../servers/tcp-server.ts";
import { SERVICE, TUNNEL } from "../setup/test-worker.ts";
import { type Shown, callOnce, lastEntry, readFeed, sortedRequest, startShown } from "./start-shown.ts";

const WAIT = { timeout: 30_000 };
const JSON_BODY = { name: "Ada", note: 'it\'s "{id}"', tags: ["a", 1, null] };
/** The comma of a date is none between two cookies. */
const COOKIES = ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2; HttpOnly"];
const stack = new AsyncDisposableStack();
let origin: HttpOrigin;
let database: TestServer;
let shown: Shown;
/** Reaches everything. */
let mesh: Shown;
/** The requests that the target got. */
const asked: string[] = [];

function answer(request: string): string {
  asked.push(request);
  const isJson = request.includes(" /json");
  const body = isJson ? JSON.stringify(JSON_BODY) : "plain";
  const type = isJson ? "application/json" : "text/plain";
  const status = request.includes(" /missing") ? "404 Not Found" : "200 OK";
  const cookies = request.includes("/cookies") ? COOKIES.map((cookie) => `Set-Cookie: ${cookie}\r\n`).join("") : "";
  return `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\n${cookies}X-Kept: yes\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

beforeAll(async () => {
  origin = stack.use(await startHttpOrigin(answer));
  database = stack.use(await startTcpServer(echo));
  shown = stack.use(
    await startShown({
      services: { [SERVICE]: `http://127.0.0.1:${origin.port}` },
      networks: {
        [TUNNEL]: {
          routes: {
            "a.internal": `127.0.0.1:${origin.port}`,
            "down.internal": "127.0.0.1:1",
            "fixed.internal": { respond: { text: "fixed" } },
            "slow.internal": {
              target: `127.0.0.1:${origin.port}`,
              faults: [{ type: "latency", attributes: { latency: 1 } }],
            },
            "db.internal:5432": `127.0.0.1:${database.port}`,
          },
        },
      },
    }),
  );
  await shown.open();
  const target = `127.0.0.1:${origin.port}`;
  mesh = stack.use(
    await startShown(
      { networks: { "cf1:network": { routes: { "*": target, "a.internal": target } } } },
      { NET: { type: "vpc-network", networkId: "cf1:network" } },
    ),
  );
  await mesh.open();
});
afterAll(() => stack.disposeAsync());
beforeEach(() => {
  shown.scenario.removeRules(() => true);
  asked.length = 0;
});

/** @returns the id of its entry, when it is over */
function make(op: "fetch" | "connect", argument: object): Promise<number> {
  return callOnce(shown, op, argument);
}

describe("copy as curl", () => {
  test.each([
    ["fetch", { url: "http://fixed.internal/" }, "a stand-in answered, so there is no server to ask."],
    ["fetch", { url: "http://none.internal/" }, "the vpc config refused the call with destination_not_found"],
    ["connect", { address: "db.internal:5432", text: "ping" }, "curl speaks HTTP, and this is a connection."],
  ] as const)("%s %j can't be copied, and says why", async (op, argument, why) => {
    const id = await make(op, argument);
    const { status, json } = await shown.ask("GET", `api/calls/${id}/curl`);
    expect(status).toBe(409);
    expect(json.error).toContain(why);
  });
});

describe("copy as test", () => {
  const evaluate = async (code: string): Promise<void> => {
    await using vpc = await connectVpc(shown.miniflare);
    // oxlint-disable-next-line typescript/no-implied-eval -- what is copied must be valid code
    await new Function("vpc", `return (async () => { ${code} })()`)(vpc);
    await check();
  };
  let check: () => Promise<void>;

  test.each([
    ["a service", { binding: "API", url: "http://127.0.0.1/json" }, 'await vpc.on("API", "GET /json").respond({'],
    [
      "a network",
      { url: "http://a.internal/missing" },
      'await vpc.on("a.internal", "GET /missing").respond({ status: 404',
    ],
    [
      "a port and a query",
      { url: "http://a.internal:8080/json?q=a%20b" },
      'await vpc.on("a.internal:8080", { method: "GET", path: "/json", query: { q: "a b" } }).respond({',
    ],
    ["several cookies", { url: "http://a.internal/json/cookies" }, `"set-cookie": ["${COOKIES.join('", "')}"]`],
    ["signs of a pattern", { url: "http://a.internal/json/:id(a)*" }, String.raw`"GET /json/\\:id\\(a\\)\\*"`],
  ])("%s: the code answers the same", async (_, argument, start) => {
    const before = await shown.call("fetch", argument);
    const { id } = await lastEntry(shown);
    const { json } = await shown.ask("GET", `api/calls/${id}/test`);
    expect(json.text).toContain(start);
    expect(json.text).not.toMatch(/content-length/i);
    const served = asked.length;
    check = async () => {
      expect(await shown.call("fetch", argument)).toEqual(before);
      expect(asked.length).toBe(served);
      expect(shown.scenario.journal.entries.at(-1)!.rule).toBeDefined();
    };
    await evaluate(json.text);
  });

  test("a failed call and a connection", async () => {
    const failed = await make("fetch", { url: "http://down.internal/" });
    const { json } = await shown.ask("GET", `api/calls/${failed}/test`);
    expect(json.text).toBe('await vpc.on("down.internal", "GET /").fail("connection_refused");');
    check = async () =>
      await expect(shown.call("fetch", { url: "http://down.internal/" })).rejects.toThrow("connection_refused");
    await evaluate(json.text);
    const connected = await make("connect", { address: "db.internal:5432", text: "ping" });
    const played = await shown.ask("GET", `api/calls/${connected}/test`);
    check = async () => expect(await shown.call("connect", { address: "db.internal:5432", text: "" })).toBe("ping");
    await evaluate(played.json.text);
  });
});

describe("send again", () => {
  test("goes where its binding decides now, and says in the list that the page has sent it", async () => {
    await using feed = await readFeed(shown.url);
    const id = await make("fetch", { url: "http://a.internal/json", method: "POST", size: 5 });
    const again = await shown.ask("POST", `api/calls/${id}/again`, {});
    expect(again.status).toBe(202);
    await expect
      .poll(() => feed.rows.get(again.json.id), WAIT)
      .toMatchObject({
        isRepeated: true,
        binding: "NET",
        method: "POST",
        status: 200,
        sent: 5,
        duration: expect.any(Number),
      });
    expect(feed.rows.get(id)).not.toHaveProperty("isRepeated");
    expect(sortedRequest(asked[1]!)).toBe(sortedRequest(asked[0]!));
    expect(shown.output()).toContain("a.internal");
  });

  test("edited, it is another call, also to a destination that is refused", async () => {
    const id = await make("fetch", { url: "http://a.internal/json" });
    const edited = await shown.ask("POST", `api/calls/${id}/again`, {
      method: "PUT",
      url: "http://a.internal/missing?edited",
      headers: [["x-new", "1"]],
      body: "new",
    });
    await expect.poll(() => asked.length, WAIT).toBe(2);
    expect(asked[1]).toMatch(/^PUT \/missing\?edited HTTP\/1\.1\r\n/);
    expect(asked[1]).toMatch(/x-new: 1/i);
    expect(asked[1]!.endsWith("new")).toBe(true);
    expect((await shown.view(edited.json.id)).row).toMatchObject({ address: "http://a.internal/missing?edited" });
    const refused = await shown.ask("POST", `api/calls/${id}/again`, { url: "http://none.internal/" });
    await expect.poll(async () => (await shown.view(refused.json.id)).row.code, WAIT).toBe("destination_not_found");
  });

  test.each([
    [{ method: "G ET" }, 'the method is "G ET"'],
    [{ url: "ftp://a.internal/" }, 'must begin with "http://" or "https://"'],
    [{ headers: [["a b", "c"]] }, 'the header field "a b" can\'t be sent'],
    [{ body: "x" }, "a request with the method GET has no body"],
    [[], "must be an object"],
  ])("%j is refused in words", async (edit, why) => {
    const id = await make("fetch", { url: "http://a.internal/json" });
    const { status, json } = await shown.ask("POST", `api/calls/${id}/again`, edit);
    expect(status).toBe(400);
    expect(json.error).toContain(why);
  });

  test("a connection can't be, and after a reload it waits for the Worker's first call", async () => {
    const connected = await make("connect", { address: "db.internal:5432", text: "ping" });
    const refused = await shown.ask("POST", `api/calls/${connected}/again`, {});
    expect(refused.json.error).toContain("only the Worker can lead");
    const id = await make("fetch", { url: "http://a.internal/json" });
    await shown.reload();
    const early = await shown.ask("POST", `api/calls/${id}/again`, {});
    expect([early.status, early.json.error]).toEqual([409, expect.stringContaining("has started anew")]);
    await make("fetch", { url: "http://a.internal/json" });
    expect((await shown.ask("POST", `api/calls/${id}/again`, {})).status).toBe(202);
  });
});

describe("what is in force", () => {
  test("an answer becomes a stand-in, a route is denied, a fault is put on; each is listed, and undone", async () => {
    await using feed = await readFeed(shown.url);
    const url = "http://a.internal/json/cookies";
    const id = await make("fetch", { url });
    expect((await shown.ask("POST", `api/calls/${id}/stand-in`, {})).status).toBe(201);
    const served = asked.length;
    expect(await shown.call("fetch", { url })).toMatchObject({
      status: 200,
      text: JSON.stringify(JSON_BODY),
      cookies: COOKIES,
    });
    expect(asked.length).toBe(served);
    expect((await shown.ask("POST", `api/calls/${id}/deny`, {})).status).toBe(201);
    await expect(shown.call("fetch", { url })).rejects.toThrow("destination_ip_prohibited");
    const fault = { type: "latency", attributes: { latency: 20, jitter: 5 }, stream: "upstream", toxicity: 0.5 };
    expect((await shown.ask("POST", "api/rules", { who: "db.internal:5432", faults: [fault] })).status).toBe(201);
    await expect
      .poll(() => feed.inForce?.rules, WAIT)
      .toMatchObject([
        {
          who: "db.internal:5432",
          effect: "faults",
          text: "latency=20 jitter=5 stream=upstream toxicity=0.5",
          from: "page",
        },
        { who: "a.internal", effect: "fail", text: "fails with destination_ip_prohibited", from: "page", decided: 1 },
        { who: "a.internal", call: "GET /json/cookies", effect: "respond", text: "answers 200", from: "page" },
      ]);
    expect(feed.inForce?.configFaults).toEqual([
      { who: "slow.internal", text: "latency=1", origin: expect.stringContaining("slow.internal") },
    ]);
    const denied = await shown.view((await lastEntry(shown)).id);
    expect(denied.row.rule).toBe('rule "a.internal"');
    expect(denied.decision?.steps[0]).toEqual({
      label: "rule",
      lines: [
        'rule "a.internal" fails with destination_ip_prohibited',
        "Without it, the vpc config would have decided:",
      ],
    });
    expect(denied.timing?.at.answered).toBeUndefined();
    for (const rule of feed.inForce!.rules)
      expect((await shown.ask("DELETE", `api/rules/${rule.id}`)).status).toBe(204);
    await expect.poll(() => feed.inForce?.rules, WAIT).toEqual([]);
    expect(await shown.call("fetch", { url })).toMatchObject({ status: 200 });
    expect(asked.length).toBe(served + 1);
  });

  test("the route for everything else is denied alone", async () => {
    const url = "http://www.example.com/json";
    const id = await callOnce(mesh, "fetch", { url });
    expect((await mesh.ask("POST", `api/calls/${id}/deny`, {})).status).toBe(201);
    expect(mesh.scenario.rules.map(({ whoText }) => whoText)).toEqual(["*"]);
    for (const refused of [url, "http://9.9.9.9/"])
      await expect(mesh.call("fetch", { url: refused })).rejects.toThrow("destination_ip_prohibited");
    expect(await mesh.call("fetch", { url: "http://a.internal/" })).toMatchObject({ status: 200 });
  });

  test("a fault that acts is named in the call's row", async () => {
    await using feed = await readFeed(shown.url);
    const id = await make("fetch", { url: "http://slow.internal/json" });
    await expect.poll(() => feed.rows.get(id), WAIT).toMatchObject({ faults: ["latency"], status: 200 });
  });

  test("rules of tests are listed as theirs", async () => {
    await using feed = await readFeed(shown.url);
    await using vpc = await connectVpc(shown.miniflare);
    await vpc.on("API").respond([{ status: 503 }, { text: "x" }]);
    await vpc.strict();
    await expect
      .poll(() => feed.inForce, WAIT)
      .toMatchObject({ isStrict: true, rules: [{ who: "API", text: "answers 503, 200" }] });
    await vpc.reset();
  });

  test("a failed call becomes a rule that fails; what is refused already can't be denied", async () => {
    const failed = await make("fetch", { url: "http://down.internal/x" });
    await shown.ask("POST", `api/calls/${failed}/stand-in`, {});
    expect(shown.scenario.rules[0]?.effect).toEqual({ type: "fail", code: "connection_refused" });
    const refused = await make("fetch", { url: "http://none.internal/" });
    expect((await shown.ask("POST", `api/calls/${refused}/deny`, {})).status).toBe(409);
    const connected = await make("connect", { address: "db.internal:5432", text: "ping" });
    expect((await shown.ask("POST", `api/calls/${connected}/stand-in`, {})).status).toBe(409);
    expect((await shown.ask("POST", `api/calls/${connected}/deny`, {})).status).toBe(201);
    await expect(shown.call("connect", { address: "db.internal:5432", text: "x" })).rejects.toThrow(
      "destination_ip_prohibited",
    );
  });
});
