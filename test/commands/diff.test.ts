/** `diff`: what changed between a recording and the live targets. */

import { describe, expect, test } from "vitest";

import { type Recorded, harOf } from "../recordings/make-har.ts";
import { type HttpOrigin, startHttpOrigin } from "../servers/http-origin.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { SERVICE_ID, TUNNEL_ID } from "../setup/vpc-folder.ts";
import { type CallFolder, createCallFolder } from "./call.ts";

const WRANGLER = JSON.stringify({
  name: "api",
  vpc_services: [{ binding: "USERS", service_id: SERVICE_ID }],
  vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL_ID }],
});

const OTHER_ID = "7e4b0f1c-2f0a-4a52-9a55-3b0c8a3b6f10";

interface Answer {
  status?: string;
  headers?: string[];
  body?: string;
}

/** @param answers by `GET /path`; others get a 404 */
function startLive(answers: Record<string, Answer>): Promise<HttpOrigin> {
  return startHttpOrigin((request) => {
    const [, asked = ""] = /^(\S+ \S+)/.exec(request) ?? [];
    const {
      status = "200 OK",
      headers = ["Content-Type: application/json"],
      body = "",
    } = answers[asked] ?? {
      status: "404 Not Found",
    };
    const lines = [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${Buffer.byteLength(body)}`];
    return `${lines.join("\r\n")}\r\n\r\n${asked.startsWith("HEAD") ? "" : body}`;
  });
}

const JSON_TYPE = { "content-type": "application/json" };
const json = (url: string, value: unknown, more: Partial<Recorded> = {}): Recorded => ({
  url,
  answer: JSON.stringify(value),
  answerHeaders: JSON_TYPE,
  ...more,
});

/** The network leads `users.internal` to the live origin by way of the recording. */
function folderFor(recorded: readonly Recorded[], target: string, more: object = {}): Promise<CallFolder> {
  const networks = { NET: { routes: { "users.internal": { har: "users.har", target, ...more } } } };
  return createCallFolder({
    "wrangler.json": WRANGLER,
    "vpc.json": JSON.stringify({ services: { USERS: "worker:api" }, networks }),
    "users.har": harOf(recorded),
  });
}

test("nothing changed", async () => {
  const user = { id: 1, name: "Ada", tags: ["x"] };
  await using live = await startLive({
    "GET /users/1": { body: '{"tags":["y","z"],"name":"Bob","id":2}' },
    "HEAD /users/1": {},
    "GET /list": { body: "[]" },
  });
  await using vpc = await folderFor(
    [
      json("/users/1", user, { headers: { accept: "application/json", "accept-encoding": "gzip" } }),
      { url: "/users/1", method: "HEAD", answerHeaders: JSON_TYPE },
      json("/list", [{ id: 1 }]),
    ],
    `127.0.0.1:${live.port}`,
  );
  await expect(vpc.call("diff users.har")).resolves.toEqual({
    exit: 0,
    out: ["users.har: 3 answers are as recorded."],
    err: [],
  });
  expect(live.requests[0]).toBe(
    "GET /users/1 HTTP/1.1\r\nHost: users.internal\r\naccept: application/json\r\naccept-encoding: gzip\r\n\r\n",
  );
});

test("what changed: status, header fields, and JSON by its structure", async () => {
  await using live = await startLive({
    "GET /a": { status: "500 Internal Server Error", headers: ["Content-Type: text/html", "Date: x"], body: "<p>" },
    "GET /b": { body: '{"user":{"id":"1","new":true,"at":"x"},"list":[{"n":null},{}]}' },
    "GET /c": { headers: ["Content-Type: application/json; charset=utf-8", "Location: http://users.internal/y"] },
  });
  await using vpc = await folderFor(
    [
      json("/a", { ok: true }),
      json("/b", { user: { id: 1, name: "Ada", at: 1 }, list: [{ n: 1 }, { n: 2 }] }),
      { url: "/c", answerHeaders: { ...JSON_TYPE, location: "http://users.internal/x" } },
    ],
    `127.0.0.1:${live.port}`,
    { match: { ignore: ["at"] } },
  );
  const target = `127.0.0.1:${live.port}`;
  const { exit, out } = await vpc.call("diff users.har");
  expect(out).toEqual([
    `changed  GET http://users.internal/a → ${target}`,
    "    status 200 → 500",
    "    content-type: application/json → text/html",
    "    body is no longer JSON",
    `changed  GET http://users.internal/b → ${target}`,
    "    body user.id number → string",
    "    body user.name is missing",
    "    body list[].n number → null",
    "    body user.new is new",
    `changed  GET http://users.internal/c → ${target}`,
    "    content-type: application/json → application/json; charset=utf-8",
    "    location: http://users.internal/x → http://users.internal/y",
    "users.har: 3 of 3 answers changed.",
  ]);
  expect(exit).toBe(1);
});

