/** Functions of a vitest test: the rule of a test that is gone is gone too. */

import { createRequire } from "node:module";

import { expect, test } from "vitest";
import { TUNNEL, type TestEnv, startTestWorker } from "../setup/test-worker.ts";

/** As a test sees it. */
interface Door {
  run(command: string): Promise<Response>;
  watch(owner: string, life: (when: string) => Promise<void>): Promise<void>;
  keepFunction(functionId: string, given: () => Promise<object>): Promise<void>;
}

const ops = {
  /** The function lives as long as this call, as those of a test live as long as its file. */
  addRules: async (env: TestEnv) => {
    const door = Reflect.get(globalThis, Symbol.for("miniflare-vpc.test-door")) as Door;
    const run = async (command: object): Promise<unknown> => (await door.run(JSON.stringify(command))).json();
    await run({ do: "attach" });
    await door.watch("test", (when) => (when === "now" ? Promise.resolve() : new Promise(() => {})));
    await door.keepFunction("test/f", async () => ({ response: new Response("from the test") }));
    await run({ do: "addRule", rule: { who: "a.internal", respondBy: "test/f" }, owner: "test" });
    await run({ do: "addRule", rule: { who: "b.internal", respond: { text: "data" } } });
    return (await env.NET.fetch("http://a.internal/")).text();
  },
  rules: async () => {
    const door = Reflect.get(globalThis, Symbol.for("miniflare-vpc.test-door")) as Door;
    const { result } = (await (await door.run('{"do":"rules"}')).json()) as { result: { text: string }[] };
    return result.map(({ text }) => text);
  },
  get: async (env: TestEnv, url: string) => (await env.NET.fetch(url)).text(),
};

/** What the vitest adapter adds to the runner's Worker. */
const FOR_TEST = {
  type: "unsafe:miniflare-vpc",
  dev: {
    plugin: { package: createRequire(import.meta.url).resolve("miniflare-vpc"), name: "VPC Service" },
    options: { isForTest: true },
  },
};

test("a rule whose test is gone is removed, and no other", async () => {
  await using worker = await startTestWorker({
    ops,
    env: { NET: { type: "vpc-network", tunnelId: TUNNEL }, TEST: FOR_TEST },
    config: { networks: { [TUNNEL]: { routes: { "*.internal": () => new Response("from the config") } } } },
  });
  expect(await worker.call("addRules")).toBe("from the test");
  const get = (url: string): Promise<unknown> => worker.call("get", url).catch(String);
  // Before any call finds out.
  await expect.poll(() => worker.call("rules"), { timeout: 30_000 }).toEqual(['"b.internal", every call']);
  expect(await get("http://a.internal/")).toBe("from the config");
  expect(await get("http://b.internal/")).toBe("data");
});
