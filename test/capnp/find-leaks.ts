/**
 * Who holds a handle on a service of ours that goes around the door. Pure: reads a decoded config,
 * follows names only.
 *
 *   user Worker ──▶ door ──▶ decide ──▶ network, target     as it should be
 *   user Worker ───────────────────────▶ network, target     a leak
 */

import type { Binding, Config, Designator, Service, Worker } from "./config.ts";

/** Workers of the session are services under this prefix. */
export const USER_WORKER = "core:user:";
/** Miniflare's own, though it bears the prefix: it relays to other sessions on this machine. */
const DEV_REGISTRY_PROXY = `${USER_WORKER}dev-registry-proxy`;
/** Stands for every service there is: what a debug port reaches. */
export const EVERY_SERVICE = "*";

export interface Handle {
  /** A service's name, or `socket:` and a socket's name. */
  holder: string;
  /** Where the holder has it: a binding's name (`outer > inner` in a wrapped one) or a setting's. */
  path: string;
  target: Designator;
}

export interface Ownership {
  ours: (serviceName: string) => boolean;
  /** Whether `handle`, whose target is ours, is one that its holder is meant to have. */
  isDoor: (handle: Handle) => boolean;
}

/** Handles on services of ours that are no doors, by who holds them. */
export interface Leaks {
  /** A user's code has it in its hands. */
  userWorkers: Handle[];
  /** Miniflare's own Workers, the one behind `mf.getBindings()` included. */
  miniflare: Handle[];
  /** Anything on this machine that can connect. */
  sockets: Handle[];
}

export function findLeaks(config: Config, { ours, isDoor }: Ownership): Leaks {
  const isLeak = (handle: Handle): boolean =>
    handle.target.service === EVERY_SERVICE || (ours(handle.target.service) && !isDoor(handle));

  const strangers = config.services.filter((service) => !ours(service.name));
  const leaksOf = (services: Service[]): Handle[] =>
    services.flatMap((service) => handlesOf(config, service.name)).filter(isLeak);
  return {
    userWorkers: leaksOf(strangers.filter((service) => runsUserCode(config, service))),
    miniflare: leaksOf(strangers.filter((service) => !runsUserCode(config, service))),
    sockets: config.sockets
      .map((socket) => ({ holder: `socket:${socket.name}`, path: "service", target: socket.target }))
      .filter(isLeak),
  };
}

/**
 * @returns every handle that workerd gives to the service; with an inherited Worker also those of
 * the Worker it takes over, whether or not it overrides them
 * @throws when the config has no such service
 */
export function handlesOf(config: Config, serviceName: string): Handle[] {
  const service = findService(config, serviceName);
  switch (service.kind) {
    case "worker": {
      const { worker } = service;
      const own = workerHandles(worker, serviceName);
      const inherited = worker.inherits === undefined ? [] : handlesOf(config, worker.inherits);
      return [...own, ...inherited.map(({ path, target }) => ({ holder: serviceName, path, target }))];
    }
    case "assets":
      return asHandles(serviceName, [["userWorker", service.userWorker]]);
    case "network":
    case "external":
    case "disk":
    case "bucket":
      return [];
    default:
      return service satisfies never;
  }
}

function workerHandles(worker: Worker, holder: string): Handle[] {
  const disk = worker.durableObjectDisk;
  return [
    ...worker.bindings.flatMap((binding) => bindingHandles(binding, { holder, outer: "" })),
    ...asHandles(holder, [
      ["globalOutbound", worker.globalOutbound],
      ["cacheApiOutbound", worker.cacheApiOutbound],
      ...worker.tails.map((tail): [string, Designator] => ["tails", tail]),
      ...worker.streamingTails.map((tail): [string, Designator] => ["streamingTails", tail]),
      ["accessBindingService", worker.accessBindingService],
      ["workflowEngine", worker.workflowEngine],
      ...worker.workflows.map(({ workflow, target }): [string, Designator] => [`workflows > ${workflow}`, target]),
      ["durableObjectDisk", disk === undefined ? undefined : { service: disk }],
    ]),
  ];
}

function bindingHandles(binding: Binding, at: { holder: string; outer: string }): Handle[] {
  const { holder } = at;
  const path = `${at.outer}${binding.name}`;
  switch (binding.kind) {
    case "service":
    case "durableObjectClass":
    case "kvNamespace":
    case "r2Bucket":
    case "queue":
    case "analyticsEngine":
    case "hyperdrive":
      return [{ holder, path, target: binding.target }];
    case "durableObjectNamespace":
      return [{ holder, path, target: { service: binding.service ?? holder, entrypoint: binding.className } }];
    case "wrapped":
      return binding.inner.flatMap((inner) => bindingHandles(inner, { holder, outer: `${path} > ` }));
    case "workerdDebugPort":
      // Miniflare's relay to other sessions is the one place where this is meant to be.
      return holder === DEV_REGISTRY_PROXY ? [] : [{ holder, path, target: { service: EVERY_SERVICE } }];
    case "parameter":
    case "text":
    case "data":
    case "json":
    case "wasmModule":
    case "cryptoKey":
    case "fromEnvironment":
    case "unsafeEval":
    case "memoryCache":
    case "workerLoader":
      return [];
    default:
      return binding satisfies never;
  }
}

function asHandles(holder: string, settings: [string, Designator | undefined][]): Handle[] {
  return settings.flatMap(([path, target]) => (target === undefined ? [] : [{ holder, path, target }]));
}

function runsUserCode(config: Config, service: Service): boolean {
  if (service.kind !== "worker") return false;
  const base = service.worker.inherits;
  if (base !== undefined) return runsUserCode(config, findService(config, base));
  return service.name.startsWith(USER_WORKER) && service.name !== DEV_REGISTRY_PROXY;
}

function findService(config: Config, serviceName: string): Service {
  const service = config.services.find(({ name }) => name === serviceName);
  if (service === undefined) throw new Error(`the config has no service ${JSON.stringify(serviceName)}`);
  return service;
}
