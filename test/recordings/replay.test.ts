/** A recording as a target, end to end: which entry answers, in what order, and what a miss says. */

import { rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { connectVpc, latency } from "miniflare-vpc/test/node";
import { describe, expect, test } from "vitest";
import type { VpcHar } from "../../plugin/config.ts";
import type { HarWebSocketMessage } from "../../plugin/recordings/har.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { TUNNEL } from "../setup/test-worker.ts";
import { createFolder } from "../setup/vpc-folder.ts";
import { type Asking, type AskingWorker, headerOf, startAsking } from "./ask.ts";
import { type Recorded, writeHar } from "./make-har.ts";

interface Replaying extends AskingWorker {
  file: string;
  folder: string;
  /** @returns the text of the answer, or the error */
  text: (target: string, asking?: Partial<Asking>) => Promise<string>;
}

/** @param settings beside `har` */
async function startReplay(recorded: readonly Recorded[], settings?: Omit<VpcHar, "har">): Promise<Replaying> {
  const { folder, [Symbol.asyncDispose]: removeFolder } = await createFolder({});
  const file = await writeHar(folder, recorded);
  const worker = await startAsking(settings === undefined ? `har:${file}` : { har: file, ...settings });
  return {
    ...worker,
    file,
    folder,
    async text(target, asking = {}) {
      const seen = await worker.ask({ url: new URL(target, "http://users.internal").href, ...asking });
      return seen.error ?? seen.text;
    },
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      await removeFolder();
    },
  };
}

const NOT_FOUND = "ProxyError: destination_not_found";
const post = (body: Asking["body"], headers: Record<string, string> = {}): Partial<Asking> => ({
  method: "POST",
  headers,
  ...(body !== undefined && { body }),
});

function multipart(boundary: string, value: string): string {
  return `--${boundary}\r\ncontent-disposition: form-data; name="a"\r\n\r\n${value}\r\n--${boundary}--\r\n`;
}

