/**
 * The external Miniflare plugin. Wiring only: reads the instance, has a session made of it, rewrites
 * the VPC bindings in place. Never imports miniflare at run time, for every host pins its own copy.
 *
 * Miniflare calls `getExtensions` once with all Workers, then `getBindings` and `getServices` once a
 * Worker, and all of it again at each reload.
 */

import type { Plugin, PluginServicesOptions, Worker_Binding as WorkerBinding } from "miniflare";
import { bindingKey } from "../service-worker/table.ts";
import { readInstance, readWorker } from "./read-instance.ts";
import { FACADE_MODULE, SERVICE_WORKER } from "./services.ts";
import { type Session, facadeScript, openSession } from "./session.ts";

/** Services of Miniflare's own VPC plugins, which only know how to reach a tunnel. */
const BUILT_IN = new Set(["vpc-services:remote", "vpc-networks:remote"]);

type ParsedWorkerOptions = PluginServicesOptions["options"];

/** Keyed by the very options object that Miniflare hands to each of the calls. */
const sessions = new WeakMap<ParsedWorkerOptions, Session>();

const plugin: Plugin = {
  getExtensions({ options }) {
    const session = openSession(readInstance(options));
    for (const worker of options) sessions.set(worker, session);
    return [{ modules: [{ name: FACADE_MODULE, internal: true, esModule: facadeScript() }] }];
  },

  /** Bindings of the generated config, which reach Miniflare as `unsafe` ones; all others exist already. */
  getBindings(options) {
    const worker = readWorker(options);
    return worker.bindings
      .filter((binding) => binding.isOurs)
      .map(({ bindingName }) => ({ name: bindingName, service: { name: SERVICE_WORKER } }));
  },

  /** The binding's proxy class is Miniflare's own, so these stay with the in-place rewriting. */
  getNodeBindings() {
    return {};
  },

  async getServices({ options, workerBindings, log, tmpPath }) {
    const opened = sessions.get(options);
    if (opened === undefined) throw new Error("miniflare-vpc: Miniflare called getServices before getExtensions");
    const session = await opened.activate({ log, tmpPath });
    const worker = readWorker(options);
    for (const { bindingName } of worker.bindings) {
      const key = bindingKey(worker.workerName, bindingName);
      if (session.isRemote(key)) continue;
      const binding = workerBindings.find((candidate) => candidate.name === bindingName);
      if (binding !== undefined) takeOver(binding, { key, canWrap: !worker.isServiceWorkerFormat });
    }
    return session.services;
  },
};

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
