/**
 * HAR files of other tools replay. They were recorded with Chromium 150 and with Playwright 1.65, which asked the same
 * service the same requests.
 */

import path from "node:path";

import { describe, expect, test } from "vitest";
import { type Asking, headerOf, startAsking } from "./ask.ts";

const FILES = path.join(import.meta.dirname, "files");
const BASE = "http://users.internal";

const FORM = "application/x-www-form-urlencoded;charset=UTF-8";

describe.each([
  "chromium.har",
  "chromium-sanitized.har",
  "playwright-embed.har",
  "playwright-minimal.har",
  "playwright-attach/attach.har",
])("%s", (file) => {
  test("every answer comes back as the Worker would have seen it", async () => {
    await using worker = await startAsking(`har:${path.join(FILES, file)}`);
    const { ask } = worker;
    const get = (target: string, more: Partial<Asking> = {}) => ask({ url: `${BASE}${target}`, ...more });
    expect(await get("/")).toMatchObject({ status: 200, statusText: "OK", text: "<!doctype html><title>x</title>" });

    const gzip = await get("/gzip");
    expect(gzip).toMatchObject({ status: 200, text: '{"how":"gzip","ü":"😀"}' });
    expect(headerOf(gzip, "content-encoding")).toBe("gzip");
    expect(headerOf(gzip, "content-type")).toBe("application/json");
    expect(await get("/binary")).toMatchObject({ status: 200, base64: "AP8B/goN" });
    expect(await get("/png")).toMatchObject({ status: 200, base64: "iVBORw0KGgo=" });
    expect(await get("/stream")).toMatchObject({ status: 200, text: "abc" });
    expect(await get("/empty")).toMatchObject({ status: 200, text: "" });
    expect(await get("/204")).toMatchObject({ status: 204, statusText: "No Content", text: "" });
    expect(await get("/none?a=1&b=2&a=3")).toMatchObject({ status: 404, text: "none" });
    expect(await get("/none?b=2&a=1&a=3")).toMatchObject({ status: 404, text: "none" });
    expect(await get("/gzip", { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
  });

  test("redirects are followed, and repeated requests are answered in their order", async () => {
    await using worker = await startAsking(`har:${path.join(FILES, file)}`);
    const { ask } = worker;
    const manual = await ask({ url: `${BASE}/redirect`, redirect: "manual" });
    expect(manual).toMatchObject({ status: 302, text: "" });
    const first = Number((await ask({ url: `${BASE}/redirect` })).text);
    expect(first).toBeGreaterThan(0);
    // Its Location is absolute, and names the host that was recorded.
    expect((await ask({ url: `${BASE}/absolute` })).text).toBe(String(first + 1));
    const rest = [];
    for (let index = 0; index < 4; index++) rest.push(Number((await ask({ url: `${BASE}/next` })).text));
    expect(rest).toEqual([first + 2, first + 3, first + 4, first + 4]);
  });

  test("an unconditional request gets the body of what a browser had in its cache", async () => {
    await using worker = await startAsking(`har:${path.join(FILES, file)}`);
    for (let index = 0; index < 3; index++) {
      const seen = await worker.ask({ url: `${BASE}/etag` });
      expect(seen).toMatchObject({ status: 200, text: "etagged" });
    }
  });

  test("bodies of requests are told apart", async () => {
    await using worker = await startAsking(`har:${path.join(FILES, file)}`);
    const post = (body: Asking["body"], type?: string, method = "POST") =>
      worker.ask({
        url: `${BASE}/echo`,
        method,
        ...(body !== undefined && { body }),
        ...(type !== undefined && { headers: { "content-type": type } }),
      });
    expect((await post('{ "at": 1, "name": "Ada" }', "application/json")).text).toBe('{"name":"Ada","at":1}');
    expect((await post('{"name":"Bob"}')).text).toBe('{"name":"Bob"}');
    expect((await post("b=%c3%bc%26&a=1+2", FORM)).text).toBe("a=1+2&b=%C3%BC%26");
    expect(await post({ base64: "AP8H" }, "application/octet-stream")).toMatchObject({ base64: "AP8H" });
    expect(await post({ base64: "AP8BAg==" }, undefined, "PUT")).toMatchObject({ status: 200 });
    expect(await post(undefined)).toMatchObject({ status: 200, text: "" });
    expect((await worker.ask({ url: `${BASE}/echo`, method: "PUT" })).error).toBe("ProxyError: destination_not_found");
  });

  test("a WebSocket is played", async () => {
    await using worker = await startAsking(`har:${path.join(FILES, file)}`);
    const talk = { url: `${BASE}/ws`, send: ["one", [0, 200]], count: 3 };
    await expect(worker.call("talk", talk)).resolves.toEqual(["hello", "got one", [0, 200]]);
  });

  test("a call that had failed has no answer", async () => {
    await using worker = await startAsking(`har:${path.join(FILES, file)}`);
    expect((await worker.ask({ url: `${BASE}/hangup` })).error).toBe("ProxyError: destination_not_found");
  });
});

test("brotli is encoded again, if the Worker asks for that", async () => {
  await using worker = await startAsking(`har:${path.join(FILES, "chromium.har")}`);
  const seen = await worker.ask({ url: `${BASE}/br`, headers: { "accept-encoding": "br" } });
  expect(headerOf(seen, "content-encoding")).toBe("br");
});

test("answers that were recorded without their bodies are empty, and a warning says so", async () => {
  await using worker = await startAsking(`har:${path.join(FILES, "playwright-omit.har")}`);
  expect(await worker.ask({ url: `${BASE}/gzip` })).toMatchObject({ status: 200, text: "" });
  expect(await worker.ask({ url: `${BASE}/echo`, method: "POST", body: "anything" })).toMatchObject({ status: 200 });
  expect(worker.output()).toMatch(/\d+ of 28 answers of the recording ".*playwright-omit\.har" have no body in it/);
});