describe("which entry answers", () => {
  test("method, path, query and body must be equal", async () => {
    await using replay = await startReplay([
      { url: "/users?b=2&a=1&a=3", answer: "list" },
      { url: "/users", method: "POST", body: '{"name":"Ada","tags":["x"]}', answer: "Ada" },
      { url: "/users", method: "POST", body: '{"name":"Bob"}', answer: "Bob" },
      { url: "/users", method: "POST", body: "plain", answer: "plain" },
    ]);
    const { text } = replay;
    await expect(text("/users?a=1&a=3&b=2")).resolves.toBe("list");
    await expect(text("/users?a=3&a=1&b=2")).resolves.toBe(NOT_FOUND);
    await expect(text("/users", post('{ "tags": ["x"], "name": "Ada" }'))).resolves.toBe("Ada");
    await expect(text("/users", post('{"name":"Bob"}'))).resolves.toBe("Bob");
    await expect(text("/users", post("plain"))).resolves.toBe("plain");
    await expect(text("/users", post('{"name":"Eve"}'))).resolves.toBe(NOT_FOUND);
    await expect(text("/users", { method: "DELETE" })).resolves.toBe(NOT_FOUND);
  });

  test("a form is compared by its fields, and a multipart body without its boundary", async () => {
    await using replay = await startReplay([
      {
        url: "/form",
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: "b=%20&a=1",
        answer: "form",
      },
      {
        url: "/params",
        method: "POST",
        body: { mimeType: "application/x-www-form-urlencoded", params: [{ name: "a", value: "1 2" }] },
        headers: { "content-type": "application/x-www-form-urlencoded" },
        answer: "params",
      },
      {
        url: "/multipart",
        method: "POST",
        headers: { "content-type": "multipart/form-data; boundary=one" },
        body: multipart("one", "1"),
        answer: "multipart",
      },
    ]);
    const form = { "content-type": "application/x-www-form-urlencoded" };
    await expect(replay.text("/form", post("a=1&b=+", form))).resolves.toBe("form");
    await expect(replay.text("/params", post("a=1+2", form))).resolves.toBe("params");
    const other = { "content-type": 'multipart/form-data; boundary="two"' };
    await expect(replay.text("/multipart", post(multipart("two", "1"), other))).resolves.toBe("multipart");
    await expect(replay.text("/multipart", post(multipart("two", "2"), other))).resolves.toBe(NOT_FOUND);
  });

  test("`match.headers` counts header fields, and `match.ignore` leaves out names of all kinds", async () => {
    await using replay = await startReplay(
      [
        { url: "/a", headers: { accept: "text/html" }, answer: "html" },
        { url: "/a", headers: { accept: "application/json" }, answer: "json" },
        { url: "/b?at=1&x=1", answer: "query" },
        { url: "/c", method: "POST", body: '{"at":1,"in":[{"at":2,"x":1}]}', answer: "json body" },
      ],
      { match: { headers: ["Accept"], ignore: ["At"] } },
    );
    await expect(replay.text("/a", { headers: { accept: "application/json" } })).resolves.toBe("json");
    await expect(replay.text("/a", { headers: { accept: "text/html" } })).resolves.toBe("html");
    await expect(replay.text("/a", { headers: { accept: "image/png" } })).resolves.toBe(NOT_FOUND);
    await expect(replay.text("/b?x=1&at=99")).resolves.toBe("query");
    await expect(replay.text("/c", post('{"in":[{"x":1,"at":7}],"at":8}'))).resolves.toBe("json body");
    await expect(replay.text("/c", post('{"in":[{"x":2}]}'))).resolves.toBe(NOT_FOUND);
    expect(replay.output()).toContain('the header "accept" is "image/png", not "text/html"');
  });

  test("what was a secret when it was recorded may be anything", async () => {
    await using replay = await startReplay(
      [
        { url: "/a?token=[redacted]&x=1", answer: "query" },
        { url: "/b", method: "POST", body: '{"password":"[redacted]","user":"ada"}', answer: "body" },
        { url: "/keys/[redacted]/use", answer: "path" },
        { url: "/c", headers: { authorization: "[redacted]" }, answer: "header" },
        { url: "/d", method: "POST", body: "the key is [redacted].", answer: "text" },
      ],
      { match: { headers: ["authorization"] } },
    );
    await expect(replay.text("/a?token=secret&x=1")).resolves.toBe("query");
    await expect(replay.text("/a?token=secret&x=2")).resolves.toBe(NOT_FOUND);
    await expect(replay.text("/b", post('{"user":"ada","password":"secret"}'))).resolves.toBe("body");
    await expect(replay.text("/b", post('{"user":"bob","password":"secret"}'))).resolves.toBe(NOT_FOUND);
    await expect(replay.text("/keys/secret/use")).resolves.toBe("path");
    await expect(replay.text("/keys/a/b/use")).resolves.toBe(NOT_FOUND);
    await expect(replay.text("/c", { headers: { authorization: "Bearer secret" } })).resolves.toBe("header");
    await expect(replay.text("/d", post("the key is secret."))).resolves.toBe("text");
  });

  test("of several origins, the one that the Worker wrote answers, or that of the target", async () => {
    const recorded = [
      { url: "http://orders.internal/x", answer: "orders" },
      { url: "http://users.internal/x", answer: "users" },
      { url: "http://127.0.0.1:3001/y", answer: "of the target" },
      { url: "http://127.0.0.1:3002/z", answer: "of another" },
    ];
    await using replay = await startReplay(recorded, { target: "localhost:3001" });
    await expect(replay.text("/x")).resolves.toBe("users");
    await expect(replay.text("/y")).resolves.toBe("of the target");
    await expect(replay.text("/z")).resolves.toBe(NOT_FOUND);
    expect(replay.output()).toContain("the URL begins with http://users.internal, not http://localhost:3002");
    // A service takes any host.
    expect(await replay.ask({ binding: "API", url: "http://orders.internal/x" })).toMatchObject({ text: "orders" });
  });

  test("the only origin of a file answers for any", async () => {
    await using replay = await startReplay([
      { url: "http://localhost:3001/x", answer: "x" },
      { url: "http://localhost:3001/r", status: 302, answerHeaders: { location: "http://localhost:3001/x" } },
    ]);
    await expect(replay.text("/x")).resolves.toBe("x");
    await expect(replay.text("https://users.internal/r")).resolves.toBe("x");
  });
});