test("values on request", async () => {
  await using live = await startLive({
    "GET /a": { body: '{"name":"Bob"}' },
    "GET /b": { headers: ["Content-Type: text/plain"], body: "other" },
  });
  await using vpc = await folderFor(
    [json("/a", { name: "Ada" }), { url: "/b", answer: "text" }],
    `127.0.0.1:${live.port}`,
  );
  expect((await vpc.call("diff users.har")).exit).toBe(0);
  const { exit, out } = await vpc.call("diff users.har --values");
  expect([exit, out[1], out[3]]).toEqual([1, '    body name is "Bob", not "Ada"', "    body 4 bytes → 5 other bytes"]);
});

test("only safe methods are sent, unless all are wanted", async () => {
  await using live = await startLive({ "POST /a": { body: "{}" } });
  await using vpc = await folderFor(
    [
      json("/a", {}, { method: "POST", body: '{"name":"Ada"}', headers: JSON_TYPE }),
      { url: "ws://users.internal/ws", status: 101 },
    ],
    `127.0.0.1:${live.port}`,
  );
  const before = await vpc.call("diff users.har");
  expect([before.exit, before.out]).toEqual([
    0,
    [
      "users.har: 0 answers are as recorded.",
      'Not sent: 1 with other methods; "--all-methods" sends them, too; 1 to a WebSocket.',
    ],
  ]);
  expect(live.requests).toEqual([]);
  const after = await vpc.call("diff users.har --all-methods");
  expect(after.out[0]).toBe("users.har: 1 answer is as recorded.");
  expect(live.requests[0]).toMatch(/^POST \/a HTTP\/1\.1\r\n[^]*Content-Length: 14\r\n\r\n\{"name":"Ada"\}$/);
});

test("a secret is never sent, unless it is given", async () => {
  await using live = await startLive({ "GET /a": { body: '{"token":7}' } });
  await using vpc = await folderFor(
    [
      json("/a", { token: "[redacted]" }, { headers: { authorization: "[redacted]", "x-other": "1" } }),
      json("/b?key=[redacted]", {}),
    ],
    `127.0.0.1:${live.port}`,
  );
  const { exit, out } = await vpc.call("diff users.har");
  expect([exit, out]).toEqual([
    0,
    [
      "users.har: 1 answer is as recorded.",
      "Not sent: 1 with a secret in the URL or body, which is not in the recording.",
      "Sent without authorization, which is secret in the recording: give it with --header.",
    ],
  ]);
  expect(live.requests[0]).not.toMatch(/authorization|redacted/i);
  await vpc.call("diff users.har --header authorization:secret");
  expect(live.requests[1]).toMatch(/^authorization: secret$/m);
});

test("a target that is gone, and one that never was", async () => {
  await using vpc = await folderFor([json("/a", {}), json("http://other.internal/b", {})], "127.0.0.1:1");
  const { exit, out } = await vpc.call("diff users.har");
  expect([exit, out]).toEqual([
    1,
    [
      "gone     GET http://users.internal/a → 127.0.0.1:1",
      "    connect ECONNREFUSED 127.0.0.1:1",
      "gone     GET http://other.internal/b",
      "    worker:api can only be asked in a session",
      "users.har: none of 2 requests got an answer.",
    ],
  ]);
});

