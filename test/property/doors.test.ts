/**
 * Random responses of a target, and random behaviour of a function: each call ends, the next one works, and no error
 * reaches the process.
 */

import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import type { VpcFunctionTarget } from "../../plugin/config.ts";
import { egressProxy } from "../../plugin/egress/server.ts";
import type { EgressOrder } from "../../service-worker/routing/egress-protocol.ts";
import { ask, httpTo, openRaw, orderLines, tcpTo } from "../egress/ask.ts";
import { ok } from "../servers/http-origin.ts";
import { type TestServer, startTcpServer } from "../servers/tcp-server.ts";
import { DEADLINE, runs } from "./runs.ts";

/** Errors that would end the process. */
const escaped: unknown[] = [];
const keep = (reason: unknown): void => void escaped.push(reason);

beforeEach(() => {
  escaped.length = 0;
  process.on("uncaughtException", keep).on("unhandledRejection", keep);
});

afterEach(() => {
  process.off("uncaughtException", keep).off("unhandledRejection", keep);
});

/** Milliseconds. Far more than a call takes on a busy machine. */
const HUNG = 10_000;

/** @throws if the call does not end */
async function settle(call: Promise<unknown>): Promise<void> {
  const ended = call.then(
    () => "ended",
    () => "ended",
  );
  const waiting = new AbortController();
  const first = await Promise.race([ended, delay(HUNG, "hangs", { signal: waiting.signal }).catch(() => "")]);
  waiting.abort();
  expect(first).toBe("ended");
  // A rejection is reported in the next turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  expect(escaped).toEqual([]);
}

const assert = <T>(property: fc.IAsyncPropertyWithHooks<T>, count: number): Promise<void> =>
  fc.assert<T>(property, { ...runs<T>(count), interruptAfterTimeLimit: DEADLINE - 15_000 });

// Targets

const byte = fc.nat(255).map((code) => String.fromCharCode(code));
const rubbish = fc.string({ unit: byte, maxLength: 12 });
const control = fc.constantFrom("\u0000", "\u0001", "\u001f", "\u007f", "\r", "\n", "\t", "\u0085", "\u00ff");
const reason = fc.oneof(
  fc.constant("OK"),
  fc.tuple(rubbish, control, rubbish).map((parts) => parts.join("")),
);
const status = fc.oneof(
  fc.constantFrom("100", "101", "102", "103", "199", "200", "204", "205", "304", "407", "599", "999"),
  fc.nat(1200).map(String),
);
const fieldName = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Trailer") },
  {
    weight: 3,
    arbitrary: fc.constantFrom("Content-Disposition", "Set-Cookie", "Keep-Alive", "x-miniflare-vpc-failure"),
  },
  { weight: 1, arbitrary: rubbish },
);
const fieldValue = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("0", "1", "5", "5, 5", "-1", "9e9", "", " ") },
  { weight: 3, arbitrary: fc.constantFrom("chunked", "identity", "gzip", "gzip, chunked", "chunked, gzip", ", ,") },
  { weight: 3, arbitrary: fc.constantFrom("close", "upgrade", "keep-alive", "websocket", "X-A", "timeout=0", "{") },
  { weight: 2, arbitrary: reason },
);
const body = fc.oneof(
  fc.constantFrom(
    "",
    "hello",
    "5\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n0\r\nX-A: a\u0001b\r\n\r\n",
    "5\r\nhel",
    "zz\r\n",
  ),
  rubbish,
);
const message = fc
  .record({
    version: fc.constantFrom("HTTP/1.1", "HTTP/1.0", "HTTP/2.0"),
    status,
    reason,
    fields: fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 4 }),
    body,
  })
  .map(
    ({ version, status, reason, fields, body }) =>
      `${version} ${status} ${reason}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`,
  );
const answers = fc.oneof(
  { weight: 6, arbitrary: fc.array(message, { minLength: 1, maxLength: 3 }).map((messages) => messages.join("")) },
  { weight: 1, arbitrary: fc.string({ unit: byte, maxLength: 200 }) },
);
const end = fc.constantFrom<"end" | "reset">("end", "reset");

