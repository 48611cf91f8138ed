/** Captures and decodes the config that Miniflare, without our plugin, passes to workerd. */

/* oxlint-disable no-underscore-dangle -- capnp-es names the methods that write a message so */

import { Message } from "capnp-es";
import type { MiniflareOptions } from "miniflare";
import { expect, test } from "vitest";

import { NO_SCRIPT, testOn } from "../setup/only-on.ts";
import { captureConfigs } from "./capture.ts";
import type { Config, Service } from "./config.ts";
import { readConfig } from "./read-config.ts";
import { manifest, startMiniflare } from "./start-miniflare.ts";
import * as schema from "./workerd.js";

const SHOP = `
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
export class Cart extends DurableObject {}
export class Admin extends WorkerEntrypoint {}
export default { fetch() { return new Response("shop"); } };
`;

const WORKERS: MiniflareOptions = {
  workers: [
    {
      config: {
        name: "shop",
        compatibilityDate: "2026-01-01",
        manifest: manifest(SHOP),
        exports: { Cart: { type: "durable-object", storage: "sqlite" } },
        env: {
          GREETING: { type: "text", value: "hello" },
          OLD: { type: "worker", worker: "old" },
          ADMIN: { type: "worker", worker: "shop", exportName: "Admin", props: { level: 1 } },
          KV: { type: "kv", id: "kv-id" },
          DB: { type: "d1", id: "db-id" },
          CART: { type: "durable-object", exportName: "Cart", worker: "shop" },
          ORIGIN: { type: "external", address: "127.0.0.1:1", http: {} },
          LAN: { type: "network", allow: ["private"], deny: ["10.0.0.0/8"] },
          FILES: { type: "disk", path: import.meta.dirname },
        },
        tailConsumers: [{ worker: "old" }],
      },
    },
    {
      config: { name: "old", compatibilityDate: "2026-01-01" },
      legacy: { serviceWorkerScript: `addEventListener("fetch", (e) => e.respondWith(new Response("old")))` },
    },
  ],
};

testOn("posix", NO_SCRIPT, "every part of a Worker is decoded as in Miniflare's options", async () => {
  const { result, configs } = await captureConfigs(async () => {
    await using miniflare = startMiniflare(WORKERS);
    const response = await miniflare.dispatchFetch("http://shop.test/");
    return response.text();
  });
  expect(result).toBe("shop");
  expect(configs).toHaveLength(1);
  const config = readConfig(first(configs));

  const shop = workerOf(config, "core:user:shop");
  expect(shop.format).toBe("modules");
  expect(shop.durableObjects).toEqual(["Cart"]);
  expect(shop.durableObjectDisk).toBe("do:storage");
  expect(shop.tails).toContainEqual({ service: "core:user:old" });
  expect(shop.cacheApiOutbound).toBeDefined();
  expect(shop.bindings).toEqual(
    expect.arrayContaining([
      { name: "GREETING", kind: "text" },
      { name: "OLD", kind: "service", target: { service: "core:user:old" } },
      {
        name: "ADMIN",
        kind: "service",
        target: { service: "core:user:shop", entrypoint: "Admin", props: { level: 1 } },
      },
      { name: "CART", kind: "durableObjectNamespace", className: "Cart", service: "core:user:shop" },
      expect.objectContaining({ name: "KV", kind: "kvNamespace" }),
      expect.objectContaining({
        name: "DB",
        kind: "wrapped",
        moduleName: "cloudflare-internal:d1-api",
        entrypoint: "default",
        inner: [expect.objectContaining({ kind: "service" })],
      }),
    ]),
  );
  expect(targetOf(config, "LAN")).toMatchObject({ kind: "network", allow: ["private"], deny: ["10.0.0.0/8"] });
  expect(targetOf(config, "ORIGIN")).toMatchObject({ kind: "external", address: "127.0.0.1:1", protocol: "http" });
  expect(targetOf(config, "FILES")).toMatchObject({ kind: "disk", path: import.meta.dirname, writable: false });

  expect(workerOf(config, "core:user:old").format).toBe("service-worker");
  expect(config.sockets).toContainEqual({ name: "entry", address: "", target: { service: "core:entry" } });
  expect(config.extensions).toContainEqual({ name: "miniflare:shared", internal: false });
});