describe("order", () => {
  const RECORDED = ["1", "2", "3"].map((answer) => ({ url: "/next", answer }));

  test("repeated requests are answered in their order, the last one repeats, and an edit or reset() begins anew", async () => {
    await using replay = await startReplay([...RECORDED, { url: "/other", answer: "other" }]);
    const { text } = replay;
    expect([await text("/next"), await text("/other"), await text("/next")]).toEqual(["1", "other", "2"]);
    expect([await text("/next"), await text("/next")]).toEqual(["3", "3"]);
    await using vpc = await connectVpc(replay.miniflare);
    await vpc.reset();
    await expect(text("/next")).resolves.toBe("1");
    await writeHar(replay.folder, [
      { url: "/next", answer: "edited 1" },
      { url: "/next", answer: "edited 2" },
    ]);
    expect([await text("/next"), await text("/next")]).toEqual(["edited 1", "edited 2"]);
  });

  test("a 304 answers conditional requests only, and a 206 those for the same range", async () => {
    await using replay = await startReplay([
      { url: "/a", answer: "whole" },
      { url: "/a", status: 304, answerHeaders: { etag: '"1"' } },
      { url: "/r", status: 206, headers: { range: "bytes=0-1" }, answer: "ab" },
      { url: "/r", status: 206, headers: { range: "bytes=2-3" }, answer: "cd" },
    ]);
    expect(await replay.ask({ url: "http://users.internal/a" })).toMatchObject({ status: 200, text: "whole" });
    const conditional = { url: "http://users.internal/a", headers: { "if-none-match": '"1"' } };
    expect(await replay.ask(conditional)).toMatchObject({ status: 304, text: "" });
    expect(await replay.ask({ url: "http://users.internal/a" })).toMatchObject({ status: 200, text: "whole" });
    await expect(replay.text("/r", { headers: { range: "bytes=2-3" } })).resolves.toBe("cd");
    await expect(replay.text("/r", { headers: { range: "bytes=0-1" } })).resolves.toBe("ab");
    await expect(replay.text("/r")).resolves.toBe(NOT_FOUND);
  });
});

