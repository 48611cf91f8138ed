/** What rules do when a test makes mistakes, or when many things happen at once. */

import { type Vpc, connectVpc } from "miniflare-vpc/test/node";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { findRunning } from "../../plugin/scenario/running.ts";
import { livePortOf } from "../../plugin/test/live-vpcs.ts";
import { TUNNEL, type TestEnv, type TestWorker, startTestWorker } from "../setup/test-worker.ts";

const ops = {
  get: async (env: TestEnv, url: string) => {
    const response: Response = await env.NET.fetch(url);
    return `${response.status} ${await response.text()}`;
  },
  post: async (env: TestEnv, { url, body }: { url: string; body: string }) => {
    const response: Response = await env.NET.fetch(url, { method: "POST", body });
    return `${response.status} ${await response.text()}`;
  },
  connect: async (env: TestEnv, address: string) => {
    const socket = await env.NET.connect(address);
    return new Response(socket.readable as never).text().then(
      () => "ended",
      () => "failed",
    );
  },
  many: async (env: TestEnv, { url, count }: { url: string; count: number }) => {
    const texts: string[] = [];
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        while (texts.length < count) texts.push(await (await env.NET.fetch(url)).text());
      }),
    );
    return texts;
  },
};

let origin: HttpOrigin;
let worker: TestWorker;
let vpc: Vpc;
const URL_A = "http://a.internal/x";

beforeAll(async () => {
  origin = await startHttpOrigin(ok("origin"));
  worker = await startTestWorker({
    ops,
    config: {
      networks: {
        [TUNNEL]: {
          routes: {
            "a.internal": `127.0.0.1:${origin.port}`,
            "denied.internal": { deny: "destination_ip_prohibited" },
          },
        },
      },
    },
  });
  vpc = await connectVpc(worker.miniflare);
});
afterEach(() => vpc.reset());
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

async function usedUp(): Promise<Response> {
  const response = new Response("x");
  await response.text();
  return response;
}

function broken(): Response {
  return new Response(
    new ReadableStream({
      pull: (controller) => controller.error(new Error("broke off")),
    }),
  );
}

const get = (url = URL_A): Promise<string> => worker.call("get", url);

describe("a function", () => {
  test("that throws: the Worker gets its message", async () => {
    await vpc.on("a.internal").respond(() => {
      throw new RangeError("out of range");
    });
    await expect(get()).rejects.toThrow(/^out of range$/);
    const [request] = await vpc.requests();
    expect(request?.reason).toContain("out of range");
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      "throws a revoked proxy",
      () => {
        throw revoked();
      },
      /a value that has no text was thrown/,
    ],
    ["rejects with nothing", () => Promise.reject(), /undefined/],
    ["returns a revoked proxy", () => revoked(), /proxy that has been revoked/],
    ["returns a Response that is used up", usedUp, /body is used up/],
    ["returns a body that breaks off", broken, /http_response_incomplete|Network connection lost|proxy_internal_error/],
  ])("that %s fails its call only", async (_, respond, text) => {
    await vpc.on("a.internal").respond(respond as never);
    const failed: unknown = await get().catch((error: Error) => error.message);
    const [request] = await vpc.requests();
    expect(`${String(failed)} ${request?.reason}`).toMatch(text);
    await vpc.reset();
    expect(await get()).toBe("200 origin");
  });

  test("that returns nothing is explained", async () => {
    await vpc.on("a.internal").respond(() => undefined as never);
    await expect(get()).rejects.toThrow(/the answer is undefined; write \{ status, headers/);
  });

  test("that reads the body twice gets the error of its own mistake", async () => {
    await vpc.on("a.internal").respond(async ({ request }) => {
      await request.text();
      return new Response(await request.text());
    });
    await expect(worker.call("post", { url: URL_A, body: "x" })).rejects.toThrow(/already been|unusable|disturbed/i);
  });

  test("that never answers is ended by reset()", async () => {
    await vpc.on("a.internal").respond(() => new Promise<never>(() => {}));
    const pending = get().catch((error: unknown) => String(error));
    await vi.waitFor(async () => expect(await vpc.requests()).toHaveLength(1));
    await vpc.reset();
    expect(await pending).toContain("ProxyError: connection_terminated");
  });

  test("of connect() that rejects ends its connection, and nothing else", async () => {
    await vpc.on("a.internal:1").connect(() => Promise.reject(new Error("no more")));
    expect(await worker.call("connect", "a.internal:1")).toBe("failed");
    const [connection] = await vpc.connections();
    expect(connection).toMatchObject({
      code: "connection_terminated",
      reason: "the function that plays the origin failed: no more",
    });
    expect(await get()).toBe("200 origin");
  });

  test("that answers after its rule was removed still answers its call", async () => {
    const answer = Promise.withResolvers<Response>();
    const rule = await vpc.on("a.internal").respond(() => answer.promise);
    const pending = get();
    await vi.waitFor(async () => expect(await vpc.requests()).toHaveLength(1));
    await rule.remove();
    await rule.remove();
    expect(await get()).toBe("200 origin");
    answer.resolve(new Response("late"));
    expect(await pending).toBe("200 late");
  });
});

