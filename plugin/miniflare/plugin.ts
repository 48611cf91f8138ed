/**
 * The external Miniflare plugin. Wiring only: reads the instance, puts its table in force and rewrites the VPC
 * bindings in place. Never imports miniflare at run time, because every host pins its own copy.
 *
 * Miniflare calls `getExtensions` once with all Workers, then `getBindings` and `getServices` once per
 * Worker, and repeats all calls at each reload.
 */

import type { Extension, Plugin, PluginServicesOptions, Worker_Binding as WorkerBinding } from "miniflare";
import { bindingKey } from "../../service-worker/routing/table.ts";
import { followDev } from "./follow-dev.ts";
import { TRIGGER } from "./loader.ts";
import { makeNodeBindings } from "./node-bindings.ts";
import { type InstanceWorker, readInstance, type TriggerOptions, triggersOf } from "./read-instance.ts";
import { FACADE_MODULE, SERVICE_WORKER, TEST_DOOR } from "./services.ts";
import { type PreparedInstance, extensionModules, prepareInstance } from "./active-instance.ts";

type ParsedWorkerOptions = PluginServicesOptions["options"];

/** Keyed by the options object that Miniflare passes to each call. */
const opened = new WeakMap<ParsedWorkerOptions, { worker: InstanceWorker; prepared: PreparedInstance }>();

interface ForNode {
  /** The names of the bindings that were taken over for Node. */
  taken: string[];
  /** What `connectVpc(miniflare)` finds the scenario by. Absent where the adapter knows it, and users see the bindings. */
  scenarioId: string | undefined;
}

/** By trigger, which stays the same in a copy of the options. */
const forNode = new WeakMap<TriggerOptions, ForNode>();

export const plugin: Plugin = {
  getExtensions({ options }) {
    return openInstance(options);
  },

  /** The bindings of the generated config, which reach Miniflare as `unsafe` ones, and those of `getNodeBindings`. */
  getBindings(options) {
    const { worker } = workerOf(options);
    const ours = worker.bindings
      .filter((binding) => binding.isOurs || worker.isForNode)
      .map(({ bindingName }) => ({ name: bindingName, service: { name: SERVICE_WORKER } }));
    return worker.isForTest ? [...ours, TEST_DOOR] : ours;
  },

  /** These replace Miniflare's own with the same names, which the in-place rewriting has also turned into ours. */
  getNodeBindings(options) {
    const known = triggersOf([options]).flatMap((trigger) => forNode.get(trigger) ?? []);
    return {
      ...makeNodeBindings(known.flatMap(({ taken }) => taken)),
      ...(known[0]?.scenarioId !== undefined && { [TRIGGER]: known[0].scenarioId }),
    };
  },

  async getServices({ options, workerBindings, log, tmpPath }) {
    const { worker, prepared } = workerOf(options);
    const active = await prepared.activate({ log, tmpPath });
    const taken: string[] = [];
    for (const { bindingName, isOurs } of worker.bindings) {
      const key = bindingKey(worker.workerName, bindingName);
      // Nothing else serves a binding of ours, so its calls are refused with an explanation until the restart.
      if (active.isRemote(key) && !isOurs) continue;
      for (const binding of workerBindings.filter(({ name }) => name === bindingName)) {
        takeOver(binding, { key, canWrap: !worker.isServiceWorkerFormat });
      }
      taken.push(bindingName);
    }
    for (const trigger of triggersOf([options])) {
      const isSeen = worker.isForNode || trigger.scenarioId !== undefined;
      forNode.set(trigger, {
        taken: worker.isForNode ? taken : [],
        scenarioId: isSeen ? undefined : active.scenarioId,
      });
    }
    return active.services;
  },
};

/**
 * Reads and prepares an instance, which the other methods of `plugin` then find.
 *
 * @param given replaces a trigger for instances that can't have one
 */
export function openInstance(
  options: readonly ParsedWorkerOptions[],
  given: readonly TriggerOptions[] = [],
): Extension[] {
  const instance = readInstance(options, given);
  if (instance.isGenerated) followDev();
  const prepared = prepareInstance(instance);
  for (const [index, worker] of instance.workers.entries()) {
    const key = options[index];
    if (key !== undefined) opened.set(key, { worker, prepared });
  }
  return [{ modules: extensionModules(instance) }];
}

function workerOf(options: ParsedWorkerOptions): { worker: InstanceWorker; prepared: PreparedInstance } {
  const found = opened.get(options);
  if (found === undefined) throw new Error("miniflare-vpc: Miniflare did not call getExtensions first");
  return found;
}

/**
 * Turns a binding into ours in place. Miniflare's Node-side proxy shares the designator, so this changes the
 * designator first, which stays a plain service for Node. Then the Worker's own entry becomes the facade.
 */
function takeOver(binding: WorkerBinding, { key, canWrap }: { key: string; canWrap: boolean }): void {
  if (!("service" in binding) || binding.service === undefined) return;
  const { service } = binding;
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

/** wrangler's table shows these names. Miniflare loads all of them if a binding asks for one. */
export const plugins: Record<string, unknown> = {
  "VPC Service": plugin,
  "VPC Network": {
    getBindings: () => [],
    getNodeBindings: () => ({}),
    getServices: () => [],
  } satisfies Plugin,
};