const REQUESTS = {
  GET: {},
  POST: { method: "POST", body: "hello" },
  HEAD: { method: "HEAD" },
  Expect: { method: "POST", body: "hello", headers: { Expect: "100-continue" } },
} satisfies Record<string, object>;

let origin: TestServer;
let answer: (socket: Duplex & { resetAndDestroy: () => unknown }) => void;

beforeAll(async () => {
  origin = await startTcpServer((socket) => void socket.once("data", () => answer(socket)));
});
afterAll(() => origin[Symbol.asyncDispose]());

function hostile(text: string, end: "end" | "reset"): typeof answer {
  return (socket) => {
    if (end === "end") socket.end(text, "latin1");
    else socket.write(text, "latin1", () => void socket.resetAndDestroy());
  };
}

async function expectNextAnswer(): Promise<void> {
  answer = (socket) => void socket.end(ok("next"));
  expect(await ask({ agent: false, order: httpTo(origin.port) })).toMatchObject({ status: 200, body: "next" });
}

test("http targets", { timeout: DEADLINE }, async () => {
  const kind = fc.constantFrom<keyof typeof REQUESTS>("GET", "POST", "HEAD", "Expect");
  await assert(
    fc.asyncProperty(answers, end, kind, async (text, end, kind) => {
      answer = hostile(text, end);
      await settle(ask({ agent: false, order: httpTo(origin.port), ...REQUESTS[kind] }));
      await expectNextAnswer();
    }),
    150,
  );
});

/** Sends a request as bytes, and waits for the end of the response. */
async function askRaw(head: string, order: EgressOrder): Promise<void> {
  await using connection = await openRaw();
  connection.socket.write(`${head}\r\nHost: a\r\n${await orderLines(order)}`);
  connection.socket.write("Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n\r\n");
  connection.socket.end("more");
  await expect.poll(() => connection.isEnded, { timeout: HUNG, interval: 5 }).toBe(true);
}

test("upgrades, and tcp targets", { timeout: DEADLINE }, async () => {
  await assert(
    fc.asyncProperty(answers, end, fc.boolean(), async (text, end, isHttp) => {
      answer = hostile(text, end);
      await settle(
        isHttp
          ? askRaw("GET / HTTP/1.1", httpTo(origin.port))
          : askRaw("CONNECT egress:1 HTTP/1.1", tcpTo(origin.port)),
      );
      await expectNextAnswer();
    }),
    150,
  );
});

// Functions

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function raise(error: unknown): never {
  throw error;
}

/** Created when thrown, because fast-check can't handle some of these values. */
const thrown = fc.constantFrom<() => unknown>(
  () => new Error("words"),
  () => "words",
  () => undefined,
  () => null,
  () => 0,
  () => Symbol("words"),
  () => Object.create(null),
  () => ({ toString: () => raise(new Error("no text")) }),
  () => ({ [Symbol.toPrimitive]: () => ({}) }),
  revoked,
  () => Object.defineProperty(new Error(), "message", { get: () => raise(new Error("no message")) }),
  () => Object.defineProperty(new Error(), "stack", { get: () => raise(new Error("no stack")) }),
  () => Object.assign(new Error(), { message: Symbol("words") }),
  () => Object.assign(new Error(), { message: Object.create(null) }),
);

const piece = fc.constantFrom<() => unknown>(
  () => Buffer.from("hello"),
  () => "text",
  () => new ArrayBuffer(3),
  () => 5,
  () => null,
  () => ({}),
  () => Object.create(null),
  revoked,
);
/** Creates a stream of some pieces, which then ends or fails. */
const stream = fc
  .record({
    pieces: fc.array(piece, { maxLength: 3 }),
    end: fc.constantFrom("close", "error", "throw", "reject"),
    thrown,
  })
  .map(({ pieces, end, thrown }) => () => {
    const left = pieces.values();
    return new ReadableStream({
      pull(controller) {
        const { value, done } = left.next();
        if (done !== true) return controller.enqueue(value());
        if (end === "close") return controller.close();
        if (end === "error") return controller.error(thrown());
        if (end === "throw") return raise(thrown());
        return Promise.reject<void>(thrown());
      },
      cancel: () => raise(thrown()),
    });
  });
