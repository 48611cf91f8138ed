/** Which of our services Workers hold, according to the config that workerd receives. */

import { createRequire } from "node:module";

import type { MiniflareOptions } from "miniflare";
import { beforeAll, expect, test } from "vitest";

import { withVpc } from "miniflare-vpc";
import { captureConfigs } from "../capnp/capture.ts";
import type { Binding, Config } from "../capnp/config.ts";
import { findLeaks, type Handle, handlesOf, type Ownership, USER_WORKER } from "../capnp/find-leaks.ts";
import { readConfig } from "../capnp/read-config.ts";
import { manifest, startMiniflare } from "../capnp/start-miniflare.ts";
import { NO_SCRIPT, describeOn } from "../setup/only-on.ts";

const SERVICE_ID = "e6a0817c-79c5-40ca-9776-a1c019defe70";
const TUNNEL = "550e8400-e29b-41d4-a716-446655440000";
const OTHER_TUNNEL = "0f3c8d4e-7b1a-4c57-9e58-2a6d1f0b9c33";

const DOOR = "miniflare-vpc";
const FACADE = "miniflare-vpc:binding";
const HYPERDRIVE = "miniflare-vpc:hyperdrive";
const DATABASES = `${HYPERDRIVE}:`;

const ownership: Ownership = {
  ours: (serviceName) => serviceName === DOOR || serviceName.startsWith(`${DOOR}:`),
  isDoor: ({ holder, path, target: { service, entrypoint, props } }) => {
    // The end of a Unix socket in Node, which asks `decide` for the binding that it belongs to.
    if (service.startsWith(DATABASES)) return service === `${DATABASES}${bindingAt(holder, path)}`;
    if (service !== DOOR) return false;
    // Miniflare's proxy holds each Durable Object of a plugin. Ours has a single method without arguments and result.
    if (entrypoint === "TableFollower") return props === undefined && holder === "core:entry";
    // Miniflare's proxy serves code in Node, which has an entrypoint of its own.
    if (entrypoint !== (holder === "core:entry" ? "NodeBinding" : undefined)) return false;
    // No Worker holds the identity of another Worker's binding.
    return isIdentity(props) && props.binding === bindingAt(holder, path);
  },
};

function isIdentity(props: unknown): props is { binding: string } {
  return typeof props === "object" && props !== null && "binding" in props && Object.keys(props).length === 1;
}

/** The Worker and binding that a handle belongs to. Miniflare's proxy holds one for each, named after both. */
function bindingAt(holder: string, path: string): string {
  if (holder === "core:entry") return path.replace(/^MINIFLARE_PROXY:[^:]+:/, "").replace(":", "/");
  return `${holder.slice(USER_WORKER.length)}/${path.split(" > ", 1)[0]}`;
}

