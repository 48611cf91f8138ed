/** Rules that a test in Node lays over the vpc config: for requests and connections, with data and with functions. */

import { connectVpc } from "miniflare-vpc/test/node";
import { expect, test } from "vitest";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { echo, startTcpServer } from "../servers/tcp-server.ts";
import { TUNNEL, type TestEnv, startTestWorker } from "../setup/test-worker.ts";

const ops = {
  fetch: async (env: TestEnv, { url, ...init }: { url: string; method?: string; body?: string }) => {
    const response: Response = await env.NET.fetch(url, init);
    return { status: response.status, text: await response.text(), type: response.headers.get("content-type") };
  },
  connect: async (env: TestEnv, { address, text }: { address: string; text: string }) => {
    const socket = await env.NET.connect(address);
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    return new Response(socket.readable).text();
  },
};

test("rules answer in place of the origin, newest first, and the journal has all of it", async () => {
  await using origin = await startHttpOrigin(ok("from the origin"));
  await using server = await startTcpServer(echo);
  await using worker = await startTestWorker({
    ops,
    config: {
      networks: {
        [TUNNEL]: {
          routes: { "api.internal": `127.0.0.1:${origin.port}`, "db.internal": `127.0.0.1:${server.port}` },
        },
      },
    },
  });
  const url = "http://api.internal/users/7";
  expect(await worker.call("fetch", { url })).toMatchObject({ status: 200, text: "from the origin" });

  await using vpc = await connectVpc(worker.miniflare);
  expect(await worker.call("fetch", { url })).toMatchObject({ status: 200, text: "from the origin" });
  await vpc.on("api.internal", "GET /users/:id").respond({ json: { id: "{id}" } });
  expect(await worker.call("fetch", { url })).toEqual({ status: 200, text: '{"id":"7"}', type: "application/json" });
  await vpc.on("NET", "GET /users/:id").respondOnce({ status: 503 });
  expect(await worker.call("fetch", { url })).toMatchObject({ status: 503 });
  expect(await worker.call("fetch", { url })).toMatchObject({ status: 200, text: '{"id":"7"}' });
  {
    await using rule = await vpc
      .on("api.internal", { method: "POST", json: { name: "Ada" } })
      .respond(async ({ request, url: asked }) => Response.json({ got: await request.json(), path: asked.pathname }));
    expect(await worker.call("fetch", { url, method: "POST", body: '{"name":"Ada","age":36}' })).toMatchObject({
      text: '{"got":{"name":"Ada","age":36},"path":"/users/7"}',
    });
    expect(await worker.call("fetch", { url, method: "POST", body: '{"name":"Bob"}' })).toMatchObject({
      text: "from the origin",
    });
    expect((await rule.requests()).length).toBe(1);
  }
  await vpc.on("nowhere.internal").respond({ text: "now there" });
  expect(await worker.call("fetch", { url: "http://nowhere.internal/" })).toMatchObject({ text: "now there" });
  await vpc.on("api.internal").fail("dns_timeout");
  await expect(worker.call("fetch", { url })).rejects.toThrow("ProxyError: dns_timeout");

  expect(await worker.call("connect", { address: "db.internal:5432", text: "ping" })).toBe("ping");
  await vpc.on("db.internal:5432").connect(async ({ readable, writable }) => {
    await new Response(readable).text();
    const writer = writable.getWriter();
    await writer.write(new TextEncoder().encode("played"));
    await writer.close();
  });
  expect(await worker.call("connect", { address: "db.internal:5432", text: "ping" })).toBe("played");
  const requests = await vpc.requests();
  expect(requests.map(({ method, status, code }) => `${method} ${status ?? code}`)).toEqual([
    "GET 200",
    "GET 200",
    "GET 503",
    "GET 200",
    "POST 200",
    "POST 200",
    "GET 200",
    "GET dns_timeout",
  ]);
  expect(await requests[4]?.json()).toEqual({ name: "Ada", age: 36 });
  expect(await requests[0]?.response?.text()).toBe("from the origin");
  const connections = await vpc.connections("db.internal:5432");
  expect(connections.map(({ sent, received }) => [sent, received])).toEqual([
    [4, 4],
    [4, 6],
  ]);
});
