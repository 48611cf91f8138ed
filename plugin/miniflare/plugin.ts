/**
 * The external Miniflare plugin. Wiring only: reads the instance, puts its table in force and rewrites the VPC
 * bindings in place. Never imports miniflare at run time, because every host pins its own copy.
 *
 * Miniflare calls `getExtensions` once with all Workers, then `getBindings` and `getServices` once per
 * Worker, and repeats all calls at each reload.
 */

import type { Extension, Plugin, PluginServicesOptions, Worker_Binding as WorkerBinding } from "miniflare";
import { bindingKey } from "../../service-worker/routing/table.ts";
import { PLUGIN_NAMES } from "../wrangler-config/plugin-names.ts";
import { followDev } from "./follow-dev.ts";
import { type NodeHyperdrive, emptyHyperdrive, hyperdriveForNode, takeOverHyperdrive } from "./hyperdrive-binding.ts";
import { TRIGGER } from "./loader.ts";
import { type BindingForNode, makeNodeBindings } from "./node-bindings.ts";
import { type InstanceWorker, envOf, readInstance, type TriggerOptions, triggersOf } from "./read-instance.ts";
import { FACADE_MODULE, NODE_ENTRYPOINT, SERVICE_WORKER, TEST_DOOR } from "./services.ts";
import { type PreparedInstance, extensionModules, prepareInstance } from "./active-instance.ts";

type ParsedWorkerOptions = PluginServicesOptions["options"];

/** Keyed by the options object that Miniflare passes to each call. */
const opened = new WeakMap<ParsedWorkerOptions, { worker: InstanceWorker; prepared: PreparedInstance }>();

/**
 * By trigger, which stays the same in a copy of the options: what `connectVpc(miniflare)` finds the scenario by. Absent
 * where the adapter knows it, and users see the bindings.
 */
const scenarioIds = new WeakMap<TriggerOptions, string>();

/** By binding in a Worker's options, as above: what Node gets in its place. */
const forNode = new WeakMap<object, BindingForNode["response"]>();

/** What each Hyperdrive binding shows to Node, by its own options, which stay the same in a copy of the Worker's. */
const hyperdrives = new WeakMap<object, () => Promise<NodeHyperdrive>>();

