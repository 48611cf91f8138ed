/** Faults of the vpc config: they act without any client, an edit counts for the next call, and a seed repeats a run. */

import path from "node:path";

import { connectVpc, failure, httpStatus, latency } from "miniflare-vpc/test/node";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { VpcConfig, VpcFault } from "../../plugin/config.ts";
import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { type TestServer, echo, startTcpServer } from "../servers/tcp-server.ts";
import { SERVICE, TUNNEL, type TestEnv, type TestWorker, startTestWorker } from "../setup/test-worker.ts";
import { createFolder } from "../setup/vpc-folder.ts";

interface Seen {
  /** Or the error that the Worker got. */
  text: string;
  took: number;
}

const ops = {
  get: async (env: TestEnv, { binding, url }: { binding: "API" | "NET"; url: string }): Promise<Seen> => {
    const started = Date.now();
    const text = await env[binding].fetch(url).then(
      (response) => response.text(),
      (error: Error) => error.message,
    );
    return { text, took: Date.now() - started };
  },
  /** What is sent comes back. */
  echo: async (env: TestEnv, { binding, address }: { binding: "API" | "NET"; address: string }): Promise<Seen> => {
    const started = Date.now();
    const talk = async (): Promise<string> => {
      const socket = await env[binding].connect(address);
      const writer = socket.writable.getWriter();
      await writer.write(new TextEncoder().encode("hello"));
      await writer.close();
      return new Response(socket.readable).text();
    };
    const text = await talk().catch((error: Error) => error.message);
    return { text, took: Date.now() - started };
  },
  /** Which of many requests fail. */
  draw: async (env: TestEnv, times: number): Promise<string> => {
    let drawn = "";
    for (let index = 0; index < times; index++) {
      drawn += await env.NET.fetch("http://origin.internal/").then(
        () => "-",
        () => "x",
      );
    }
    return drawn;
  },
};

let origin: HttpOrigin;
let server: TestServer;