describeOn("posix", NO_SCRIPT, "the config that workerd receives", () => {
  let config: Config;

  beforeAll(async () => {
    const { configs } = await captureConfigs(async () => {
      await using miniflare = startMiniflare(
        withVpc(
          { workers: session() },
          {
            config: {
              services: { [SERVICE_ID]: "http://127.0.0.1:1", OLD_API: "127.0.0.1:2", database: "127.0.0.1:5" },
              hyperdrive: {
                PLAIN: { service: "database", database: "app", user: "app", password: "plain" },
                ENCODED: { service: "database", database: "app", user: "app", password: "p@ss/word" },
              },
              networks: {
                [TUNNEL]: {
                  routes: {
                    "db.internal:5432": "127.0.0.1:3",
                    "*.internal": "worker:stand-in",
                    "cache.internal": "unix:/run/cache.sock",
                    "10.0.0.0/8": "passthrough",
                  },
                },
                [OTHER_TUNNEL]: {
                  routes: { "vault.internal": "127.0.0.1:4", "10.9.0.0/16": { deny: "destination_unavailable" } },
                },
              },
            },
          },
        ),
      );
      await miniflare.ready;
    });
    const [captured] = configs;
    if (captured === undefined) throw new Error("no runtime was started");
    config = readConfig(captured);
  });

  test.each([
    ["shop", "API"],
    ["shop", "NET"],
    ["orders", "NET"],
    ["orders", "BACKUP"],
    ["generated", "NET"],
  ])("%s: %s is only a facade over our service", (workerName, bindingName) => {
    expect(bindingOf(config, workerName, bindingName)).toEqual({
      name: bindingName,
      kind: "wrapped",
      moduleName: FACADE,
      entrypoint: "default",
      inner: [
        {
          name: "binding",
          kind: "service",
          target: { service: DOOR, props: { binding: `${workerName}/${bindingName}` } },
        },
      ],
    });
  });

  test("a Hyperdrive binding leads to its own door, also inside a facade", () => {
    expect(bindingOf(config, "shop", "PLAIN")).toEqual({
      name: "PLAIN",
      kind: "hyperdrive",
      target: { service: `${DATABASES}shop/PLAIN` },
    });
    expect(bindingOf(config, "shop", "ENCODED")).toEqual({
      name: "ENCODED",
      kind: "wrapped",
      moduleName: HYPERDRIVE,
      entrypoint: "default",
      inner: [
        { name: "native", kind: "hyperdrive", target: { service: `${DATABASES}shop/ENCODED` } },
        { name: "scheme", kind: "text" },
      ],
    });
  });

  test("in the service-worker format, a binding is our service itself", () => {
    expect(bindingOf(config, "old", "OLD_API")).toEqual({
      name: "OLD_API",
      kind: "service",
      target: { service: DOOR, props: { binding: "old/OLD_API" } },
    });
  });

  test("mf.getBindings() has the entrypoint for Node, without the facade", () => {
    const proxied = handlesOf(config, "core:entry").filter(({ target }) => ownership.ours(target.service));
    expect(proxied.map(({ target }) => target)).toEqual(
      expect.arrayContaining(
        ["shop/API", "shop/NET", "orders/NET", "orders/BACKUP", "old/OLD_API"].map((binding) => ({
          service: DOOR,
          entrypoint: "NodeBinding",
          props: { binding },
        })),
      ),
    );
  });

  test.each(["core:user:shop", "core:entry"])(
    "%s has each binding once, because each lengthens the start",
    (holder) => {
      const held = handlesOf(config, holder).filter(
        ({ target }) => target.service === DOOR && target.props !== undefined,
      );
      const bindings = held.map(({ path }) => bindingAt(holder, path));
      expect(bindings).toContain("shop/API");
      expect(bindings).toEqual([...new Set(bindings)]);
    },
  );

  test("no Worker, not even Miniflare's own, holds a target, a network or another binding's identity", () => {
    const { userWorkers, miniflare } = findLeaks(config, ownership);
    expect({ userWorkers, miniflare }).toEqual({ userWorkers: [], miniflare: [] });
  });

  test("no socket leads to our services", () => {
    expect(findLeaks(config, ownership).sockets).toEqual([]);
    expect(config.sockets.map(({ target }) => target.service).filter(ownership.ours)).toEqual([]);
  });

  test("every network and external service in workerd is ours or Miniflare's", () => {
    const ways = config.services
      .filter(({ kind }) => kind === "network" || kind === "external")
      .map(({ name }) => name);
    // Those of Miniflare's Hyperdrive lead nowhere, and no Worker of a user's has them.
    const strangers = ways.filter((name) => !ownership.ours(name) && !/^hyperdrive:\d+:/.test(name));
    expect(strangers.toSorted()).toEqual(["internet", "loopback"]);
    expect(ways).toEqual(expect.arrayContaining([`${DOOR}:network`, `${DOOR}:egress`]));
  });

  test("a user's Worker can't import the facades' modules", () => {
    expect(config.extensions.filter(({ name }) => name.startsWith(DOOR))).toEqual([
      { name: FACADE, internal: true },
      { name: HYPERDRIVE, internal: true },
    ]);
  });

  test.each<[string, Handle["target"]]>([
    ["a network", { service: `${DOOR}:network` }],
    ["an entrypoint of ours", { service: DOOR, entrypoint: "Other" }],
    ["the entrypoint for Node", { service: DOOR, entrypoint: "NodeBinding", props: { binding: "shop/EXTRA" } }],
    ["the database of another binding", { service: `${DATABASES}orders/DB` }],
    ["the identity of another binding", { service: DOOR, props: { binding: "orders/NET" } }],
    ["no identity", { service: DOOR }],
  ])("the check would find %s in a Worker's hands", (_what, target) => {
    const tampered = structuredClone(config);
    const shop = tampered.services.find(({ name }) => name === "core:user:shop");
    if (shop?.kind !== "worker") throw new Error("there is no Worker shop");
    shop.worker.bindings.push({ name: "EXTRA", kind: "service", target });
    const leak = { holder: "core:user:shop", path: "EXTRA", target };
    expect(findLeaks(tampered, ownership).userWorkers).toContainEqual(leak);
  });
});