test("a file that the vpc config does not name goes where its routes and records lead", async () => {
  await using live = await startLive({ "GET /a": { body: "{}" }, "GET /b": { body: "{}" } });
  await using vpc = await createCallFolder({
    "wrangler.json": WRANGLER,
    "vpc.json": JSON.stringify({
      services: { USERS: `127.0.0.1:${live.port}` },
      networks: { NET: { routes: { "users.internal": `http://127.0.0.1:${live.port}` } } },
    }),
    "session.har": harOf([json("/a", {}), json("http://any.host/b", {})]),
  });
  const { exit, out } = await vpc.call("diff session.har");
  expect([exit, out]).toEqual([0, ["session.har: 2 answers are as recorded."]]);
});

function startNamed(by: string): Promise<HttpOrigin> {
  const answer = { body: JSON.stringify({ [by]: 1 }) };
  return startLive({ "GET /a": answer, "POST /a": answer });
}

/** Two origins whose answers say which of them it was. */
async function startTwo(): Promise<{ first: HttpOrigin; second: HttpOrigin } & AsyncDisposable> {
  const [first, second] = await Promise.all([startNamed("first"), startNamed("second")]);
  return {
    first,
    second,
    async [Symbol.asyncDispose]() {
      await Promise.all([first[Symbol.asyncDispose](), second[Symbol.asyncDispose]()]);
    },
  };
}

const calledBy = (bindingName: string, workerName = "api"): Partial<Recorded> => ({
  more: { _binding: bindingName, _worker: workerName },
});

function folderOf(recorded: readonly Recorded[], vpc: object, more: Record<string, string> = {}): Promise<CallFolder> {
  return createCallFolder({
    "wrangler.json": WRANGLER,
    "vpc.json": JSON.stringify(vpc),
    "session.har": harOf(recorded),
    ...more,
  });
}

describe("the binding that made the call decides, whatever else leads to the host", () => {
  for (const route of ["orders.internal", "*.internal"]) {
    test(`a recording's own entry, and the route ${route}`, async () => {
      await using two = await startTwo();
      await using vpc = await folderOf(
        [
          json("http://orders.internal/a", { second: 1 }, calledBy("NET")),
          json("http://orders.internal/a", { second: 1 }, { ...calledBy("NET"), method: "POST" }),
          json("http://users.internal/a", { first: 1 }, calledBy("USERS")),
        ],
        {
          services: { USERS: { har: "session.har", target: `127.0.0.1:${two.first.port}` } },
          networks: { NET: { routes: { [route]: `127.0.0.1:${two.second.port}` } } },
        },
      );
      expect((await vpc.call("diff session.har --all-methods")).out).toEqual([
        "session.har: 3 answers are as recorded.",
      ]);
      expect([two.first.requests.length, two.second.requests.length]).toEqual([1, 2]);
    });
  }

  test("a service without a record, and a wildcard", async () => {
    await using two = await startTwo();
    await using vpc = await folderOf(
      [
        json("http://users.internal/a", { first: 1 }, calledBy("USERS")),
        json("http://users.internal/a", { second: 1 }, calledBy("NET", "of-another-name")),
      ],
      {
        services: { USERS: `127.0.0.1:${two.first.port}` },
        networks: { NET: { routes: { "*.internal": `127.0.0.1:${two.second.port}` } } },
      },
    );
    expect((await vpc.call("diff session.har")).out).toEqual(["session.har: 2 answers are as recorded."]);
  });

  test("of a file that doesn't say it, a wildcard is likelier than the route for everything else", async () => {
    await using two = await startTwo();
    const mesh = { binding: "MESH", network_id: "cf1:network" };
    await using vpc = await folderOf(
      [json("http://users.internal/a", { first: 1 }), json("http://www.example.com/a", { second: 1 })],
      {
        services: { USERS: "worker:api" },
        networks: {
          NET: { routes: { "*.internal": `127.0.0.1:${two.first.port}` } },
          "cf1:network": { routes: { "*": `127.0.0.1:${two.second.port}`, "users.internal:81": "localhost:1" } },
        },
      },
      {
        "wrangler.json": JSON.stringify({
          name: "api",
          vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL_ID }, mesh],
        }),
      },
    );
    expect((await vpc.call("diff session.har")).out).toEqual(["session.har: 2 answers are as recorded."]);
  });

  test("a binding that refuses the call now", async () => {
    await using vpc = await folderOf([json("/a", {}, calledBy("NET"))], {
      services: { USERS: "127.0.0.1:1" },
      networks: { NET: { routes: {} } },
    });
    const { exit, out } = await vpc.call("diff session.har");
    expect([exit, out]).toEqual([
      1,
      [
        "gone     GET http://users.internal/a",
        '    NET refuses the call: no route of network "NET" matches users.internal:80',
        "session.har: the request got no answer.",
      ],
    ]);
  });

  test("a stand-in has nothing to ask", async () => {
    await using vpc = await folderOf(
      [json("http://echo.internal/a", {}, calledBy("NET")), json("http://echo.internal/a", {})],
      {
        services: { USERS: "127.0.0.1:1" },
        networks: { NET: { routes: { "echo.internal": { respond: { json: {} } } } } },
      },
    );
    const { exit, out } = await vpc.call("diff session.har");
    expect([exit, out]).toEqual([
      0,
      ["session.har: 0 answers are as recorded.", "Not sent: 2 that a stand-in answers."],
    ]);
  });
});