testOn("posix", NO_SCRIPT, "a restarted runtime adds a config, in order, and captures take turns", async () => {
  const before = process.env["MINIFLARE_WORKERD_PATH"];
  const [failed, swapped, other] = await Promise.allSettled([
    captureConfigs(() => Promise.reject(new Error("no runtime"))),
    captureConfigs(async () => {
      await using miniflare = startMiniflare(named("before"));
      await miniflare.ready;
      await miniflare.setOptions(named("after"));
    }),
    captureConfigs(async () => {
      await using miniflare = startMiniflare(named("other"));
      await miniflare.ready;
    }),
  ]);
  expect(failed).toMatchObject({ status: "rejected", reason: { message: "no runtime" } });
  expect(userWorkers(swapped)).toEqual([["core:user:before"], ["core:user:after"]]);
  expect(userWorkers(other)).toEqual([["core:user:other"]]);
  expect(process.env["MINIFLARE_WORKERD_PATH"]).toBe(before);
});

test("unknown parts are an error", () => {
  const noKind = encode((config) => {
    config._initServices(1).get(0).name = "odd";
  });
  expect(() => readConfig(noKind)).toThrow('service "odd" is of no kind');

  const noBinding = encode((config) => {
    const binding = config._initServices(1).get(0)._initWorker()._initBindings(1).get(0);
    binding.name = "ODD";
  });
  expect(() => readConfig(noBinding)).toThrow('"ODD" is member 0 of the union Worker.Binding');
});

test("an absent global outbound is the internet", () => {
  const bytes = encode((config) => {
    const service = config._initServices(1).get(0);
    service.name = "quiet";
    service._initWorker()._initModules(0);
  });
  expect(workerOf(readConfig(bytes), "quiet")).toMatchObject({
    globalOutbound: { service: "internet" },
    cacheApiOutbound: undefined,
    workflowEngine: undefined,
  });
});

function named(name: string): MiniflareOptions {
  const script = "export default { fetch: () => new Response() }";
  return { workers: [{ config: { name, compatibilityDate: "2026-01-01", manifest: manifest(script) } }] };
}

function userWorkers(outcome: PromiseSettledResult<{ configs: Uint8Array[] }>): string[][] {
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value.configs.map((bytes) =>
    readConfig(bytes)
      .services.map(({ name }) => name)
      .filter((name) => name.startsWith("core:user:") && name !== "core:user:dev-registry-proxy"),
  );
}

function serviceOf(config: Config, serviceName: string): Service {
  const service = config.services.find(({ name }) => name === serviceName);
  if (service === undefined) throw new Error(`no service ${serviceName}`);
  return service;
}

function workerOf(config: Config, serviceName: string): Extract<Service, { kind: "worker" }>["worker"] {
  const service = serviceOf(config, serviceName);
  if (service.kind !== "worker") throw new Error(`${serviceName} is no Worker`);
  return service.worker;
}

/** The service behind a binding of the Worker "shop". */
function targetOf(config: Config, bindingName: string): Service {
  const binding = workerOf(config, "core:user:shop").bindings.find(({ name }) => name === bindingName);
  if (binding?.kind !== "service") throw new Error(`${bindingName} is no service binding`);
  return serviceOf(config, binding.target.service);
}

function encode(fill: (config: schema.Config) => void): Uint8Array {
  const message = new Message();
  fill(message.initRoot(schema.Config));
  return new Uint8Array(message.toArrayBuffer());
}

function first<Item>(items: Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new Error("there is none");
  return item;
}