/** A Worker with everything, one that shares its network, and one in each other form. */
function session(): MiniflareOptions["workers"] {
  const compatibilityDate = "2026-01-01";
  const shop = `
    import { DurableObject } from "cloudflare:workers";
    export class Cart extends DurableObject { fetch() { return this.env.API.fetch("http://users.internal/"); } }
    export default { fetch: (_, env) => env.API.fetch("http://users.internal/"), tail() {} };
  `;
  return [
    {
      config: {
        name: "shop",
        compatibilityDate,
        manifest: manifest(shop),
        exports: { Cart: { type: "durable-object", storage: "sqlite" } },
        env: {
          API: { type: "vpc-service", id: SERVICE_ID },
          NET: { type: "vpc-network", tunnelId: TUNNEL },
          PLAIN: { type: "hyperdrive", id: "plain" } as never,
          ENCODED: { type: "hyperdrive", id: "encoded" } as never,
          KV: { type: "kv", id: "kv-id" },
          DB: { type: "d1", id: "db-id" },
          CART: { type: "durable-object", exportName: "Cart", worker: "shop" },
          ORDERS: { type: "worker", worker: "orders" },
        },
      },
    },
    {
      config: {
        name: "orders",
        compatibilityDate,
        manifest: manifest("export default { fetch: (_, env) => env.NET.fetch('http://vault.internal/') }"),
        env: {
          NET: { type: "vpc-network", tunnelId: OTHER_TUNNEL },
          BACKUP: { type: "vpc-network", tunnelId: TUNNEL },
          CART: { type: "durable-object", exportName: "Cart", worker: "shop" },
        },
        tailConsumers: [{ worker: "shop" }],
      },
    },
    {
      config: { name: "old", compatibilityDate, env: { OLD_API: { type: "vpc-service", id: SERVICE_ID } } },
      legacy: { serviceWorkerScript: "addEventListener('fetch', (e) => e.respondWith(OLD_API.fetch(e.request)))" },
    },
    {
      // The form that `miniflare-vpc dev` generates.
      config: {
        name: "generated",
        compatibilityDate,
        manifest: manifest("export default { fetch: (_, env) => env.NET.fetch('http://vault.internal/') }"),
        env: {
          NET: {
            type: "unsafe:vpc",
            dev: {
              plugin: { package: createRequire(import.meta.url).resolve("miniflare-vpc"), name: "VPC Network" },
              options: { bindingType: "vpc-network", id: TUNNEL },
            },
          },
        },
      },
    },
    {
      config: {
        name: "stand-in",
        compatibilityDate,
        manifest: manifest("export default { fetch: () => new Response() }"),
      },
    },
  ];
}

function bindingOf(config: Config, workerName: string, bindingName: string): Binding | undefined {
  const service = config.services.find(({ name }) => name === `${USER_WORKER}${workerName}`);
  if (service?.kind !== "worker") throw new Error(`there is no Worker ${workerName}`);
  return service.worker.bindings.find(({ name }) => name === bindingName);
}
