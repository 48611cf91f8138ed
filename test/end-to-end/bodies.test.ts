/** Response bodies through the service worker: they arrive unchanged, and stop when the Worker stops reading. */

import { randomBytes } from "node:crypto";
import http from "node:http";
import type net from "node:net";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { SERVICE, type TestWorker, startTestWorker } from "../setup/test-worker.ts";

/** Longer than the bodies that the service worker forwards without watching them. */
const LONG = 100_000;
const long = "long".repeat(LONG / 4);
const packed = gzipSync(randomBytes(LONG)).toString("latin1");

/** The Worker under test answers with the response of its binding. */
const first = `if (new URL(request.url).pathname !== "/") return env.API.fetch(request);`;

/** Requests without decoding the body. */
async function get(worker: TestWorker, path: string): Promise<{ response: http.IncomingMessage; body: string }> {
  const url = new URL(path, await worker.miniflare.ready);
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get(url, { agent: false }, resolve).on("error", reject);
  });
  return { response, body: (await buffer(response)).toString("latin1") };
}

describe.each([
  ["the direct path", {}],
  ["the egress proxy", { connectionLimit: 1 }],
])("through %s", (_, limits) => {
  const config = (port: number): object => ({ ...limits, services: { [SERVICE]: `http://127.0.0.1:${port}` } });

  it.each([
    ["plain", `Content-Length: ${LONG}`, long],
    ["packed", `Content-Length: ${packed.length}\r\nContent-Encoding: gzip`, packed],
    ["short and packed", "Content-Length: 5\r\nContent-Encoding: gzip", "12345"],
  ])("keeps the length and the coding of a body that is %s", async (_kind, fields, body) => {
    await using origin = await startHttpOrigin(`HTTP/1.1 206 Partial Content\r\n${fields}\r\n\r\n${body}`);
    await using worker = await startTestWorker({ config: config(origin.port), ops: {}, first });
    const { response, body: received } = await get(worker, "/body");
    expect(response.headers["content-length"]).toBe(String(body.length));
    expect(response.headers["content-encoding"]).toBe(/gzip/.exec(fields)?.[0]);
    expect(received === body).toBe(true);
  });

  it("accepts a chunked body with a Content-Length, and an unknown status", async () => {
    const chunked = `HTTP/1.1 700 Odd\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`;
    const contradictory = chunked.replace("700 Odd", `200 OK\r\nContent-Length: ${LONG}`);
    await using origin = await startHttpOrigin((request) => (request.startsWith("GET /700") ? chunked : contradictory));
    await using worker = await startTestWorker({
      config: config(origin.port),
      ops: {
        async read(env, path: string) {
          const response = await env.API.fetch(`http://a.internal${path}`);
          return [response.status, await response.text()];
        },
      },
    });
    expect(await worker.call("read", "/700")).toEqual([700, "hi"]);
    expect(await worker.call("read", "/200")).toEqual([200, "hi"]);
  });

  it.each(["unread", "cancelled", "cancelledLater", "aborted"])(
    "releases the target's connection at once if a body is %s",
    async (op) => {
      // The target sends two bytes and then stays silent.
      const answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n";
      let silent: net.Socket | undefined;
      await using origin = await startHttpOrigin((request, socket) => {
        if (request.startsWith("GET /next")) return ok("next");
        silent = socket;
        return answer;
      });
      await using worker = await startTestWorker({
        config: config(origin.port),
        ops: {
          unread: async (env) => (await env.API.fetch("http://a.internal/silent")).status,
          cancelled: async (env) => (await env.API.fetch("http://a.internal/silent")).body.cancel(),
          async cancelledLater(env) {
            const reader = (await env.API.fetch("http://a.internal/silent")).body.getReader();
            await reader.read();
            await reader.cancel();
          },
          async aborted(env) {
            const abort = new AbortController();
            const reader = (await env.API.fetch("http://a.internal/silent", { signal: abort.signal })).body.getReader();
            await reader.read();
            abort.abort();
          },
          next: async (env) => (await env.API.fetch("http://a.internal/next")).text(),
        },
      });
      await worker.call(op);
      await vi.waitFor(() => expect(silent?.destroyed).toBe(true));
      expect(await vi.waitFor(() => worker.call("next"))).toBe("next");
      // The caller stopped reading itself, so nothing is reported.
      expect(worker.output()).not.toContain("http_response_incomplete");
    },
  );
});

it("keeps the coding of a stand-in Worker's body, and cancels the body when its reader does", async () => {
  const contents = `
    const events = [];
    export default {
      fetch(request) {
        switch (new URL(request.url).pathname) {
          case "/packed": {
            const bytes = Uint8Array.from(${JSON.stringify(packed.slice(0, 200))}, (char) => char.charCodeAt(0));
            return new Response(bytes, { encodeBody: "manual", headers: { "Content-Encoding": "gzip" } });
          }
          case "/silent":
            return new Response(new ReadableStream({
              start: (controller) => controller.enqueue(new TextEncoder().encode("hi")),
              pull: () => scheduler.wait(60_000),
              cancel: () => void events.push("cancelled"),
            }));
          default:
            return Response.json(events);
        }
      }
    }`;
  const standIn = {
    config: {
      name: "stand-in",
      compatibilityDate: "2026-11-01",
      manifest: { mainModule: "main.js", modules: { "main.js": { type: "esm" as const, contents } } },
    },
  };
  await using worker = await startTestWorker({
    config: { services: { [SERVICE]: "worker:stand-in" } },
    workers: [standIn],
    first,
    ops: {
      async giveUp(env) {
        const reader = (await env.API.fetch("http://a.internal/silent")).body.getReader();
        await reader.read();
        await reader.cancel();
      },
      events: async (env) => (await env.API.fetch("http://a.internal/events")).json(),
    },
  });
  const { body } = await get(worker, "/packed");
  expect(body === packed.slice(0, 200)).toBe(true);
  await worker.call("giveUp");
  await vi.waitFor(async () => expect(await worker.call("events")).toEqual(["cancelled"]));
});