describe("answers", () => {
  test("in turn, the last one repeats", async () => {
    await vpc.on("a.internal").respond([{ text: "1" }, { text: "2" }, { status: 503 }]);
    expect([await get(), await get(), await get(), await get()]).toEqual(["200 1", "200 2", "503 ", "503 "]);
  });

  test("with path parameters in texts, JSON and headers, bytes and a delay", async () => {
    await vpc
      .on("a.internal", "/users/:id")
      .respond({ json: { id: "{id}", list: ["{id}", 1, null, "{none}"] }, delay: 5 });
    expect(await get("http://a.internal/users/7?x=1")).toBe('200 {"id":"7","list":["7",1,null,"{none}"]}');
    await vpc.on("a.internal", "/bytes").respond({ bytes: new TextEncoder().encode("é"), status: 201 });
    expect(await get("http://a.internal/bytes")).toBe("201 é");
  });

  test.each([
    [{ status: 99 }, '"status" of the answer is 99, but must be a whole number from 200 to 599'],
    [{ json: 1, text: "" }, 'an answer has one body, but this one has "json" and "text"'],
    [{ body: "" }, '"body" is not a field of an answer'],
    [{ status: 204, text: "x" }, "an answer with the status 204 has no body"],
    [{ delay: -1 }, '"delay" of the answer is -1'],
    [{ headers: { "no name": "x" } }, 'the header "no name" of the answer can\'t be sent'],
    [[], "the list of answers is empty"],
  ])("%j is refused", async (answer, text) => {
    await expect(vpc.on("a.internal").respond(answer as never)).rejects.toThrow(text);
    await expect(vpc.on("a.internal").respond(answer as never)).rejects.toBeInstanceOf(TypeError);
  });
});

describe("mistakes of a test", () => {
  test.each<[string, () => Promise<unknown>, string]>([
    [
      "a URL as who",
      () => vpc.on("http://a.internal/").fail("dns_error"),
      'has the scheme "http://". Write "a.internal"',
    ],
    ["an empty who", () => vpc.on("").fail("dns_error"), 'who is ""; pass a binding\'s name'],
    ["an unknown code", () => vpc.on("NET").fail(JSON.parse('"dns_timeouts"')), 'Did you mean "dns_timeout"?'],
    [
      "a target without a host",
      () => vpc.on("NET").to("3000"),
      'the target "3000" is a port without a host. Write "localhost:3000".',
    ],
    [
      "a call that is none",
      () => vpc.on("NET", "users").fail("dns_error"),
      'the call "users" is neither "METHOD /path" nor "/path"',
    ],
    [
      "a path with a query",
      () => vpc.on("NET", "/a?b=1").fail("dns_error"),
      "has a query; a path is compared without it",
    ],
    [
      "an unknown part of a call",
      () => vpc.on("NET", { url: "/" } as never).fail("dns_error"),
      '"url" is not a field of a call',
    ],
    ["a seed that is no number", () => vpc.seed("x" as never), '"x" is not a whole number'],
  ])("%s rejects with a TypeError in words", async (_, act, text) => {
    await expect(act()).rejects.toThrow(text);
    await expect(act()).rejects.toBeInstanceOf(TypeError);
  });
});

