/**
 * Numbers the networks and builds the RoutingTable. Reports nothing: all checks are done by now.
 */

import {
  type Binding,
  type Network,
  type RoutingTable,
  type Service,
  TABLE_VERSION,
  type Target,
  bindingKey,
  bindingLabel,
} from "../../service-worker/routing/table.ts";
import type { LinkedBinding } from "./link.ts";
import { mergeTls } from "./policies.ts";

export function compile(linked: readonly LinkedBinding[], generation: number): RoutingTable {
  const networks: Network[] = [];
  const indexes = new Map<Network, number>();
  const indexOf = (network: Network): number => {
    const known = indexes.get(network);
    if (known !== undefined) return known;
    const index = networks.push(network) - 1;
    indexes.set(network, index);
    return index;
  };
  const workers = new Set(linked.map(({ workerName }) => workerName)).size;
  // Without Object.fromEntries, which takes 6 ms for 1000 of them.
  const bindings: RoutingTable["bindings"] = {};
  for (const binding of linked) {
    const label = bindingLabel({ ...binding, workerName: binding.shownWorker }, workers);
    bindings[bindingKey(binding.workerName, binding.bindingName)] = compileBinding(binding, { label, indexOf });
  }
  // Only one of several configs can seed the session's one generator.
  const seed = linked.map(({ settings }) => settings.seed).find((given) => given !== undefined);
  return {
    version: TABLE_VERSION,
    generation,
    ...(mustObserve(Object.values(bindings), networks) && { isObserved: true }),
    ...(seed !== undefined && { seed }),
    bindings,
    networks,
  };
}

/** Faults act in the egress proxy, and only there can another target answer in place of a recording. */
function mustObserve(bindings: readonly Binding[], networks: readonly Network[]): boolean {
  return (
    bindings.some(
      (binding) => binding.kind === "service" && (binding.faults !== undefined || mayGoOn(binding.service.target)),
    ) || networks.some(({ routes }) => routes.some(({ settings, target }) => settings?.faults || mayGoOn(target)))
  );
}

function mayGoOn(target: Target | undefined): boolean {
  return target?.type === "stand-in" && target.isObserved === true;
}

function compileBinding(
  { shownWorker, bindingName, bindingType, id, configFile, settings, to }: LinkedBinding,
  { label, indexOf }: { label: string; indexOf: (network: Network) => number },
): Binding {
  const { tls, limits } =
    to.kind === "unlinked" ? { tls: mergeTls("verify_full", [], settings), limits: settings.limits } : to;
  const base = {
    workerName: shownWorker,
    bindingName,
    label,
    configFile,
    tls,
    limits,
    traffic: settings.traffic,
    ...(process.platform === "win32" && { leavesLocalhostToNode: true as const }),
  };
  switch (to.kind) {
    case "service": {
      const network = to.network === undefined ? {} : { network: indexOf(to.network) };
      const service: Service = { ...to.service, ...network };
      const more = {
        ...(to.faults && { faults: to.faults }),
        ...(to.isHyperdrive && { isHyperdrive: to.isHyperdrive }),
      };
      return { ...base, kind: "service", ...more, serviceId: id, service };
    }
    case "network":
      return { ...base, kind: "network", networkId: id, network: indexOf(to.network) };
    case "unlinked":
      return { ...base, kind: "unlinked", bindingType, id };
    default:
      return to satisfies never;
  }
}