const text = fc.oneof(
  fc.constantFrom<unknown>("OK", "", undefined, null, Symbol("words"), Object.create(null)),
  reason,
);
const fields = fc.oneof(
  fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 3 }).map((list) => () => list),
  fc.constantFrom<() => unknown>(
    () => undefined,
    () => 5,
    () => [5],
    () => [["a"]],
    () => [["a", Symbol("words")]],
    () => [[Object.create(null), ""]],
    revoked,
  ),
);
const response = fc.record({
  status: fc.oneof(
    fc.constantFrom<unknown>(0, 99, 100, 101, 103, 199, 1000, -1, 2.5, Number.NaN, "200", null, {}),
    fc.nat(999),
  ),
  statusText: text,
  headers: fields,
  body: fc.oneof(
    stream,
    fc.constantFrom<() => unknown>(
      () => null,
      () => "text",
      () => 5,
      () => ({}),
      revoked,
    ),
  ),
  url: fc.constantFrom("", "http://a/", undefined, 5),
});
const deed = fc.oneof(
  { weight: 1, arbitrary: thrown.map((thrown) => () => raise(thrown())) },
  { weight: 1, arbitrary: thrown.map((thrown) => () => Promise.reject(thrown())) },
  { weight: 1, arbitrary: thrown },
  {
    weight: 6,
    arbitrary: response.map(({ body, headers, ...rest }) => () => ({ ...rest, headers: headers(), body: body() })),
  },
  {
    weight: 2,
    arbitrary: stream.map((body) => () => new Response(body(), { headers: { "Content-Length": "5" } })),
  },
);

const FUNCTION = {
  target: { type: "function", functionId: "f" },
  limits: { connectTimeout: 5000, dnsTimeout: 5000 },
} as const;

async function use(target: unknown): Promise<void> {
  (await egressProxy()).functions.set("test", new Map([["f", target as VpcFunctionTarget]]));
}

async function expectNextOfFunction(): Promise<void> {
  await use(() => new Response("next"));
  expect(await ask({ agent: false, order: { op: "http", ...FUNCTION } })).toMatchObject({ status: 200, body: "next" });
}

test("fetch functions", { timeout: DEADLINE }, async () => {
  const kind = fc.constantFrom<keyof typeof REQUESTS>("GET", "POST", "HEAD");
  await assert(
    fc.asyncProperty(deed, kind, async (deed, kind) => {
      await use(deed);
      await settle(ask({ agent: false, order: { op: "http", ...FUNCTION }, ...REQUESTS[kind] }));
      await expectNextOfFunction();
    }),
    150,
  );
});

const event = fc.constantFrom("data", "end", "readable", "close", "error", "finish", "newListener");
const listener = thrown.chain((thrown) =>
  fc.constantFrom<() => unknown>(
    () => raise(thrown()),
    () => Promise.reject(thrown()),
  ),
);

/** Waits for the response to a CONNECT, then closes the connection, because a function that does nothing keeps it open. */
async function connectUntil(answer: RegExp): Promise<void> {
  await using connection = await openRaw();
  const order = await orderLines({ op: "tcp", ...FUNCTION });
  connection.socket.end(`CONNECT egress:1 HTTP/1.1\r\nHost: a\r\n${order}\r\nhi`);
  await expect.poll(() => connection.received, { timeout: HUNG, interval: 5 }).toMatch(answer);
}

test("connect functions", { timeout: DEADLINE }, async () => {
  const connect = fc.oneof(
    deed,
    fc.tuple(event, listener).map(([event, listener]) => (socket: Duplex) => {
      socket.on(event, listener);
      socket.resume().end("hello");
    }),
    thrown.map((thrown) => (socket: Duplex) => void socket.destroy(thrown() as Error)),
  );
  await assert(
    fc.asyncProperty(connect, async (connect) => {
      await use({ connect });
      await settle(connectUntil(/^HTTP\/1\.1 (200|502)/));
      await expectNextOfFunction();
    }),
    150,
  );
});

test.each(["fetch", "connect"])("a target whose %s isn't a function", async (part) => {
  for (const value of [5, {}, null, "text"]) {
    await use({ [part]: value });
    const { failure } = await ask({ agent: false, order: { op: "http", ...FUNCTION } });
    expect(failure).toBeDefined();
    await settle(connectUntil(/^HTTP\/1\.1 502/));
  }
});