describe("answers", () => {
  test("header fields are repeated, but for those that belong to the connection", async () => {
    await using replay = await startReplay([
      {
        url: "/h",
        status: 418,
        statusText: "I'm a teapot",
        answerHeaders: [
          [":status", "418"],
          ["Set-Cookie", "a=1"],
          ["Set-Cookie", "b=2\nc=3"],
          // As a browser and as this program write the bytes of a field.
          ["X-Name", "Käse 😀"],
          ["X-Bytes", Buffer.from("Käse").toString("latin1")],
          ["Content-Type", "application/json"],
          ["Content-Length", "999"],
          ["Connection", "keep-alive"],
          ["Keep-Alive", "timeout=5"],
        ],
        answer: "{}",
      },
      { url: "/chunked", answerHeaders: { "transfer-encoding": "chunked" }, answer: "abc" },
      { url: "/odd", answerHeaders: { "content-encoding": "unknown" }, answer: "abc" },
    ]);
    const seen = await replay.ask({ url: "http://users.internal/h" });
    expect(seen).toMatchObject({ status: 418, statusText: "I'm a teapot", text: "{}" });
    expect(headerOf(seen, "content-length")).toBe("2");
    expect(headerOf(seen, "x-name")).toBe("Käse 😀");
    expect(headerOf(seen, "x-bytes")).toBe("Käse");
    expect(headerOf(seen, "keep-alive")).toBeUndefined();
    const cookies = seen.headers.filter(([name]) => name === "set-cookie").map(([, value]) => value);
    expect(cookies.join(", ")).toBe("a=1, b=2, c=3");
    const chunked = await replay.ask({ url: "http://users.internal/chunked" });
    expect([headerOf(chunked, "content-length"), chunked.text]).toEqual([undefined, "abc"]);
    expect(await replay.ask({ url: "http://users.internal/odd" })).toMatchObject({ text: "abc" });
  });

  test("a HEAD has the recorded length and no body", async () => {
    await using replay = await startReplay([
      { url: "/a", method: "HEAD", answerHeaders: { "content-length": "1234" }, answer: "" },
    ]);
    const seen = await replay.ask({ url: "http://users.internal/a", method: "HEAD" });
    expect([headerOf(seen, "content-length"), seen.text]).toEqual(["1234", ""]);
  });

  test.each(["gzip", "br", "deflate", "zstd"])(
    "%s: a long body with all kinds of characters is whole",
    async (coding) => {
      const long = 'ü"\\\u2028😀\u0000\n'.repeat(100_000);
      await using replay = await startReplay([
        { url: "/a", answerHeaders: { "content-encoding": coding, "content-length": "1" }, answer: long },
        { url: "/plain", answerHeaders: { "content-length": "1" }, answer: long },
        { url: "/base64", answer: { text: Buffer.from(long).toString("base64"), encoding: "base64" } },
      ]);
      await expect(replay.text("/plain")).resolves.toBe(long);
      await expect(replay.text("/base64")).resolves.toBe(long);
      const seen = await replay.ask({ url: "http://users.internal/a", headers: { "accept-encoding": "gzip, br" } });
      expect(headerOf(seen, "content-encoding")).toBe(coding);
      // workerd does not decode the others.
      expect(seen.text === long).toBe(coding === "gzip" || coding === "br");
    },
  );

  test("a body that a tool has written with its encoding is not encoded twice", async () => {
    const { gzipSync } = await import("node:zlib");
    const text = gzipSync("hello").toString("base64");
    await using replay = await startReplay([
      { url: "/a", answerHeaders: { "content-encoding": "gzip" }, answer: { text, encoding: "base64" } },
    ]);
    await expect(replay.text("/a")).resolves.toBe("hello");
  });
});