beforeAll(async () => {
  origin = await startHttpOrigin(ok("answer"));
  server = await startTcpServer(echo, { allowHalfOpen: true });
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => Promise.all([origin, server].map((each) => each[Symbol.asyncDispose]())));

const SLOW: VpcFault = { type: "latency", attributes: { latency: 150 } };
const DOWN: VpcFault = { type: "down" };
/** Fails half of the requests. */
const RANDOM: VpcFault = { type: "failure", toxicity: 0.5, attributes: { code: "dns_error" } };
const REFUSED = "ProxyError: connection_refused";

function start(config: VpcConfig | string): Promise<TestWorker> {
  return startTestWorker({ ops, config });
}

function withRoute(faults: VpcFault[], rest: VpcConfig = {}): VpcConfig {
  const target = `127.0.0.1:${origin.port}`;
  return { ...rest, networks: { [TUNNEL]: { routes: { "origin.internal": { target, faults } } } } };
}

/** Its calls take the route of its network. */
function record(faults: VpcFault[]): NonNullable<VpcConfig["services"]> {
  const host = { hostname: "origin.internal", resolver_network: { tunnel_id: TUNNEL } };
  return { [SERVICE]: { name: "users", type: "http", host, faults } };
}

/** @returns which of 40 requests failed */
async function draw(config: VpcConfig): Promise<{ drawn: string; output: string }> {
  await using worker = await start(config);
  return { drawn: await worker.call<string>("draw", 40), output: worker.output() };
}

const GET = { binding: "NET", url: "http://origin.internal/" };
const CALL = { binding: "API", url: "http://users.internal/" };

describe("a route's faults", () => {
  test("delay its requests and connections, and no others", async () => {
    await using worker = await start({
      networks: {
        [TUNNEL]: {
          routes: {
            "origin.internal": { target: `127.0.0.1:${origin.port}`, faults: [SLOW, { ...SLOW, stream: "upstream" }] },
            "db.internal": { target: `127.0.0.1:${server.port}`, faults: [SLOW] },
            "other.internal": { target: `127.0.0.1:${origin.port}`, faults: [] },
            "cut.internal": { target: `127.0.0.1:${server.port}`, faults: [DOWN] },
          },
        },
      },
    });
    const slow = await worker.call<Seen>("get", GET);
    expect(slow.text).toBe("answer");
    expect(slow.took).toBeGreaterThanOrEqual(295);
    const connection = await worker.call<Seen>("echo", { binding: "NET", address: "db.internal:5432" });
    expect(connection.text).toBe("hello");
    expect(connection.took).toBeGreaterThanOrEqual(145);
    expect((await worker.call<Seen>("get", { ...GET, url: "http://other.internal/" })).text).toBe("answer");
    const cut = await worker.call<Seen>("echo", { binding: "NET", address: "cut.internal:5432" });
    expect(cut.text).toBe(REFUSED);
    expect(worker.output()).toContain('the fault "down" is in force');
  });

  test("act on what a function and a Worker of the session answer", async () => {
    await using worker = await startTestWorker({
      ops,
      config: {
        networks: {
          [TUNNEL]: {
            routes: {
              "function.internal": { target: () => new Response("function"), faults: [SLOW] },
              "worker.internal": { target: "worker:other", faults: [SLOW] },
            },
          },
        },
      },
      workers: [
        {
          config: {
            name: "other",
            compatibilityDate: "2026-11-01",
            manifest: {
              mainModule: "other.js",
              modules: {
                "other.js": { type: "esm", contents: "export default { fetch: () => new Response('worker') };" },
              },
            },
          },
        },
      ] as never,
    });
    for (const text of ["function", "worker"]) {
      const seen = await worker.call<Seen>("get", { ...GET, url: `http://${text}.internal/` });
      expect(seen.text).toBe(text);
      expect(seen.took).toBeGreaterThanOrEqual(145);
    }
  });

  test("act together with those of a test, and outlive vpc.reset()", async () => {
    await using worker = await start(withRoute([{ type: "latency", attributes: { latency: 1000 } }]));
    await using vpc = await connectVpc(worker.miniflare);
    await vpc.on("NET").fault(latency(100));
    expect((await worker.call<Seen>("get", GET)).took).toBeGreaterThanOrEqual(1095);
    await vpc.reset();
    const kept = worker.call<Seen>("get", GET);
    await expect.poll(() => vpc.requests("NET")).toHaveLength(1);
    // It ends no call that only the config's faults hit.
    await vpc.reset();
    const { text, took } = await kept;
    expect(text).toBe("answer");
    expect(took).toBeGreaterThanOrEqual(995);
  });
});

describe("faults of an entry that refuses the call", () => {
  const deny = { target: { deny: "destination_ip_prohibited" as const }, faults: [SLOW, SLOW] };
  const config: VpcConfig = {
    services: {
      [SERVICE]: {
        name: "db",
        type: "tcp",
        tcp_port: 5432,
        host: { hostname: "denied.internal", resolver_network: { tunnel_id: TUNNEL } },
        faults: [SLOW, SLOW],
      },
    },
    networks: { [TUNNEL]: { routes: { "denied.internal": deny, "cut.internal": { ...deny, faults: [DOWN] } } } },
  };

  test("act on the answer of a rule: of the route that denies it, and of the service that has no HTTP", async () => {
    await using worker = await start(config);
    await using vpc = await connectVpc(worker.miniflare);
    await vpc.on("*.internal").respond({ text: "rule" });
    for (const call of [{ ...GET, url: "http://denied.internal/" }, CALL]) {
      const seen = await worker.call<Seen>("get", call);
      expect(seen.text).toBe("rule");
      expect(seen.took).toBeGreaterThanOrEqual(295);
    }
    expect((await worker.call<Seen>("get", { ...GET, url: "http://cut.internal/" })).text).toBe(REFUSED);
    await vpc.on("denied.internal:1").connect(async ({ readable, writable }) => readable.pipeTo(writable));
    const connection = await worker.call<Seen>("echo", { binding: "NET", address: "denied.internal:1" });
    expect(connection.text).toBe("hello");
    expect(connection.took).toBeGreaterThanOrEqual(295);
  });

  test("don't act without a rule, but those of a test do", async () => {
    await using worker = await start(config);
    const get = async (host: string): Promise<string> =>
      (await worker.call<Seen>("get", { ...GET, url: `http://${host}/` })).text;
    expect(await get("cut.internal")).toBe("ProxyError: destination_ip_prohibited");
    await using vpc = await connectVpc(worker.miniflare);
    await vpc.on("unknown.internal").fault(failure("dns_error"));
    expect(await get("unknown.internal")).toBe("ProxyError: dns_error");
    expect((await worker.call<Seen>("echo", { binding: "NET", address: "cut.internal:1" })).text).toBe(
      "ProxyError: destination_ip_prohibited",
    );
  });
});

test("a test's fault that acts on fetch() only is refused for a service that takes only connect()", async () => {
  await using worker = await start({ services: { [SERVICE]: { target: { connect: (socket) => socket.end() } } } });
  await using vpc = await connectVpc(worker.miniflare);
  const fault = vpc.on("API").fault(httpStatus(503));
  await expect(fault).rejects.toBeInstanceOf(TypeError);
  await expect(fault).rejects.toThrow(
    'vpc: the fault "http_status" acts on fetch() only, and "API" takes only connect(). Use one of down, failure, reset_peer, limit_data.',
  );
  await expect(vpc.on("API").respond({ text: "x" })).rejects.toThrow(
    'vpc: respond acts on fetch() only, and "API" takes only connect(). Use connect, fail, to or fault.',
  );
  await expect(vpc.on("API", "GET /x").fail("dns_error")).rejects.toThrow(
    'vpc: a rule for "GET /x" acts on fetch() only, and "API" takes only connect().',
  );
  await vpc.on("API").fault(failure("dns_error"));
  await vpc.on("NET").fault(httpStatus(503));
});

describe("a service's faults", () => {
  test.each<[title: string, services: () => NonNullable<VpcConfig["services"]>]>([
    ["a target with settings", () => ({ [SERVICE]: { target: `127.0.0.1:${origin.port}`, faults: [DOWN] } })],
    ["a record with a network", () => record([DOWN])],
  ])("cut off %s, but not its network", async (_, services) => {
    await using worker = await start({ ...withRoute([]), services: services() });
    expect((await worker.call<Seen>("get", CALL)).text).toBe(REFUSED);
    expect((await worker.call<Seen>("get", GET)).text).toBe("answer");
  });

  test("are added to those of the route that the call takes", async () => {
    await using worker = await start({ ...withRoute([SLOW]), services: record([SLOW]) });
    const seen = await worker.call<Seen>("get", CALL);
    expect(seen.text).toBe("answer");
    expect(seen.took).toBeGreaterThanOrEqual(295);
  });
});

describe("an edit", () => {
  test("adds faults and takes them off for the next call, without a client", async () => {
    await using vpc = await createFolder();
    const save = (faults: VpcFault[]): Promise<void> => vpc.write("vpc.jsonc", JSON.stringify(withRoute(faults)));
    await save([]);
    await using worker = await start(path.join(vpc.folder, "vpc.jsonc"));
    const get = async (): Promise<string> => (await worker.call<Seen>("get", GET)).text;
    expect(await get()).toBe("answer");
    await save([DOWN]);
    await expect.poll(get, { timeout: 20_000 }).toBe(REFUSED);
    await save([]);
    await expect.poll(get, { timeout: 20_000 }).toBe("answer");
  });
});

describe("the seed", () => {
  test("gives the same run, another one gives another run, and one is the default", async () => {
    const [seven, again, eight, one, none] = await Promise.all([
      draw(withRoute([RANDOM], { seed: 7 })),
      draw(withRoute([RANDOM], { seed: 7 })),
      draw(withRoute([RANDOM], { seed: 8 })),
      draw(withRoute([RANDOM], { seed: 1 })),
      draw(withRoute([RANDOM])),
    ]);
    expect(seven.drawn).toMatch(/x.*-|-.*x/);
    expect(again.drawn).toBe(seven.drawn);
    expect(eight.drawn).not.toBe(seven.drawn);
    expect(none.drawn).toBe(one.drawn);
  });

  test("is printed once under CI when a fault has acted", async () => {
    const line =
      'A fault acts, and the seed of random faults is 7. To repeat this run, set "seed": 7 in the vpc config, or call vpc.seed(7).';
    const config = withRoute([RANDOM], { seed: 7 });
    vi.stubEnv("CI", "");
    expect((await draw(config)).output).not.toContain("seed");
    vi.stubEnv("CI", "true");
    expect((await draw(config)).output.split(line)).toHaveLength(2);
    expect((await draw(withRoute([{ ...RANDOM, toxicity: 0 }], { seed: 7 }))).output).not.toContain("seed");
  });
});
