/** Configs for each way in which a handle can bypass the door. */

import { describe, expect, test } from "vitest";

import type { Binding, Config, Designator, Service, Socket, Worker } from "./config.ts";
import { EVERY_SERVICE, findLeaks, handlesOf, type Leaks, type Ownership } from "./find-leaks.ts";

const NETWORK: Designator = { service: "vpc:network" };
const DOOR: Designator = { service: "vpc", props: { binding: "shop/API" } };

const ownership: Ownership = {
  ours: (serviceName) => serviceName === "vpc" || serviceName.startsWith("vpc:"),
  isDoor: ({ target }) => target.service === "vpc" && target.entrypoint === undefined,
};

const NO_LEAKS: Leaks = { userWorkers: [], miniflare: [], sockets: [] };

test("a door, alone or inside a wrapped binding, is not a leak", () => {
  const config = configOf({
    "core:user:shop": {
      bindings: [binding("API", DOOR), wrapped("DB", [binding("fetcher", DOOR), { name: "label", kind: "text" }])],
    },
    vpc: { bindings: [binding("NETWORK", NETWORK)] },
  });
  expect(findLeaks(config, ownership)).toEqual(NO_LEAKS);
  expect(handlesOf(config, "core:user:shop")).toContainEqual({
    holder: "core:user:shop",
    path: "DB > fetcher",
    target: DOOR,
  });
});

const WAYS: [path: string, Partial<Worker>][] = [
  ["NET", { bindings: [binding("NET", NETWORK)] }],
  ["API > dial", { bindings: [wrapped("API", [binding("fetcher", DOOR), binding("dial", NETWORK)])] }],
  ["API > in > dial", { bindings: [wrapped("API", [wrapped("in", [binding("dial", NETWORK)])])] }],
  ["CLASS", { bindings: [{ name: "CLASS", kind: "durableObjectClass", target: NETWORK }] }],
  ["KV", { bindings: [{ name: "KV", kind: "kvNamespace", target: NETWORK }] }],
  ["R2", { bindings: [{ name: "R2", kind: "r2Bucket", target: NETWORK }] }],
  ["QUEUE", { bindings: [{ name: "QUEUE", kind: "queue", target: NETWORK }] }],
  ["AE", { bindings: [{ name: "AE", kind: "analyticsEngine", target: NETWORK }] }],
  ["HYPER", { bindings: [{ name: "HYPER", kind: "hyperdrive", target: NETWORK }] }],
  ["globalOutbound", { globalOutbound: NETWORK }],
  ["cacheApiOutbound", { cacheApiOutbound: NETWORK }],
  ["tails", { tails: [{ service: "core:user:log" }, NETWORK] }],
  ["streamingTails", { streamingTails: [NETWORK] }],
  ["accessBindingService", { accessBindingService: NETWORK }],
  ["workflowEngine", { workflowEngine: NETWORK }],
  ["workflows > order", { workflows: [{ workflow: "order", target: NETWORK }] }],
  ["durableObjectDisk", { durableObjectDisk: NETWORK.service }],
];

describe.each(WAYS)("a network in a user Worker's %s", (path, worker) => {
  test("is found", () => {
    const leak = { holder: "core:user:shop", path, target: NETWORK };
    expect(findLeaks(configOf({ "core:user:shop": worker }), ownership)).toEqual({ ...NO_LEAKS, userWorkers: [leak] });
  });

  test("is reported separately if Miniflare holds it", () => {
    const leak = { holder: "core:entry", path, target: NETWORK };
    expect(findLeaks(configOf({ "core:entry": worker }), ownership)).toEqual({ ...NO_LEAKS, miniflare: [leak] });
  });

  test("is not reported if we hold it", () => {
    expect(findLeaks(configOf({ vpc: worker }), ownership)).toEqual(NO_LEAKS);
  });
});

test("another entrypoint of the door's service is found", () => {
  const control = { ...DOOR, entrypoint: "Control" };
  const config = configOf({ "core:user:shop": { bindings: [binding("API", DOOR), binding("CONTROL", control)] } });
  expect(findLeaks(config, ownership).userWorkers).toEqual([
    { holder: "core:user:shop", path: "CONTROL", target: control },
  ]);
});

test("our Durable Object namespace is found, the Worker's own is not", () => {
  const config = configOf({
    "core:user:shop": {
      bindings: [
        { name: "OWN", kind: "durableObjectNamespace", className: "Cart" },
        { name: "OURS", kind: "durableObjectNamespace", className: "Registry", service: "vpc" },
      ],
    },
  });
  expect(findLeaks(config, ownership).userWorkers).toEqual([
    { holder: "core:user:shop", path: "OURS", target: { service: "vpc", entrypoint: "Registry" } },
  ]);
});

test("a debug port is found, unless Miniflare's relay holds it", () => {
  const worker: Partial<Worker> = { bindings: [{ name: "DEBUG", kind: "workerdDebugPort" }] };
  const config = configOf({ "core:user:shop": worker, "core:user:dev-registry-proxy": worker });
  expect(findLeaks(config, ownership)).toEqual({
    ...NO_LEAKS,
    userWorkers: [{ holder: "core:user:shop", path: "DEBUG", target: { service: EVERY_SERVICE } }],
  });
});

test("a Worker that inherits a user's code also has its handles", () => {
  const config = configOf({
    "core:user:shop": { bindings: [binding("NET", NETWORK)] },
    clone: { format: "inherited", inherits: "core:user:shop" },
  });
  expect(findLeaks(config, ownership).userWorkers.map(({ holder }) => holder)).toEqual(["core:user:shop", "clone"]);
});

test("an assets service that forwards events to a network is reported", () => {
  const assets: Service = { name: "assets:shop", kind: "assets", path: "/public", userWorker: NETWORK };
  expect(findLeaks({ services: [assets], sockets: [], extensions: [] }, ownership)).toEqual({
    ...NO_LEAKS,
    miniflare: [{ holder: "assets:shop", path: "userWorker", target: NETWORK }],
  });
});

test("a socket that leads to our services, but not to the door, is reported", () => {
  const sockets: Socket[] = [
    { name: "entry", address: "127.0.0.1:0", target: { service: "core:entry" } },
    { name: "door", address: "127.0.0.1:0", target: DOOR },
    { name: "control", address: "unix:/run/vpc.sock", target: { service: "vpc", entrypoint: "Control" } },
  ];
  expect(findLeaks({ services: [], sockets, extensions: [] }, ownership).sockets).toEqual([
    { holder: "socket:control", path: "service", target: { service: "vpc", entrypoint: "Control" } },
  ]);
});

test("handles of a service that does not exist are an error", () => {
  expect(() => handlesOf(configOf({}), "core:user:shop")).toThrow('the config has no service "core:user:shop"');
});

function configOf(workers: Record<string, Partial<Worker>>): Config {
  return {
    services: Object.entries(workers).map(([name, worker]) => ({
      name,
      kind: "worker",
      worker: {
        format: "modules",
        bindings: [],
        globalOutbound: { service: "internet" },
        cacheApiOutbound: undefined,
        tails: [],
        streamingTails: [],
        accessBindingService: undefined,
        workflowEngine: undefined,
        workflows: [],
        durableObjects: [],
        durableObjectDisk: undefined,
        ...worker,
      },
    })),
    sockets: [],
    extensions: [],
  };
}

function binding(name: string, target: Designator): Binding {
  return { name, kind: "service", target };
}

function wrapped(name: string, inner: Binding[]): Binding {
  return { name, kind: "wrapped", moduleName: "vpc:binding", entrypoint: "default", inner };
}
