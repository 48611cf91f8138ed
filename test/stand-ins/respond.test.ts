/** `respond` in a vpc config, end to end: a Worker's requests are answered from its data. */

import { rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { connectVpc, latency } from "miniflare-vpc/test/node";
import { describe, expect, test } from "vitest";
import type { VpcConfig, VpcTarget } from "../../plugin/config.ts";
import { SERVICE, TUNNEL, type TestEnv, type TestWorker, startTestWorker } from "../setup/test-worker.ts";
import { createFolder } from "../setup/vpc-folder.ts";

interface Seen {
  status?: number;
  headers?: Record<string, string>;
  text: string;
  bytes?: number[];
}

interface Asking {
  binding?: "API" | "NET";
  url: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  redirect?: "manual";
}

const ops = {
  ask: async (env: TestEnv, { binding = "NET", url, ...init }: Asking): Promise<Seen> => {
    try {
      const response = await env[binding].fetch(url, init);
      const headers = Object.fromEntries(response.headers);
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { status: response.status, headers, text: new TextDecoder().decode(bytes), bytes: [...bytes] };
    } catch (error) {
      return { text: (error as Error).message };
    }
  },
  connect: async (env: TestEnv, { binding, address }: { binding: "API" | "NET"; address: string }): Promise<string> =>
    env[binding].connect(address).then(
      () => "connected",
      (error: Error) => error.message,
    ),
};

function start(config: VpcConfig | string): Promise<TestWorker> {
  return startTestWorker({ ops, config });
}

/** The stand-in is `users.internal` of the network, and the service. */
function standIn(target: VpcTarget): VpcConfig {
  return { services: { [SERVICE]: target }, networks: { [TUNNEL]: { routes: { "users.internal": target } } } };
}

/** A vpc.jsonc. */
function withAnswer(answer: object): string {
  return JSON.stringify({ networks: { [TUNNEL]: { routes: { "users.internal": { respond: answer } } } } });
}

describe("respond", () => {
  test("one answer is for every request of a route and of a service", async () => {
    await using worker = await start(
      standIn({ respond: { status: 201, headers: { "x-a": "b" }, json: { ok: true } } }),
    );
    for (const asking of [
      { url: "http://users.internal/" },
      { url: "https://users.internal/any?x=1", method: "POST", body: "hello" },
      { binding: "API", url: "http://whatever/" },
    ]) {
      const seen = await worker.call<Seen>("ask", asking);
      expect(seen).toMatchObject({ status: 201, headers: { "x-a": "b", "content-type": "application/json" } });
      expect(seen.text).toBe('{"ok":true}');
    }
    expect(worker.output()).toContain("NET  GET http://users.internal/ → respond  201");
  });

  test("of a list, the first whose `when` matches answers", async () => {
    await using worker = await start(
      standIn({
        respond: [
          { when: "GET /users/:id", json: { id: "{id}", note: "user {id} of {none}" } },
          { when: { method: "POST", path: "/users", json: { name: "Ada" } }, status: 201 },
          { when: { headers: { authorization: /^Bearer / } }, text: "who" },
          { when: "/users/*", text: "later" },
        ],
      }),
    );
    const text = async (asking: Omit<Asking, "url"> & { path: string }): Promise<string> => {
      const { path: pathname, ...rest } = asking;
      const seen = await worker.call<Seen>("ask", { url: `http://users.internal${pathname}`, ...rest });
      return `${seen.status ?? ""} ${seen.text}`;
    };
    await expect(text({ path: "/users/7?full" })).resolves.toBe('200 {"id":"7","note":"user 7 of {none}"}');
    await expect(text({ path: "/users", method: "POST", body: '{"name":"Ada","age":36}' })).resolves.toBe("201 ");
    await expect(text({ path: "/me", headers: { authorization: "Bearer x" } })).resolves.toBe("200 who");
    await expect(text({ path: "/users/7", method: "DELETE" })).resolves.toBe("200 later");
    await expect(text({ path: "/users", method: "POST", body: '{"name":"Bob"}' })).resolves.toBe(
      " ProxyError: destination_not_found",
    );
    expect(worker.output()).toContain(
      'has no answer to POST /users. The nearest is POST /users with its json: the JSON body\'s name is "Bob", not "Ada"',
    );
  });

  test("text, bytes, a file, no body, and a delay", async () => {
    await using folder = await createFolder({
      "answer.html": "<p>{id}</p>",
      "vpc.toml": `[networks.${TUNNEL}.routes]
"users.internal".respond = [
  { when = "/text/:id", text = "a {id}" },
  { when = "/bytes", bytes = "AAEC/w==", headers = { content-type = "image/png" } },
  { when = "/file/:id", file = "answer.html" },
  { when = "/none", status = 204 },
  { when = "/slow", delay = 300 },
  { when = { path = "/header/:id", query = { q = { regexp = "^A", flags = "i" } } }, headers = { location = "/to/{id}" }, status = 302 },
]
`,
    });
    await using worker = await start(path.join(folder.folder, "vpc.toml"));
    const ask = (pathname: string): Promise<Seen> =>
      worker.call<Seen>("ask", { url: `http://users.internal${pathname}`, redirect: "manual" });
    expect(await ask("/text/%C3%A9")).toMatchObject({
      text: "a %C3%A9",
      headers: { "content-type": "text/plain;charset=UTF-8" },
    });
    expect(await ask("/bytes")).toMatchObject({ bytes: [0, 1, 2, 255], headers: { "content-type": "image/png" } });
    expect(await ask("/file/7")).toMatchObject({
      text: "<p>{id}</p>",
      headers: { "content-type": "text/html;charset=UTF-8" },
    });
    expect(await ask("/none")).toMatchObject({ status: 204, text: "" });
    expect(await ask("/header/7?q=abc")).toMatchObject({ status: 302, headers: { location: "/to/7" } });
    const started = Date.now();
    expect(await ask("/slow")).toMatchObject({ status: 200, text: "" });
    expect(Date.now() - started).toBeGreaterThan(250);
  });

  test("a file that is gone fails the call in words, until it is back", async () => {
    await using folder = await createFolder({ "a.json": "{}", "vpc.jsonc": withAnswer({ file: "a.json" }) });
    await using worker = await start(path.join(folder.folder, "vpc.jsonc"));
    const ask = async (): Promise<string> => (await worker.call<Seen>("ask", { url: "http://users.internal/" })).text;
    await rm(path.join(folder.folder, "a.json"));
    await expect(ask()).resolves.toBe("ProxyError: destination_unavailable");
    expect(worker.output()).toMatch(
      /the stand-in at .*vpc\.jsonc:1:\d+ can't answer GET \/: the file of the answer can't be read: ENOENT.*a\.json'/,
    );
    expect(worker.output()).toContain('Restore the file, or correct "file": "a.json".');
    // Another edit counts, also while the file is gone.
    await folder.write("vpc.jsonc", withAnswer([{ when: "/b", text: "edited" }, { file: "a.json" }]));
    await expect
      .poll(async () => (await worker.call<Seen>("ask", { url: "http://users.internal/b" })).text, { timeout: 30_000 })
      .toBe("edited");
    await expect(ask()).resolves.toBe("ProxyError: destination_unavailable");
    expect(worker.output()).toContain('warning: the file of the answer "a.json" does not exist');
    await folder.write("a.json", '{"back":true}');
    await expect(ask()).resolves.toBe('{"back":true}');
  });

  test("a rule's own answer whose file is gone fails in the same way, with and without a fault", async () => {
    await using folder = await createFolder();
    const file = path.join(folder.folder, "rule.json");
    await using worker = await start(standIn("localhost:1"));
    await using vpc = await connectVpc(worker.miniflare);
    await vpc.on("NET").respond({ file });
    const ask = async (): Promise<string> => (await worker.call<Seen>("ask", { url: "http://users.internal/" })).text;
    for (const fault of [false, true]) {
      if (fault) await vpc.on("NET").fault(latency(1));
      await rm(file, { force: true });
      await expect(ask()).resolves.toBe("ProxyError: destination_unavailable");
      await folder.write("rule.json", "[]");
      await expect(ask()).resolves.toBe("[]");
    }
    await expect
      .poll(() => worker.output().match(/the rule can't answer: the file of the answer can't be read: ENOENT/g)?.length)
      .toBe(2);
    expect(worker.output()).toContain(`Restore the file, or correct "file": ${JSON.stringify(file)}.`);
  });

  test("a rule may lead to it", async () => {
    await using worker = await start(standIn("localhost:1"));
    await using vpc = await connectVpc(worker.miniflare);
    await vpc.on("NET", "/a").to({ respond: { text: "of a rule" } });
    await vpc.on("NET", "/b").to({ respond: [{ when: "GET /c", text: "" }] });
    const ask = async (pathname: string): Promise<string> =>
      (await worker.call<Seen>("ask", { url: `http://users.internal${pathname}` })).text;
    await expect(ask("/a")).resolves.toBe("of a rule");
    await expect(ask("/b")).resolves.toBe("ProxyError: destination_not_found");
    await expect(vpc.on("NET").to({ respond: { status: 99 } })).rejects.toThrow(/"status" of the answer is 99/);
    await vpc.on("users.internal:5432").to({ respond: {} });
    await expect(worker.call("connect", { binding: "NET", address: "users.internal:5432" })).resolves.toBe(
      "ProxyError: destination_unavailable",
    );
    await worker.reload();
    await expect(ask("/a")).resolves.toBe("of a rule");
  });

  test("a HEAD has no body", async () => {
    await using worker = await start(standIn({ respond: { text: "hello" } }));
    const seen = await worker.call<Seen>("ask", { url: "http://users.internal/", method: "HEAD" });
    expect(seen).toMatchObject({ status: 200, text: "" });
    await using list = await start(standIn({ respond: [{ when: "GET /a", text: "hello" }] }));
    await list.call("ask", { url: "http://users.internal/b", method: "HEAD" });
    expect(list.output()).toContain('Add { "when": "HEAD /b", "status": 200 } to its "respond".');
  });

  test("connect() is refused in words", async () => {
    await using worker = await start(standIn({ respond: { text: "hello" } }));
    for (const asking of [
      { binding: "NET", address: "users.internal:5432" },
      { binding: "API", address: "users:5432" },
    ]) {
      await expect(worker.call("connect", asking)).resolves.toBe("ProxyError: destination_unavailable");
    }
    expect(worker.output()).toContain("connect() was called, but the target is a stand-in, which answers fetch() only");
  });

  test("rules, faults and the journal work on top of it", async () => {
    await using worker = await start(standIn({ respond: [{ when: "GET /users/:id", text: "user {id}" }] }));
    await using vpc = await connectVpc(worker.miniflare);
    const ask = (pathname: string): Promise<Seen> =>
      worker.call<Seen>("ask", { url: `http://users.internal${pathname}` });
    await using fault = await vpc.on("users.internal").fault(latency(300));
    const started = Date.now();
    expect((await ask("/users/1")).text).toBe("user 1");
    expect(Date.now() - started).toBeGreaterThan(250);
    await fault.remove();
    await vpc.on("users.internal", "GET /rule").respond({ text: "of a rule" });
    expect((await ask("/rule")).text).toBe("of a rule");
    expect((await ask("/none")).text).toBe("ProxyError: destination_not_found");
    const [first, second, third] = await vpc.requests("users.internal");
    expect(first).toMatchObject({ url: "http://users.internal/users/1", status: 200, target: "respond" });
    await expect(first?.response?.text()).resolves.toBe("user 1");
    expect(second?.rule).toBeDefined();
    expect(third).toMatchObject({ code: "destination_not_found", nearest: expect.stringContaining("GET /users/:id") });
    expect((await vpc.unmatched()).map(({ id }) => id)).toEqual([third?.id]);
  });

  test("an edit of the config and one of a file count at once", async () => {
    await using folder = await createFolder({
      "vpc.jsonc": withAnswer({ file: "answer.json" }),
      "answer.json": '{"at":1}',
    });
    const config = path.join(folder.folder, "vpc.jsonc");
    await using worker = await start(config);
    const ask = async (): Promise<string> => (await worker.call<Seen>("ask", { url: "http://users.internal/" })).text;
    await expect(ask()).resolves.toBe('{"at":1}');
    await writeFile(path.join(folder.folder, "answer.json"), '{"at":2}');
    await expect(ask()).resolves.toBe('{"at":2}');
    await writeFile(config, withAnswer({ text: "edited" }));
    await expect.poll(ask, { timeout: 30_000 }).toBe("edited");
  });
});
