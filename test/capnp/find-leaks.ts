/**
 * Finds handles on our services that bypass the door. Pure: it only follows the names in a decoded config.
 *
 *   user Worker ──▶ door ──▶ decide ──▶ network, target     correct
 *   user Worker ───────────────────────▶ network, target     a leak
 */

import type { Binding, Config, Designator, Service, Worker } from "./config.ts";

/** The prefix of services that are Workers of the session. */
export const USER_WORKER = "core:user:";
/** Miniflare's own Worker with the same prefix. It relays to other sessions on this machine. */
const DEV_REGISTRY_PROXY = `${USER_WORKER}dev-registry-proxy`;
/** Every service, because a debug port reaches all of them. */
export const EVERY_SERVICE = "*";

export interface Handle {
  /** The name of a service, or `socket:` and the name of a socket. */
  holder: string;
  /** The name of a binding (`outer > inner` in a wrapped one) or a setting. */
  path: string;
  target: Designator;
}

export interface Ownership {
  ours: (serviceName: string) => boolean;
  /** Whether the holder is allowed to have `handle`, whose target is ours. */
  isDoor: (handle: Handle) => boolean;
}

/** Handles on our services that are not doors, grouped by holder. */
export interface Leaks {
  /** User code holds it. */
  userWorkers: Handle[];
  /** Miniflare's own Workers hold it, including the one behind `mf.getBindings()`. */
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
 * @returns every handle that workerd gives to the service. An inherited Worker also has those of its base, even if it
 * overrides them
 * @throws if the config has no such service
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
      // Only Miniflare's relay to other sessions is allowed to have it.
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
