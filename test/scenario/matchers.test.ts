/** The setup file in a test that runs in Node: its matchers, the texts of their failures, and the reset after each test. */

// oxlint-disable-next-line import/no-unassigned-import
import "miniflare-vpc/test/setup";
import { type Vpc, connectVpc } from "miniflare-vpc/test/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestWorker, TUNNEL, startTestWorker } from "../setup/test-worker.ts";

let worker: TestWorker;
let vpc: Vpc;

beforeAll(async () => {
  worker = await startTestWorker({
    ops: {
      // oxlint-disable-next-line typescript/no-explicit-any
      fetch: async (env: any, { url, ...init }: { url: string; method?: string; body?: string }) =>
        (await env.NET.fetch(url, init)).status,
    },
    config: { networks: { [TUNNEL]: { routes: { "api.internal": () => new Response("from the config") } } } },
  });
  vpc = await connectVpc(worker.miniflare);
});

afterAll(async () => {
  await vpc[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
});

async function failureOf(assertion: Promise<void>): Promise<string> {
  return assertion.then(
    () => "passed",
    (error: unknown) => (error as Error).message,
  );
}

test("a failure names what was received and what differs", async () => {
  await worker.call("fetch", { url: "http://api.internal/users", method: "POST", body: '{"name":"Ada"}' });
  await worker.call("fetch", { url: "http://api.internal/users/7" });
  await expect(vpc).toHaveReceived("NET", "POST /users", { json: { name: "Ada" } }, { times: 1 });
  await expect(vpc).not.toHaveReceived("api.internal", "DELETE /users");
  await expect(vpc).toHaveReceivedInOrder([
    ["NET", "POST /users", { body: /Ada/ }],
    ["NET", "GET /users/:id"],
  ]);
  await expect(vpc).not.toHaveConnected("NET");
  expect(await failureOf(expect(vpc).toHaveReceived("NET", "POST /users", { json: { name: "Eve" } }))).toBe(
    `Expected "NET", POST /users with its json, at least once; it was received 0 times.
The nearest:
  NET  POST http://api.internal/users  200
    the JSON body's name is "Ada", not "Eve"
  NET  GET http://api.internal/users/7  200
    the method is GET, not POST
    the path is /users/7, not /users`,
  );
  expect(await failureOf(expect(vpc).not.toHaveReceived("NET", "POST /users", {}, { times: 1 }))).toBe(
    `Expected "NET", POST /users, not 1 time; it was received 1 time:
  NET  POST http://api.internal/users  200`,
  );
  expect(await failureOf(expect(vpc).not.toHaveReceived("NET", "/users/:id"))).toBe(
    `Expected "NET", /users/:id, never; it was received 1 time:
  NET  GET http://api.internal/users/7  200`,
  );
  expect(
    await failureOf(
      expect(vpc).toHaveReceivedInOrder([
        ["NET", "GET /users/:id"],
        ["NET", "POST /users"],
      ]),
    ),
  ).toBe(
    `Expected 2 calls in order; number 2, "NET", POST /users, did not come after the ones before it.
Received:
  NET  POST http://api.internal/users  200
  NET  GET http://api.internal/users/7  200`,
  );
  expect(await failureOf(expect(vpc).toHaveConnected("db.internal:5432"))).toBe(
    `Expected a connection to "db.internal:5432", at least once; it was received 0 times.
No connection was made at all.`,
  );
  expect(await failureOf(expect(vpc).toHaveReceived("NET", "/", {}, { times: -1 }))).toBe(
    'vpc: "times" is -1; write a number of calls.',
  );
  expect(await failureOf(expect({}).toHaveReceived("NET"))).toBe(
    "expect(…).toHaveReceived() is for the vpc of miniflare-vpc/test, or one that connectVpc() returned and that is not disposed of.",
  );
  await vpc.strict();
});

test("the next test begins without its calls and its rules", async () => {
  await expect(vpc).not.toHaveReceived("NET");
  expect(await worker.call("fetch", { url: "http://api.internal/" })).toBe(200);
});

test("miniflare-vpc/test says where it works", async () => {
  const { vpc: elsewhere } = await import("miniflare-vpc/test");
  const text =
    "miniflare-vpc/test works in a vitest test whose config uses withVpc() of miniflare-vpc/vitest. In Node, use connectVpc() of miniflare-vpc/test/node.";
  await expect(elsewhere.requests()).rejects.toThrow(new TypeError(text));
  await expect(elsewhere.on("NET").respond(() => new Response())).rejects.toThrow(new TypeError(text));
  await expect(elsewhere.reset()).rejects.toThrow(new TypeError(text));
  await expect(Promise.resolve(elsewhere[Symbol.asyncDispose]())).rejects.toThrow(new TypeError(text));
});
