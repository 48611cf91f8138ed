/**
 * The external Miniflare plugin. Wiring only: reads the instance, has a session made of it, rewrites
 * the VPC bindings in place. Never imports miniflare at run time, for every host pins its own copy.
 *
 * Miniflare calls `getExtensions` once with all Workers, then `getBindings` and `getServices` once a
 * Worker, and all of it again at each reload.
 */

import type { Extension, Plugin, PluginServicesOptions, Worker_Binding as WorkerBinding } from "miniflare";
import { bindingKey } from "../service-worker/table.ts";
import { followDev } from "./dev/end-orphans.ts";
import { type InstanceWorker, readInstance, type TriggerOptions } from "./read-instance.ts";
import { FACADE_MODULE, SERVICE_WORKER } from "./services.ts";
import { type Session, facadeScript, openSession } from "./session.ts";

/** Services of Miniflare's own VPC plugins, which only know how to reach a tunnel. */
const BUILT_IN = new Set(["vpc-services:remote", "vpc-networks:remote"]);

type ParsedWorkerOptions = PluginServicesOptions["options"];

/** Keyed by the very options object that Miniflare hands to each of the calls. */
const opened = new WeakMap<ParsedWorkerOptions, { worker: InstanceWorker; session: Session }>();

export const plugin: Plugin = {
  getExtensions({ options }) {
    return openInstance(options);
  },

  /** Bindings of the generated config, which reach Miniflare as `unsafe` ones; all others exist already. */
  getBindings(options) {
    return workerOf(options)
      .worker.bindings.filter((binding) => binding.isOurs)
      .map(({ bindingName }) => ({ name: bindingName, service: { name: SERVICE_WORKER } }));
  },

  /** The binding's proxy class is Miniflare's own, so these stay with the in-place rewriting. */
  getNodeBindings() {
    return {};
  },

  async getServices({ options, workerBindings, log, tmpPath }) {
    const { worker, session: inactive } = workerOf(options);
    const session = await inactive.activate({ log, tmpPath });
    for (const { bindingName, isOurs } of worker.bindings) {
      const key = bindingKey(worker.workerName, bindingName);
      // One of ours has nobody else to go to; it is refused in words until the restart.
      if (session.isRemote(key) && !isOurs) continue;
      const binding = workerBindings.find((candidate) => candidate.name === bindingName);
      if (binding !== undefined) takeOver(binding, { key, canWrap: !worker.isServiceWorkerFormat });
    }
    return session.services;
  },
};

/**
 * The instance's session is opened, to be found by `plugin`'s other methods.
 *
 * @param given in place of a trigger, where none can be had
 */
export function openInstance(
  options: readonly ParsedWorkerOptions[],
  given: readonly TriggerOptions[] = [],
): Extension[] {
  const instance = readInstance(options, given);
  if (instance.isGenerated) followDev();
  const session = openSession(instance);
  for (const [index, worker] of instance.workers.entries()) {
    const key = options[index];
    if (key !== undefined) opened.set(key, { worker, session });
  }
  return [{ modules: [{ name: FACADE_MODULE, internal: true, esModule: facadeScript() }] }];
}

function workerOf(options: ParsedWorkerOptions): { worker: InstanceWorker; session: Session } {
  const found = opened.get(options);
  if (found === undefined) throw new Error("miniflare-vpc: Miniflare did not call getExtensions first");
  return found;
}

/**
 * Turns a binding into ours in place. The designator is shared with Miniflare's Node-side proxy, so it
 * is changed first and stays a plain service there; the Worker's own entry then becomes the facade.
 */
function takeOver(binding: WorkerBinding, { key, canWrap }: { key: string; canWrap: boolean }): void {
  if (!("service" in binding) || binding.service === undefined) return;
  const { service } = binding;
  if (service.name !== SERVICE_WORKER && !BUILT_IN.has(service.name ?? "")) return;
  service.name = SERVICE_WORKER;
  service.props = { json: JSON.stringify({ binding: key }) };
  delete service.entrypoint;
  if (!canWrap) return;
  const innerBindings: WorkerBinding[] = [
    { name: "binding", service },
    { name: "outcomes", service: { name: SERVICE_WORKER, entrypoint: "Outcomes" } },
  ];
  Reflect.deleteProperty(binding, "service");
  Object.assign(binding, { wrapped: { moduleName: FACADE_MODULE, innerBindings } });
}

/** The names are what wrangler's table shows; Miniflare loads all of them once one is asked for. */
export const plugins: Record<string, unknown> = {
  "VPC Service": plugin,
  "VPC Network": {
    getBindings: () => [],
    getNodeBindings: () => ({}),
    getServices: () => [],
  } satisfies Plugin,
};