describe("which calls", () => {
  test("query and headers need only the named ones to be equal", async () => {
    await vpc
      .on("a.internal", { path: "/x", query: { page: /^\d+$/ }, headers: { "x-kind": "a" } })
      .respond({ text: "rule" });
    expect(await get("http://a.internal/x?page=1")).toBe("200 origin");
    const [request] = await vpc.requests();
    expect(request?.method).toBe("GET");
  });

  test("of two once-rules the newer goes first, and of many calls at once each gets one", async () => {
    await vpc.on("a.internal").respondOnce({ text: "older" });
    await vpc.on("a.internal").respondOnce({ text: "newer" });
    const texts = await worker.call<string[]>("many", { url: URL_A, count: 100 });
    expect(texts.filter((text) => text === "older")).toHaveLength(1);
    expect(texts.filter((text) => text === "newer")).toHaveLength(1);
  });

  test("a rule answers what the config denies or doesn't know; strict() refuses what no rule matches", async () => {
    await vpc.on("denied.internal").respond({ text: "allowed" });
    expect(await get("http://denied.internal/")).toBe("200 allowed");
    await vpc.on("a.internal", "POST /x").respond({ text: "posted" });
    await vpc.strict();
    await expect(get()).rejects.toThrow("ProxyError: destination_not_found");
    await expect(get("http://unknown.internal/")).rejects.toThrow("ProxyError: destination_not_found");
    const unmatched = await vpc.unmatched();
    expect(unmatched.map(({ nearest }) => nearest)).toEqual([
      '"a.internal", POST /x: the method is GET, not POST',
      '"denied.internal", every call: the call is for something else',
    ]);
    expect((await vpc.unused()).map(({ text }) => text)).toEqual(['"a.internal", POST /x']);
    expect(worker.output()).toContain('The nearest rule is "a.internal", POST /x: the method is GET, not POST');
  });
});

describe("many", () => {
  test("the journal keeps 10 000 calls, and says how many it has dropped", async () => {
    await vpc.on("a.internal").respond({ text: "answer" });
    await get("http://a.internal/first");
    await get();
    // So many calls would take a busy machine too long.
    const { MINIFLARE_VPC: id } = await worker.miniflare.getBindings<Record<string, string>>();
    const { journal } = findRunning(String(id))!.scenario;
    const [, last] = journal.entries;
    for (let copies = 1; copies < 10_000; copies++) journal.add({ ...last!, id: journal.nextId() });
    const requests = await vpc.requests();
    expect([requests.length, requests.every(({ url }) => url === URL_A)]).toEqual([10_000, true]);
    expect(requests.dropped).toBe(1);
    expect(Object.keys(requests)).toHaveLength(10_000);
    expect((await vpc.connections()).dropped).toBe(requests.dropped);
    const port = livePortOf(vpc);
    const expectation = { kind: "request", who: "a.internal", call: "GET /first" } as const;
    const verified = await port?.run({ do: "verify", expectation });
    expect((verified as { text: string }).text).toMatch(
      /\n1 older call no longer fit in the journal\. Call vpc\.reset\(\) more often\.$/,
    );
    await vpc.reset();
    expect((await vpc.requests()).dropped).toBe(0);
  });

  test("200 rules change under load, and no request is answered by a wrong one", { timeout: 120_000 }, async () => {
    let current = 0;
    const load = worker.call<string[]>("many", { url: URL_A, count: 2000 });
    for (let number = 1; number <= 200; number++) {
      await using _ = await vpc.on("a.internal").respond({ text: `rule ${number}` });
      current = number;
      expect(await get()).toBe(`200 rule ${current}`);
    }
    expect((await load).filter((text) => !/^rule \d+$|^origin$/.test(text))).toEqual([]);
    expect(await get()).toBe("200 origin");
  });
});

/** Each request and each connection to the Worker makes the next one. */
async function startLooping(): Promise<{ looping: TestWorker; port: string }> {
  const looping = await startTestWorker({
    config: { workerLimit: 8, networks: { [TUNNEL]: { routes: {} } } },
    first: `if (new URL(request.url).pathname === "/loop") {
      try { return await env.NET.fetch("http://self.internal/loop"); }
      catch (error) { return new Response(error.message); }
    }`,
    ops: {
      hold: async (env, count: number) => {
        const sockets = Array.from({ length: count }, () => env.NET.connect("self.internal:1"));
        const opened = await Promise.allSettled(sockets.map(({ opened }) => opened));
        await Promise.allSettled(sockets.map((socket) => socket.close()));
        return opened.filter(({ status }) => status === "fulfilled").length;
      },
    },
  });
  return { looping, port: new URL(String(await looping.miniflare.ready)).port };
}

describe("a rule that leads to a port of the session itself", () => {
  test("ends in the loop error, as it does without a rule", async () => {
    const { looping, port } = await startLooping();
    await using _ = looping;
    await using own = await connectVpc(looping.miniflare);
    await own.on("self.internal").to(`127.0.0.1:${port}`);
    // Twice, because the calls of the first loop no longer count.
    for (let round = 0; round < 2; round++) {
      const response = await looping.miniflare.dispatchFetch("http://app/loop");
      expect(await response.text()).toBe("ProxyError: proxy_loop_detected");
    }
    expect(looping.output()).toContain(
      `8 calls to port ${port}, where this session itself listens, wait for each other`,
    );
    const requests = await own.requests();
    expect(requests.filter(({ code }) => code === "proxy_loop_detected")).toHaveLength(2);
    expect(await looping.call("hold", 12)).toBe(8);
  });
});