export const plugin: Plugin = {
  getExtensions({ options }) {
    return openInstance(options);
  },

  /** The bindings of the generated config, which reach Miniflare as `unsafe` ones. */
  getBindings(options) {
    const { worker } = workerOf(options);
    const ours = worker.bindings
      .filter(({ isOurs }) => isOurs)
      .map(({ bindingName, bindingType }) =>
        bindingType === "hyperdrive"
          ? emptyHyperdrive(bindingName, bindingKey(worker.workerName, bindingName))
          : { name: bindingName, service: { name: SERVICE_WORKER } },
      );
    return worker.isForTest ? [...ours, TEST_DOOR] : ours;
  },

  /** Those of `getBindings`, and logins in place of Miniflare's own with the same names. */
  async getNodeBindings(options) {
    // First, because the call stack is read.
    const proxies = nodeBindingsOf(options, (type) => !Object.values(BUILT_IN).includes(type));
    const shown: Record<string, NodeHyperdrive> = {};
    for (const [bindingName, binding] of Object.entries(envOf(options))) {
      const show = hyperdrives.get(binding);
      if (show !== undefined) shown[bindingName] = await show();
    }
    const scenarioId = triggersOf([options]).flatMap((trigger) => scenarioIds.get(trigger) ?? [])[0];
    return { ...proxies, ...shown, ...(scenarioId !== undefined && { [TRIGGER]: scenarioId }) };
  },

  async getServices({ options, workerBindings, log, tmpPath }) {
    const { worker, prepared } = workerOf(options);
    const active = await prepared.activate({ log, tmpPath });
    const canWrap = !worker.isServiceWorkerFormat;
    const byName = Map.groupBy(workerBindings, ({ name }) => name);
    for (const { bindingName, bindingType, isOurs, ownString } of worker.bindings) {
      if (ownString !== undefined) continue;
      const key = bindingKey(worker.workerName, bindingName);
      const same = byName.get(bindingName) ?? [];
      // Nothing else serves a binding of ours, so its calls are refused with an explanation until the restart.
      if (active.isRemote(key) && !isOurs) {
        leaveToWrangler(same);
        continue;
      }
      const given = envOf(options)[bindingName];
      if (bindingType === "hyperdrive") {
        const login = active.loginOf(key);
        for (const binding of same) takeOverHyperdrive(binding, { key, login, canWrap });
        if (given !== undefined) hyperdrives.set(given, () => hyperdriveForNode(key, login, active.doors));
        continue;
      }
      for (const binding of same) takeOver(binding, { key, canWrap });
      if (given !== undefined && worker.nodeResponse !== undefined) forNode.set(given, worker.nodeResponse);
    }
    for (const trigger of triggersOf([options])) {
      if (!worker.isForNode && trigger.scenarioId === undefined) scenarioIds.set(trigger, active.scenarioId);
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
 * designator first, which becomes Node's own. Then the Worker's own entry becomes the facade.
 */
function takeOver(binding: WorkerBinding, { key, canWrap }: { key: string; canWrap: boolean }): void {
  if (!("service" in binding) || binding.service === undefined) return;
  const props = { json: JSON.stringify({ binding: key }) };
  const service = { name: SERVICE_WORKER, props };
  Object.assign(binding.service, { ...service, entrypoint: NODE_ENTRYPOINT });
  if (!canWrap) {
    binding.service = service;
    return;
  }
  const innerBindings: WorkerBinding[] = [{ name: "binding", service }];
  Reflect.deleteProperty(binding, "service");
  Object.assign(binding, { wrapped: { moduleName: FACADE_MODULE, innerBindings } });
}

/** Our own entry with the name of a remote binding becomes that binding too. */
function leaveToWrangler(bindings: readonly WorkerBinding[]): void {
  const services = bindings.flatMap((binding) => ("service" in binding && binding.service) || []);
  const remote = services.find(({ name }) => name !== SERVICE_WORKER);
  for (const service of services) if (service !== remote) Object.assign(service, remote);
}

const NOTHING: Plugin = { getBindings: () => [], getNodeBindings: () => ({}), getServices: () => [] };

/** Miniflare's own plugins for VPC bindings, and the type of the bindings that each makes. */
const BUILT_IN: Record<string, string> = { "vpc-services": "vpc-service", "vpc-networks": "vpc-network" };

/**
 * By the name of the plugin, Miniflare finds the proxy that a binding for Node is made from. So a plugin with the name of a
 * built-in one, which runs after it, replaces what that gives to Node, and needs no second proxy for each binding.
 */
function inPlaceOf(type: string): Plugin {
  return { ...NOTHING, getNodeBindings: (options) => nodeBindingsOf(options, (other) => other === type) };
}

/** @param isOne by the type in the Worker's options */
function nodeBindingsOf(options: ParsedWorkerOptions, isOne: (type: string) => boolean): Record<string, object> {
  const taken = Object.entries(envOf(options)).flatMap(([bindingName, binding]): BindingForNode[] => {
    const response = forNode.get(binding);
    return response === undefined || !isOne(binding.type) ? [] : [{ bindingName, response }];
  });
  return makeNodeBindings(taken);
}

/** Miniflare loads all of them if a binding asks for one. */
export const plugins: Record<string, unknown> = {
  [PLUGIN_NAMES["vpc-service"]]: plugin,
  [PLUGIN_NAMES["vpc-network"]]: NOTHING,
  [PLUGIN_NAMES.hyperdrive]: NOTHING,
  ...Object.fromEntries(Object.entries(BUILT_IN).map(([name, type]) => [name, inPlaceOf(type)])),
};