describe("a file that doesn't name bindings goes by the host", () => {
  test("a record first, then a route with the name", async () => {
    await using two = await startTwo();
    const host = { hostname: "users.internal", resolver_network: { tunnel_id: TUNNEL_ID } };
    const record = { type: "http", name: "users", host };
    await using vpc = await folderOf([json("/a", { first: 1 }), json("http://orders.internal/a", { second: 1 })], {
      services: { USERS: { ...record, target: `127.0.0.1:${two.first.port}` } },
      networks: {
        NET: {
          routes: {
            "users.internal": `127.0.0.1:${two.second.port}`,
            "orders.internal": `127.0.0.1:${two.second.port}`,
          },
        },
      },
    });
    expect(await vpc.call("diff session.har")).toMatchObject({
      out: ["session.har: 2 answers are as recorded."],
      err: [],
    });
  });

  test("several that may be meant, until one is chosen", async () => {
    await using two = await startTwo();
    const [first, second] = [`127.0.0.1:${two.first.port}`, `127.0.0.1:${two.second.port}`];
    await using vpc = await folderOf([json("/a", { second: 1 }), json("/a", { first: 1 }, calledBy("USERS"))], {
      services: { USERS: first },
      networks: { NET: { routes: { "*.internal": second } } },
    });
    const { exit, out } = await vpc.call("diff session.har");
    expect([exit, out]).toEqual([
      1,
      [
        "gone     GET http://users.internal/a",
        `    the file doesn't say which binding made the call, and several lead to users.internal: USERS (${first}), NET (${second}). Choose one with --binding USERS`,
        "session.har: 1 of 2 requests got no answer; the other is as recorded.",
      ],
    ]);
    const chosen = await vpc.call("diff session.har --binding NET");
    expect(chosen.out).toEqual(["session.har: 2 answers are as recorded."]);
    const unknown = await vpc.call("diff session.har --binding NETS");
    expect([unknown.exit, unknown.err]).toEqual([
      2,
      ['miniflare-vpc diff: there is no VPC binding "NETS". Did you mean "NET"?'],
    ]);
  });
});

function workerWith(name: string, serviceId: string): string {
  return JSON.stringify({ name, vpc_services: [{ binding: "USERS", service_id: serviceId }] });
}

