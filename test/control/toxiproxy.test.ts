/** Toxiproxy's own client directs the network. */

import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";

import { Toxiproxy } from "toxiproxy-node-client";
import { describe, expect, test } from "vitest";
import { startPostgres } from "../../fixtures/private-services/postgres.ts";
import { startScenarios } from "../clients/start-scenarios.ts";
import { echo, startTcpServer } from "../servers/tcp-server.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { SERVICE, TUNNEL } from "../setup/test-worker.ts";
import { type Controlled, controlOf, startControlled } from "./start-controlled.ts";

/** Runs a step for each request, and answers when it is done. */
async function startGate(steps: Record<string, () => Promise<unknown>>, stack: AsyncDisposableStack): Promise<string> {
  const server = http.createServer((request, response) => {
    const step = steps[request.url?.slice(1) ?? ""] ?? (() => Promise.reject(new Error(`no step ${request.url}`)));
    step().then(
      () => response.end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("latency, bandwidth, reset_peer and down act on an open PostgreSQL connection", { timeout: 90_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await startPostgres(0));
  const worker = stack.use(await startScenarios("pg", { "db.internal:5432": `127.0.0.1:${database.port}` }));
  const { control } = await controlOf(worker.miniflare, stack);
  const proxy = await new Toxiproxy(control.url ?? "").get("db.internal:5432");
  const add = (type: "latency" | "bandwidth" | "reset_peer", attributes: object): ReturnType<typeof proxy.addToxic> =>
    proxy.addToxic({ name: type, type, stream: "downstream", toxicity: 1, attributes });
  const toxic = async (name: string): ReturnType<typeof proxy.getToxic> => await proxy.getToxic(name);
  const steps: Record<string, () => Promise<unknown>> = {
    plain: async () => {},
    late: () => add("latency", { latency: 400, jitter: 0 }),
    later: async () => (await toxic("latency")).update({ attributes: { latency: 900 } } as never),
    slow: async () => {
      await (await toxic("latency")).remove();
      await add("bandwidth", { rate: 200 });
    },
    again: async () => (await toxic("bandwidth")).remove(),
    reset: () => add("reset_peer", { timeout: 0 }),
  };
  const gate = await startGate(steps, stack);
  const seen = await worker.run<Record<string, number | string>>("steps", {
    gate,
    steps: Object.keys(steps).join(","),
  });
  expect(seen).toEqual({
    plain: expect.any(Number),
    late: expect.any(Number),
    later: expect.any(Number),
    slow: expect.any(Number),
    again: expect.any(Number),
    reset: expect.stringContaining("Error"),
  });
  expect(seen["late"]).toBeGreaterThanOrEqual(380);
  expect(seen["later"]).toBeGreaterThanOrEqual(880);
  expect(seen["slow"]).toBeGreaterThanOrEqual(450);
  await (await toxic("reset_peer")).remove();

  const down = { plain: async () => {}, down: () => proxy.update({ ...proxy.toJson(), enabled: false }) };
  const cut = await worker.run<Record<string, number | string>>("steps", {
    gate: await startGate(down, stack),
    steps: "plain,down",
  });
  expect(cut).toEqual({ plain: expect.any(Number), down: expect.stringContaining("Error") });
  expect((await worker.fail("query")).thrown).toContain("ProxyError: connection_refused");
  await proxy.update({ ...proxy.toJson(), enabled: true });
  expect(await worker.run("query")).toEqual([{ sum: 42, database: "postgres" }]);
});

const OTHER = "0f3c8d4e-7b1a-4c57-9e58-2a6d1f0b9c33";

async function start(stack: AsyncDisposableStack): Promise<Controlled & { toxiproxy: Toxiproxy }> {
  const origin = stack.use(await startHttpOrigin(ok("from the origin")));
  const server = stack.use(await startTcpServer(echo));
  const routes = {
    "api.internal": `127.0.0.1:${origin.port}`,
    "10.0.0.0/8": "passthrough",
    "db.internal:5432": `127.0.0.1:${server.port}`,
  } as const;
  const controlled = stack.use(
    await startControlled({
      env: {
        API: { type: "vpc-service", id: SERVICE },
        NET: { type: "vpc-network", tunnelId: TUNNEL },
        OTHER: { type: "vpc-network", tunnelId: OTHER },
      },
      config: {
        services: { API: `http://127.0.0.1:${origin.port}` },
        networks: { [TUNNEL]: { routes }, [OTHER]: { routes: { "api.internal": `127.0.0.1:${origin.port}` } } },
      },
    }),
  );
  return { ...controlled, toxiproxy: new Toxiproxy(controlled.url) };
}

const URL_OF_API = "http://api.internal/";

describe("an HTTP service and routes", () => {
  test("each service and each route is a proxy", async () => {
    await using stack = new AsyncDisposableStack();
    const { toxiproxy } = await start(stack);
    expect(JSON.parse(await toxiproxy.getVersion())).toEqual({ version: "2.12.0" });
    const all = await toxiproxy.getAll();
    expect(Object.keys(all)).toEqual([
      "API",
      "api.internal",
      "10.0.0.0/8",
      "db.internal:5432",
      `${OTHER}/api.internal`,
    ]);
    expect(all["10.0.0.0/8"]?.toJson()).toEqual({
      name: "10.0.0.0/8",
      listen: "10.0.0.0/8",
      upstream: "passthrough",
      enabled: true,
    });
    expect((await toxiproxy.get("10.0.0.0/8")).name).toBe("10.0.0.0/8");
    expect((await toxiproxy.get(encodeURIComponent("10.0.0.0/8"))).name).toBe("10.0.0.0/8");
  });

  test("a service is slowed down, switched off, and on again by reset", async () => {
    await using stack = new AsyncDisposableStack();
    const { toxiproxy, call } = await start(stack);
    const fetchApi = (): Promise<unknown> => call("fetch", { binding: "API", url: URL_OF_API });
    const proxy = await toxiproxy.get("API");
    await proxy.addToxic({
      name: "",
      type: "latency",
      stream: "downstream",
      toxicity: 1,
      attributes: { latency: 300, jitter: 0 },
    });
    const begun = performance.now();
    expect(await fetchApi()).toEqual({ status: 200, text: "from the origin" });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(290);
    await proxy.update({ ...proxy.toJson(), enabled: false });
    expect((await toxiproxy.get("API")).enabled).toBe(false);
    await expect(fetchApi()).rejects.toThrow("ProxyError: connection_refused");
    // The same place through another binding is another proxy.
    expect(await call("fetch", { url: URL_OF_API })).toEqual({ status: 200, text: "from the origin" });
    await toxiproxy.reset();
    const after = await toxiproxy.get("API");
    expect(after.enabled).toBe(true);
    await expect(after.getToxic("latency_downstream")).rejects.toThrow("404");
    expect(await fetchApi()).toEqual({ status: 200, text: "from the origin" });
  });

  test("bandwidth, reset_peer and down act on a service whose connection is kept", { timeout: 90_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const { toxiproxy, call } = await start(stack);
    /** @returns milliseconds */
    const upload = async (size: number): Promise<number> => {
      const begun = performance.now();
      const answered = await call("fetch", { binding: "API", url: URL_OF_API, method: "POST", size });
      expect(answered).toEqual({ status: 200, text: "from the origin" });
      return performance.now() - begun;
    };
    await upload(20_000);
    const proxy = await toxiproxy.get("API");
    const toxic = { name: "", stream: "upstream", toxicity: 1 } as const;
    const slow = await proxy.addToxic({ ...toxic, type: "bandwidth", attributes: { rate: 20 } });
    expect(await upload(20_000)).toBeGreaterThanOrEqual(900);
    const slower = await slow.update({ attributes: { rate: 10 } } as never);
    expect(slower.toJson()).toMatchObject({ name: "bandwidth_upstream", attributes: { rate: 10 } });
    expect(await upload(20_000)).toBeGreaterThanOrEqual(1900);
    await slower.remove();
    await upload(20_000);

    for (const stream of ["upstream", "downstream"] as const) {
      const reset = await proxy.addToxic({ ...toxic, stream, type: "reset_peer", attributes: { timeout: 0 } });
      await expect(upload(20)).rejects.toThrow("ProxyError: connection_terminated");
      await reset.remove();
      await upload(20);
    }
    const off = await proxy.update({ ...proxy.toJson(), enabled: false });
    expect(off.enabled).toBe(false);
    await expect(upload(20)).rejects.toThrow("ProxyError: connection_refused");
    await off.remove();
    expect((await toxiproxy.get("API")).enabled).toBe(true);
    await upload(20);
  });

  test("a kept connection is reset as late as the toxic says", { timeout: 90_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const { toxiproxy, call } = await start(stack);
    const get = (): Promise<unknown> => call("fetch", { binding: "API", url: URL_OF_API });
    await get();
    const proxy = await toxiproxy.get("API");
    await proxy.addToxic({
      name: "reset",
      type: "reset_peer",
      stream: "downstream",
      toxicity: 1,
      attributes: { timeout: 600 },
    });
    const begun = performance.now();
    await expect(get()).rejects.toThrow("ProxyError: connection_terminated");
    expect(performance.now() - begun).toBeGreaterThanOrEqual(590);
    await toxiproxy.reset();
    expect(await get()).toEqual({ status: 200, text: "from the origin" });
  });

  test("what makes no sense here is refused in words", async () => {
    await using stack = new AsyncDisposableStack();
    const { ask, toxiproxy } = await start(stack);
    const proxy = await toxiproxy.get("API");
    const listening = `nothing listens for "API", because Workers reach it through their bindings. Leave "listen" out, or write "API".`;
    await expect(proxy.update({ ...proxy.toJson(), listen: "localhost:26379" })).rejects.toThrow("400");
    expect(await ask("POST", "/proxies/API", { listen: "localhost:26379" })).toMatchObject({
      json: { error: listening },
    });
    for (const [method, path, body, error] of [
      ["POST", "/proxies/API", [], "the body must be an object"],
      ["POST", "/proxies", {}, 'a proxy has a "name"'],
      ["POST", "/proxies/API/toxics", { type: "lateny" }, 'Did you mean "latency"?'],
      ["POST", "/proxies/API/toxics", { type: "latency", stream: "up" }, '"upstream" or "downstream"'],
      ["POST", "/proxies/API/toxics", { type: "latency", toxicity: 2 }, "a number from 0 to 1"],
      ["POST", "/proxies/API/toxics", { type: "bandwidth" }, '"attributes.rate" is missing'],
      ["POST", "/proxies/API/toxics", [], "give at least one"],
      ["POST", "/populate", { API: {} }, "a list of proxies"],
    ] as const) {
      const answer = await ask(method, path, body);
      expect([path, body, answer.status, answer.json.error]).toEqual([path, body, 400, expect.stringContaining(error)]);
    }
  });

  test("a destination of two networks is two proxies", async () => {
    await using stack = new AsyncDisposableStack();
    const { toxiproxy, call } = await start(stack);
    const second = await toxiproxy.get(`${OTHER}/api.internal`);
    await second.update({ ...second.toJson(), enabled: false });
    expect(await call("fetch", { binding: "NET", url: URL_OF_API })).toMatchObject({ status: 200 });
    await expect(call("fetch", { binding: "OTHER", url: URL_OF_API })).rejects.toThrow("connection_refused");
  });

  test("the route for everything else is a proxy that leaves the others alone", async () => {
    await using stack = new AsyncDisposableStack();
    const origin = stack.use(await startHttpOrigin(ok("from the origin")));
    const target = `127.0.0.1:${origin.port}`;
    const { ask, call } = stack.use(
      await startControlled({
        env: { NET: { type: "vpc-network", networkId: "cf1:network" } },
        config: {
          networks: { "cf1:network": { routes: { "*": target, "*:443": "passthrough", "*.internal": target } } },
        },
      }),
    );
    expect(Object.keys((await ask("GET", "/proxies")).json)).toEqual(["*", "*:443", "*.internal"]);
    expect((await ask("POST", "/proxies/*", { enabled: false })).json).toMatchObject({ name: "*", enabled: false });
    for (const url of ["http://www.example.com/", "http://9.9.9.9/", "http://[2001:db8::1]:8080/"])
      await expect(call("fetch", { url })).rejects.toThrow("ProxyError: connection_refused");
    expect(await call("fetch", { url: URL_OF_API })).toEqual({ status: 200, text: "from the origin" });
    await ask("POST", "/proxies/%2A", { enabled: true });
    expect(await call("fetch", { url: "http://www.example.com/" })).toEqual({ status: 200, text: "from the origin" });
  });

  test("toxics as Toxiproxy has them: names, defaults, partial updates, statuses", async () => {
    await using stack = new AsyncDisposableStack();
    const { ask } = await start(stack);
    const toxics = "/proxies/api.internal/toxics";
    const latency = {
      name: "latency_downstream",
      type: "latency",
      stream: "downstream",
      toxicity: 1,
      attributes: { latency: 0, jitter: 5 },
    };
    const limited = { name: "small", type: "limit_data", stream: "upstream", toxicity: 1, attributes: { bytes: 9 } };
    expect(await ask("POST", toxics, { type: "latency", attributes: { jitter: 5 } })).toEqual({
      status: 200,
      json: latency,
    });
    expect(await ask("POST", toxics, limited)).toEqual({ status: 200, json: limited });
    expect(await ask("POST", toxics, { type: "latency" })).toEqual({
      status: 409,
      json: { error: 'the proxy "api.internal" has a toxic "latency_downstream" already.', status: 409 },
    });
    expect(await ask("PATCH", `${toxics}/latency_downstream`, { toxicity: 0.5, attributes: { latency: 7 } })).toEqual({
      status: 200,
      json: { ...latency, toxicity: 0.5, attributes: { latency: 7, jitter: 5 } },
    });
    expect(await ask("POST", `${toxics}/latency_downstream`, { attributes: { latency: "x" } })).toMatchObject({
      status: 400,
      json: { error: expect.stringContaining('"attributes.latency" is "x"') },
    });
    expect(await ask("GET", toxics)).toMatchObject({ status: 200, json: [{ toxicity: 0.5 }, limited] });
    expect(await ask("DELETE", `${toxics}/small`)).toEqual({ status: 204, json: undefined });
    expect(await ask("GET", `${toxics}/small`)).toEqual({
      status: 404,
      json: { error: 'the proxy "api.internal" has no toxic "small".', status: 404 },
    });
    expect((await ask("GET", "/proxies/api.internal")).json.toxics).toHaveLength(1);
    expect(await ask("DELETE", "/proxies/api.internal")).toEqual({ status: 204, json: undefined });
    expect((await ask("GET", "/proxies/api.internal")).json.toxics).toEqual([]);
  });

  test("proxies can be created and populated by names that exist, and lead where the vpc config says", async () => {
    await using stack = new AsyncDisposableStack();
    const { ask, toxiproxy } = await start(stack);
    const populated = await toxiproxy.populate([
      { name: "api.internal", listen: "localhost:1", upstream: "localhost:2" },
      { name: "db.internal:5432", listen: "", upstream: "", enabled: false },
    ]);
    expect(Object.values(populated).map(({ name, enabled }) => [name, enabled])).toEqual([
      ["api.internal", true],
      ["db.internal:5432", false],
    ]);
    expect(await ask("POST", "/proxies", { name: "db.internal:5432" })).toMatchObject({
      status: 201,
      json: { enabled: true },
    });
    const names = '"API", "api.internal", "10.0.0.0/8", "db.internal:5432", "' + OTHER + '/api.internal"';
    const unknown = `there is no proxy "redis". Each service and each route of the vpc config is one: ${names}.`;
    expect(await ask("POST", "/proxies", { name: "redis" })).toEqual({
      status: 400,
      json: { error: unknown, status: 400 },
    });
    expect(await ask("POST", "/populate", [{ name: "api.internal", enabled: false }, { name: "redis" }])).toEqual({
      status: 400,
      json: { error: unknown, status: 400 },
    });
    expect((await toxiproxy.get("api.internal")).enabled).toBe(true);
    expect(await ask("GET", "/proxies/redis")).toMatchObject({ status: 404, json: { error: unknown } });
    expect(await ask("POST", "/proxies/10.0.0.0%2F8", { upstream: "localhost:9" })).toEqual({
      status: 400,
      json: {
        error:
          'the vpc config leads "10.0.0.0/8" to "passthrough". To lead it to "localhost:9" for a time, POST /rules with { "who": "10.0.0.0/8", "to": "localhost:9" }.',
        status: 400,
      },
    });
  });

  test("metrics count the bytes of each proxy, also those that the journal has forgotten", async () => {
    await using stack = new AsyncDisposableStack();
    const { ask, call, url } = await start(stack);
    await ask("GET", "/requests");
    await call("fetch", { binding: "API", url: URL_OF_API, method: "POST", size: 20 });
    await ask("DELETE", "/requests");
    await call("connect", { address: "db.internal:5432", text: "ping" });
    const metrics = async (): Promise<string[]> =>
      (await (await fetch(`${url}/metrics`)).text())
        .split("\n")
        .filter((line) => line.startsWith("toxiproxy_proxy_received_bytes_total"))
        .map((line) => line.replace(/127\.0\.0\.1:\d+/, "HOST"));
    await expect
      .poll(metrics)
      .toEqual([
        'toxiproxy_proxy_received_bytes_total{direction="downstream",listener="",proxy="API",upstream="http://HOST"} 15',
        'toxiproxy_proxy_received_bytes_total{direction="upstream",listener="",proxy="API",upstream="http://HOST"} 20',
        'toxiproxy_proxy_received_bytes_total{direction="downstream",listener="",proxy="db.internal:5432",upstream="HOST"} 4',
        'toxiproxy_proxy_received_bytes_total{direction="upstream",listener="",proxy="db.internal:5432",upstream="HOST"} 4',
      ]);
  });
});