describe("a miss", () => {
  test("names the nearest entry and what differs", async () => {
    await using replay = await startReplay([
      { url: "/users/1", answer: "1" },
      { url: "/users?page=1", answer: "page" },
      { url: "/users", method: "POST", body: '{"name":"Ada","age":36}', answer: "made" },
      { url: "/f", method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "a=1" },
    ]);
    const nearest = async (target: string, asking?: Partial<Asking>): Promise<string | undefined> => {
      const before = replay.output().length;
      await expect(replay.text(target, asking)).resolves.toBe(NOT_FOUND);
      return /The nearest is (.*?) \(route /.exec(replay.output().slice(before))?.[1];
    };
    await expect(nearest("/users/2")).resolves.toBe(
      "entry 1, GET http://users.internal/users/1: the path is /users/2, not /users/1",
    );
    await expect(nearest("/users?page=2")).resolves.toBe(
      'entry 2, GET http://users.internal/users?page=1: the query parameter "page" is "2", not "1"',
    );
    await expect(nearest("/users", post('{"name":"Bob","age":36}'))).resolves.toBe(
      'entry 3, POST http://users.internal/users: the JSON body\'s name is "Bob", not "Ada"',
    );
    await expect(nearest("/users", post('{"name":"Ada","age":36,"x":1}'))).resolves.toBe(
      "entry 3, POST http://users.internal/users: the JSON body's x is 1, but was not recorded",
    );
    await expect(nearest("/users", { method: "PUT", body: '{"name":"Ada","age":36}' })).resolves.toBe(
      "entry 3, POST http://users.internal/users: the method is PUT, not POST",
    );
    await expect(nearest("/f", post("a=2", { "content-type": "application/x-www-form-urlencoded" }))).resolves.toBe(
      'entry 4, POST http://users.internal/f: the form field "a" is "2", not "1"',
    );
  });

  test("says what to write, which depends on how the target is written", async () => {
    await using short = await startReplay([{ url: "/a" }]);
    await expect(short.text("/b")).resolves.toBe(NOT_FOUND);
    expect(short.output()).toContain(
      'Record it again, or write { "har": "users.har", "target": "localhost:3000", "notFound": "fallback" } to ask a target.',
    );
    await using long = await startReplay([{ url: "/a" }], { target: "localhost:1" });
    await expect(long.text("/b")).resolves.toBe(NOT_FOUND);
    expect(long.output()).toContain('write "notFound": "fallback" beside its "target" to ask that.');
  });

  test("is in the journal with the nearest entry, and faults and rules work on top", async () => {
    await using replay = await startReplay([{ url: "/a", answer: "a" }]);
    await using vpc = await connectVpc(replay.miniflare);
    await vpc.on("users.internal", "/rule").respond({ text: "of a rule" });
    await vpc.on("users.internal").fault(latency(1));
    expect([await replay.text("/a"), await replay.text("/rule"), await replay.text("/b")]).toEqual([
      "a",
      "of a rule",
      NOT_FOUND,
    ]);
    const [missed] = await vpc.unmatched();
    expect(missed).toMatchObject({ nearest: "entry 1, GET http://users.internal/a: the path is /b, not /a" });
    expect((await vpc.requests()).map(({ target }) => target)).toEqual([
      `har:${replay.file}`,
      "rule",
      `har:${replay.file}`,
    ]);
  });

  test("a Worker can be the target that answers", async () => {
    await using replay = await startReplay([{ url: "/a", answer: "recorded" }], {
      target: "worker:app",
      notFound: "fallback",
    });
    await expect(replay.text("/a")).resolves.toBe("recorded");
    // The Worker under test answers with an error, because it was given no operation.
    await expect(replay.text("/b", post("hello"))).resolves.toContain('"error"');
  });

  test("connect() is refused in words", async () => {
    await using replay = await startReplay([{ url: "/a", answer: "a" }]);
    await expect(replay.call("connect", "users.internal:5432")).resolves.toBe("ProxyError: destination_unavailable");
    expect(replay.output()).toContain("the target is a stand-in, which answers fetch() only");
  });

  test('with "notFound": "fallback", the target answers, also an upload', async () => {
    await using server = await startHttpOrigin((request) => {
      const [head = "", body = ""] = request.split("\r\n\r\n");
      const [, asked = ""] = /^(\S+ \S+)/.exec(head) ?? [];
      return ok(`live ${asked} ${/^host: (.*)$/im.exec(head)?.[1]} ${body}`);
    });
    const target = `127.0.0.1:${server.port}`;
    await using replay = await startReplay([{ url: "/a", answer: "recorded" }], { target, notFound: "fallback" });
    await expect(replay.text("/a")).resolves.toBe("recorded");
    await expect(replay.text("/b")).resolves.toBe("live GET /b users.internal ");
    await expect
      .poll(() => replay.output(), { timeout: 30_000 })
      .toContain(`NET  GET http://users.internal/b → ${target}  200`);
    await expect(replay.text("/a", post("x".repeat(1000)))).resolves.toBe(
      `live POST /a users.internal ${"x".repeat(1000)}`,
    );
    await using vpc = await connectVpc(replay.miniflare);
    await replay.text("/b", post("hello"));
    const request = (await vpc.requests()).at(-1);
    await expect(request?.text()).resolves.toBe("hello");
    expect(request).toMatchObject({ target, status: 200 });
  });
});

function message(type: "send" | "receive", data: string, opcode = 1): HarWebSocketMessage {
  return { type, time: 1, opcode, data };
}

describe("WebSockets", () => {
  const talked = {
    url: "ws://users.internal/ws",
    status: 101,
    answerHeaders: { "sec-websocket-accept": "old", "sec-websocket-extensions": "permessage-deflate" },
    more: {
      _webSocketMessages: [
        message("receive", "a"),
        message("receive", "long ".repeat(20_000)),
        message("send", "1"),
        message("send", "2"),
        message("receive", Buffer.from([0, 255]).toString("base64"), 2),
      ],
    },
  };
  const talk = { url: "http://users.internal/ws", send: ["x", "y"], count: 3 };
  const answers = ["a", "long ".repeat(20_000), [0, 255]];

  test("the server's messages come after as many of the client's as were recorded, also through a fault", async () => {
    await using replay = await startReplay([talked]);
    await expect(replay.call("talk", talk)).resolves.toEqual(answers);
    await using vpc = await connectVpc(replay.miniflare);
    await vpc.on("users.internal").fault(latency(5));
    await expect(replay.call("talk", talk)).resolves.toEqual(answers);
    await expect.poll(async () => (await vpc.requests()).at(-1)?.status, { timeout: 30_000 }).toBe(101);
  });

  test("an upgrade that was refused is refused again, and a path that had none is a miss", async () => {
    await using replay = await startReplay([talked, { url: "/closed", status: 403 }]);
    await expect(replay.call("talk", { ...talk, url: "http://users.internal/closed" })).resolves.toBe(403);
    await expect(replay.call("talk", { ...talk, url: "http://users.internal/none" })).rejects.toThrow(NOT_FOUND);
    await expect(replay.text("/ws")).resolves.toBe(NOT_FOUND);
    expect(replay.output()).toContain("it is an ordinary request, not for a WebSocket");
  });
});

describe("a file that can't be replayed", () => {
  test("when it is edited while it runs, the call fails and says where the mistake is", async () => {
    await using replay = await startReplay([{ url: "/a", answer: "a" }]);
    await expect(replay.text("/a")).resolves.toBe("a");
    await writeFile(replay.file, '{ "log": { "entries": [\n  {] } }');
    await expect(replay.text("/a")).resolves.toBe("ProxyError: destination_unavailable");
    expect(replay.output()).toMatch(/users\.har:2:4 can't be replayed: it is not JSON: "]" stands where/);
    await expect
      .poll(() => replay.output(), { timeout: 30_000 })
      .toContain("A recording is read from its file, so its calls fail until that can be replayed.");
    await writeHar(replay.folder, [{ url: "/a", answer: "again" }]);
    await expect(replay.text("/a")).resolves.toBe("again");
  });

  test("a body that has gone meanwhile fails the call, names the entry and the file, and answers when it is back", async () => {
    await using replay = await startReplay([]);
    const body = path.join(replay.folder, "body.txt");
    await writeFile(body, "attached");
    await writeHar(replay.folder, [
      { url: "/other", answer: "other" },
      { url: "/a", answer: { _file: "body.txt" } },
      { url: "/ws", status: 101, answer: { _file: "body.txt" } },
    ]);
    await expect(replay.text("/a")).resolves.toBe("attached");
    await rm(body);
    await expect(replay.text("/a")).resolves.toBe("ProxyError: destination_unavailable");
    expect(replay.output()).toMatch(
      /users\.har:\d+:\d+ can't be replayed: the "_file" "body.txt" of its entry 2 is missing/,
    );
    expect(replay.output()).not.toMatch(/ENOENT|function/);
    await writeFile(body, "back");
    await expect(replay.text("/a")).resolves.toBe("back");
  });

  test("an edit of the vpc config keeps the order", async () => {
    await using folder = await createFolder({});
    await writeHar(
      folder.folder,
      ["1", "2", "3"].map((answer) => ({ url: "/n", answer })),
    );
    const config = path.join(folder.folder, "vpc.jsonc");
    const write = (more: object) =>
      writeFile(
        config,
        JSON.stringify({ networks: { [TUNNEL]: { routes: { "users.internal": "har:users.har", ...more } } } }),
      );
    await write({});
    await using worker = await startAsking({ config });
    const next = async (): Promise<string> => (await worker.ask({ url: "http://users.internal/n" })).text;
    expect([await next(), await next()]).toEqual(["1", "2"]);
    await write({ "other.internal": { respond: { text: "other" } } });
    const other = async (): Promise<string> => (await worker.ask({ url: "http://other.internal/" })).text;
    await expect.poll(other, { timeout: 30_000 }).toBe("other");
    await expect(next()).resolves.toBe("3");
  });
});