test("of two Workers with a binding of the same name, the one that made the call counts", async () => {
  await using two = await startTwo();
  const [first, second] = [`127.0.0.1:${two.first.port}`, `127.0.0.1:${two.second.port}`];
  const recorded = [
    json("/a", { first: 1 }, calledBy("USERS", "api")),
    json("/a", { second: 1 }, calledBy("USERS", "web")),
    json("/a", { second: 1 }, calledBy("USERS", "gone")),
  ];
  const services = { [SERVICE_ID]: first, [OTHER_ID]: second };
  await using vpc = await folderOf(
    recorded,
    { services },
    {
      "wrangler.json": workerWith("api", SERVICE_ID),
      "web.json": workerWith("web", OTHER_ID),
    },
  );
  const unchosen = await vpc.call("diff session.har -c wrangler.json -c web.json");
  expect(unchosen.out[1]).toMatch(/Choose one with --binding USERS --worker api$/);
  expect(unchosen.out[2]).toBe("session.har: 1 of 3 requests got no answer; the other 2 are as recorded.");
  const chosen = await vpc.call("diff session.har -c wrangler.json -c web.json --binding USERS --worker web");
  expect(chosen.out).toEqual(["session.har: 3 answers are as recorded."]);
});

test("a recording without a target says where to add one", async () => {
  const recorded = [json("/a", {}), json("/a", {}, calledBy("USERS"))];
  await using vpc = await folderOf(recorded, {
    services: { USERS: "har:./session.har" },
    networks: { NET: { routes: {} } },
  });
  const { exit, out } = await vpc.call("diff session.har");
  const reason =
    '    the recording "session.har" has no target to ask: add a "target" at FOLDER/vpc.json:1:14, as in { "har": …, "target": "localhost:PORT" }';
  const head = "gone     GET http://users.internal/a";
  expect([exit, out]).toEqual([1, [head, reason, head, reason, "session.har: none of 2 requests got an answer."]]);
});

test("over TLS, with the roots of the config", async () => {
  const root = makeAuthority("Test root");
  await using secure = await startTlsOrigin({
    ...root.issue("users.internal", { names: ["users.internal"] }),
    answer: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok",
  });
  await using vpc = await folderFor([{ url: "https://users.internal/", answer: "ok" }], `127.0.0.1:${secure.port}`);
  const untrusted = await vpc.call("diff users.har");
  expect(untrusted.out[1]).toMatch(/certificate/);
  const { networks } = {
    networks: { NET: { routes: { "users.internal": { har: "users.har", target: `127.0.0.1:${secure.port}` } } } },
  };
  await vpc.write("vpc.json", JSON.stringify({ ca: ["root.pem"], services: { USERS: "worker:api" }, networks }));
  await vpc.write("root.pem", root.cert);
  expect((await vpc.call("diff users.har")).out).toEqual(["users.har: 1 answer is as recorded."]);
});

test("--json", async () => {
  await using live = await startLive({ "GET /a": { body: '{"id":"1"}' } });
  await using vpc = await folderFor([json("/a", { id: 1 })], `127.0.0.1:${live.port}`);
  const { exit, out } = await vpc.call("diff users.har --json");
  expect(exit).toBe(1);
  expect(JSON.parse(out.join("\n"))).toEqual({
    file: "users.har",
    same: 0,
    changed: 1,
    gone: 0,
    skipped: 0,
    entries: [
      {
        number: 1,
        method: "GET",
        url: "http://users.internal/a",
        target: `127.0.0.1:${live.port}`,
        outcome: { type: "changed", changes: [{ part: "body", name: "id", change: "number → string" }] },
      },
    ],
  });
});

test("mistakes of the command line and of the file", async () => {
  await using vpc = await folderFor([json("/a", {})], "127.0.0.1:1");
  const missing = await vpc.call("diff none.har");
  expect([missing.exit, missing.err]).toEqual([2, ['miniflare-vpc diff: there is no file "none.har".']]);
  const header = await vpc.call("diff users.har --header nonsense");
  expect([header.exit, header.err]).toEqual([
    2,
    ['miniflare-vpc diff: "--header" is "nonsense", but must be "name: value".'],
  ]);
  await vpc.write("broken.har", '{"log":{}');
  const broken = await vpc.call("diff broken.har");
  expect([broken.exit, broken.err[0]]).toEqual([
    1,
    'broken.har:1:10: error: the recording "FOLDER/broken.har" can\'t be replayed: it is not JSON: it ends where "," should be [broken-recording]',
  ]);
});
