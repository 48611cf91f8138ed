/** Virtual hosts at one address, which differ only in the Host header. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SERVICE, type TestWorker, startTestWorker, TUNNEL, type TestEnv } from "../setup/test-worker.ts";
import { LARGE, startNginx } from "./servers/nginx.ts";

const stack = new AsyncDisposableStack();
let worker: TestWorker;

beforeAll(async () => {
  const nginx = stack.use(await startNginx());
  const target = `127.0.0.1:${nginx.port}`;
  worker = stack.use(
    await startTestWorker({
      config: {
        services: { [SERVICE]: `http://${target}` },
        networks: {
          [TUNNEL]: { routes: { "shop.internal": target, "admin.internal": target, "*.other.internal": target } },
        },
      },
      ops: {
        async get(env, [binding, url]: [keyof TestEnv, string]) {
          const response = await env[binding].fetch(url);
          return `${response.status} ${response.url} ${await response.text()}`;
        },
        async measure(env, url: string) {
          const response = await env.NET.fetch(url);
          let bytes = 0;
          for await (const chunk of response.body) bytes += chunk.byteLength;
          return { bytes, announced: Number(response.headers.get("content-length")) };
        },
        async many(env, url: string) {
          const fetches = Array.from({ length: 100 }, (_, n) => env.API.fetch(`${url}${n}`));
          const texts = await Promise.all((await Promise.all(fetches)).map((response) => response.text()));
          return texts.filter((text, n) => text.startsWith(`shop shop.internal /${n} `)).length;
        },
      },
    }),
  );
});
afterAll(() => stack.disposeAsync());

describe.each(["API", "NET"])("%s", (binding) => {
  const get = (url: string): Promise<string> => worker.call("get", [binding, url]);

  test("reaches the virtual host that the URL names", async () => {
    expect(await get("http://shop.internal/a?b=c")).toContain("shop shop.internal /a?b=c");
    expect(await get("http://admin.internal/a")).toContain("403 http://admin.internal/a admin admin.internal /a");
  });

  test("follows a redirect on the same host", async () => {
    expect(await get("http://shop.internal/moved")).toContain("200 http://shop.internal/here shop shop.internal /here");
  });
});

test("the service's port replaces the URL's, which stays in the Host header", async () => {
  expect(await worker.call("get", ["API", "http://shop.internal:8080/"])).toContain("shop shop.internal:8080 /");
});

test("nginx answers for an unknown name", async () => {
  expect(await worker.call("get", ["NET", "http://x.other.internal/"])).toContain("421 ");
});

test("16 MiB from disk arrive complete", async () => {
  expect(await worker.call("measure", "http://shop.internal/large")).toEqual({ bytes: LARGE, announced: LARGE });
});

test("100 requests at once each get their own response", async () => {
  expect(await worker.call("many", "http://shop.internal/")).toBe(100);
});
