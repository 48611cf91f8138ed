/** The terminal's lines of observed calls: where they really went, and why they failed. */

import { connectVpc, down, httpStatus, latency, limitData, truncate } from "miniflare-vpc/test/node";
import { expect, test, vi } from "vitest";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { echo, startTcpServer } from "../servers/tcp-server.ts";
import { TUNNEL, type TestEnv, startTestWorker } from "../setup/test-worker.ts";

const ops = {
  fetch: async (env: TestEnv, { url, ...init }: { url: string; method?: string; body?: string }) =>
    (await env.NET.fetch(url, init)).text(),
  connect: async (env: TestEnv, address: string) => {
    const socket = await env.NET.connect(address);
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode("ping"));
    await writer.close();
    return new Response(socket.readable).text();
  },
};

/** Without what differs between two runs. */
function linesOf(output: string): string[] {
  return output
    .split("\n")
    .map((line) =>
      line
        .replace(/ {2}\d+ ms$/, "")
        .replaceAll(/localhost:\d+/g, "localhost:1")
        .trimEnd(),
    )
    .filter((line) => line.startsWith("NET") || /^ {2}\S/.test(line));
}

test("a line names the rule that decided, the target of the rule, and the faults that acted", async () => {
  await using one = await startHttpOrigin(ok("one"));
  await using other = await startHttpOrigin(ok("other"));
  await using tcp = await startTcpServer(echo);
  await using worker = await startTestWorker({
    ops,
    config: {
      networks: {
        [TUNNEL]: {
          routes: {
            "a.internal": `localhost:${one.port}`,
            "f.internal": {
              target: `localhost:${one.port}`,
              faults: [{ type: "latency", attributes: { latency: 1 } }],
            },
            "db.internal:5432": `localhost:${tcp.port}`,
          },
        },
      },
    },
  });
  await using vpc = await connectVpc(worker.miniflare);
  let calls = 0;
  /** Until its line is there, so that the order is known. */
  const call = async (op: string, argument: unknown): Promise<void> => {
    await worker.call(op, argument);
    calls++;
    await vi.waitFor(() => expect(linesOf(worker.output())).toHaveLength(calls), { timeout: 20_000 });
  };
  const get = (url: string): Promise<void> => call("fetch", { url });

  await get("http://a.internal/configured");
  await get("http://f.internal/configured");
  await vpc.on("NET", "GET /users/:id").respond({ json: {} });
  await get("http://a.internal/users/1?token=secret");
  await vpc.on("a.internal", { method: "POST", json: { a: 1 } }).respond(() => new Response());
  await call("fetch", { url: "http://a.internal/", method: "POST", body: '{"a":1}' });
  await vpc.on("nowhere.internal").to(`localhost:${other.port}`);
  await get("http://nowhere.internal/");
  await vpc.on("nowhere.internal").fault(latency(1), httpStatus(503));
  await get("http://nowhere.internal/");
  await vpc.on("db.internal:5432").fault(limitData(2), truncate(1));
  await call("connect", "db.internal:5432");
  await vpc.on("cache.internal:6379").connect(async ({ readable, writable }) => readable.pipeTo(writable));
  await call("connect", "cache.internal:6379");

  expect(linesOf(worker.output())).toEqual([
    "NET  GET http://a.internal/configured → localhost:1  200",
    "NET  GET http://f.internal/configured → localhost:1 (fault latency)  200",
    'NET  GET http://a.internal/users/1?… → rule "NET" "GET /users/:id"  200',
    'NET  POST http://a.internal/ → rule "a.internal" "POST with its json"  200',
    'NET  GET http://nowhere.internal/ → localhost:1 (rule "nowhere.internal")  200',
    'NET  GET http://nowhere.internal/ → localhost:1 (rule "nowhere.internal", faults latency, http_status)  503',
    "NET  connect db.internal:5432 → localhost:1 (fault limit_data)  ↑ 4 B ↓ 2 B",
    'NET  connect cache.internal:6379 → rule "cache.internal:6379"  ↑ 4 B ↓ 4 B',
  ]);
});

test("the reason of a failure names the rule or the fault, and no entry of the vpc config that did not decide", async () => {
  await using one = await startHttpOrigin(ok("one"));
  await using worker = await startTestWorker({
    ops,
    config: { networks: { [TUNNEL]: { routes: { "*.internal": `localhost:${one.port}` } } } },
  });
  await using vpc = await connectVpc(worker.miniflare);
  const failing = [
    () => worker.call("fetch", { url: "http://a.internal/" }),
    () => worker.call("connect", "a.internal:1"),
  ];
  const failBoth = async (): Promise<void> => {
    for (const call of failing) await expect(call()).rejects.toThrow("ProxyError: connection_refused");
  };
  await vpc.on("a.internal").fail("connection_refused");
  await failBoth();
  await vpc.reset();
  await vpc.on("NET").fault(down());
  await failBoth();
  await vpc.reset();
  await vpc.strict();
  await expect(failing[0]?.()).rejects.toThrow("destination_not_found");
  await vpc.reset();
  await one[Symbol.asyncDispose]();
  await vpc.on("NET").fault(latency(1));
  await expect(failing[1]?.()).rejects.toThrow("connection_refused");

  const entry =
    '(route "*.internal", <vpc config> networks["550e8400-e29b-41d4-a716-446655440000"].routes["*.internal"])';
  expect(linesOf(worker.output())).toEqual([
    'NET  GET http://a.internal/ → rule "a.internal"  ProxyError: connection_refused',
    "  the rule says so.",
    'NET  connect a.internal:1 → rule "a.internal"  ProxyError: connection_refused',
    "  the rule says so.",
    "NET  GET http://a.internal/ → localhost:1 (fault down)  ProxyError: connection_refused",
    `  the fault "down" is in force. Remove the fault to reach the target.`,
    "NET  connect a.internal:1 → localhost:1 (fault down)  ProxyError: connection_refused",
    `  the fault "down" is in force. Remove the fault to reach the target.`,
    "NET  GET http://a.internal/  ProxyError: destination_not_found",
    `  no rule matches, and the test is strict. Add a rule for it with vpc.on(), or leave out vpc.strict().`,
    "NET  connect a.internal:1 → localhost:1 (fault latency)  ProxyError: connection_refused",
    expect.stringContaining(entry),
  ]);
});

test("a rule that keeps a call waiting is named too", async () => {
  await using worker = await startTestWorker({ ops, config: { networks: { [TUNNEL]: { routes: {} } } } });
  await using vpc = await connectVpc(worker.miniflare);
  await vpc.on("slow.internal", "/slow").respond({ delay: 7000, text: "late" });
  await worker.call("fetch", { url: "http://slow.internal/slow" });
  await vi.waitFor(
    () =>
      expect(linesOf(worker.output())).toEqual([
        'NET  GET http://slow.internal/slow  waiting for rule "slow.internal" "/slow" for 5 s',
        'NET  GET http://slow.internal/slow → rule "slow.internal" "/slow"  200',
      ]),
    { timeout: 20_000 },
  );
});
