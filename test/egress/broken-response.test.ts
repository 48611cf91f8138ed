import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import { describe, expect, test } from "vitest";

import { takeFailure } from "../../plugin/egress/http/exchange-failures.ts";
import { egressProxy } from "../../plugin/egress/server.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { selfSign } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { ask, failureOfExchange, httpTo, openRequest } from "./ask.ts";

const HEAD = "HTTP/1.1 200 OK\r\n";

type End = (socket: Socket) => void;
const fin: End = (socket) => socket.end();
const rst: End = (socket) => socket.resetAndDestroy();
const nothing: End = () => {};

let count = 0;

/** Reads a response until it breaks off. @returns the reported reason */
async function breakOff(response: string, end: End): ReturnType<typeof failureOfExchange> {
  await using origin = await startHttpOrigin((_, socket) => {
    socket.write(`${HEAD}${response}`, () => end(socket));
    return undefined;
  });
  const exchangeId = `exchange ${++count}`;
  const request = await openRequest({ order: { ...httpTo(origin.port), exchangeId } });
  request.end();
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  await expect(answer.resume().toArray()).rejects.toThrow("aborted");
  const failure = await failureOfExchange(exchangeId);
  // The reason can only be asked for once.
  expect(await failureOfExchange(exchangeId)).toBeNull();
  return failure;
}

describe("a response that breaks off is cut off, and the reason is kept", () => {
  test.each<[string, string, End, string, string]>([
    [
      "an end before Content-Length",
      "Content-Length: 100\r\n\r\nbegun",
      fin,
      "http_response_incomplete",
      "5 of 100 bytes",
    ],
    ["an end before the body", "Content-Length: 1\r\n\r\n", fin, "http_response_incomplete", "0 of 1 byte of"],
    [
      "an end without a last chunk",
      "Transfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n",
      fin,
      "http_response_incomplete",
      "5 bytes of the body arrived, and then no last chunk",
    ],
    ["a reset", "Content-Length: 100\r\n\r\nbegun", rst, "http_response_incomplete", " of 100 bytes"],
    [
      "a reset of a body that ends with the connection",
      "\r\nbegun",
      rst,
      "http_response_incomplete",
      "and then the connection",
    ],
    [
      "an invalid chunk size",
      "Transfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\nno size\r\n",
      nothing,
      "http_protocol_error",
      "after 5 bytes of the response's body: Parse Error",
    ],
  ])("%s", async (_, response, end, code, detail) => {
    expect(await breakOff(response, end)).toEqual({ code, detail: expect.stringContaining(detail) });
  });

  test("over TLS", async () => {
    await using origin = await startTlsOrigin({
      ...selfSign("a"),
      serve: (socket) => void socket.once("data", () => socket.end(`${HEAD}Content-Length: 100\r\n\r\nbegun`)),
    });
    const tls = { hostName: "a", verify: "disabled" as const, ca: [] };
    const order = { ...httpTo(origin.port), tls, exchangeId: "over TLS" };
    await expect(ask({ order })).rejects.toThrow(/aborted|hang up/);
    expect(await failureOfExchange("over TLS")).toEqual({
      code: "http_response_incomplete",
      detail: "5 of 100 bytes of the body arrived",
    });
  });
});

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("begun");
  throw new Error("no more");
}

test("the reason is kept if a function fails in the middle of its body", async () => {
  const proxy = await egressProxy();
  proxy.functions.set("test", new Map([["failing", () => new Response(ReadableStream.from(failing()))]]));
  const { limits } = httpTo(0);
  const order = { op: "http", target: { type: "function", functionId: "failing" }, limits, exchangeId: "f" } as const;
  await expect(ask({ order })).rejects.toThrow(/aborted|hang up/);
  expect(await failureOfExchange("f")).toMatchObject({
    code: "proxy_internal_error",
    detail: "the target's function failed: no more",
  });
  proxy.functions.drop("test");
});

test("no reason is kept for a complete response, a request that the client aborted, or an order without an exchangeId", async () => {
  await using origin = await startHttpOrigin((request, socket) => {
    if (request.includes(" /whole ")) return ok("whole");
    if (request.includes(" /cut ")) socket.end(`${HEAD}Content-Length: 9\r\n\r\nx`);
    else socket.write(`${HEAD}Content-Length: 9\r\n\r\nx`);
    return undefined;
  });
  await expect(ask({ order: httpTo(origin.port), path: "/cut" })).rejects.toThrow(/aborted|hang up/);
  await ask({ order: { ...httpTo(origin.port), exchangeId: "whole" }, path: "/whole" });
  const request = await openRequest({ order: { ...httpTo(origin.port), exchangeId: "given up" }, path: "/stall" });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.on("error", () => response.destroy());
  request.destroy();
  await expect.poll(() => origin.open.size).toBeLessThan(2);
  for (const exchangeId of ["whole", "given up", "undefined", "never"]) {
    expect(await failureOfExchange(exchangeId)).toBeNull();
  }
});

test("only the latest reasons are kept", async () => {
  await using origin = await startHttpOrigin((_, socket) => {
    socket.end(`${HEAD}Content-Length: 9\r\n\r\nx`);
    return undefined;
  });
  for (let batch = 0; batch < 11; batch++) {
    const names = Array.from({ length: 100 }, (_, index) => `many ${batch} ${index}`);
    await Promise.allSettled(names.map((exchangeId) => ask({ order: { ...httpTo(origin.port), exchangeId } })));
  }
  const kept = Array.from({ length: 1100 }, (_, index) =>
    takeFailure(`many ${Math.floor(index / 100)} ${index % 100}`),
  );
  expect(kept.slice(0, 100).every((failure) => failure === null)).toBe(true);
  expect(kept.slice(100).every((failure) => failure?.code === "http_response_incomplete")).toBe(true);
});
