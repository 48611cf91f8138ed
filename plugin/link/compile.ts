/**
 * Numbers the networks and writes the RoutingTable down. Nothing can go wrong here any more.
 */

import {
  type Binding,
  type Network,
  type RoutingTable,
  type Service,
  TABLE_VERSION,
  bindingKey,
} from "../../service-worker/table.ts";
import type { LinkedBinding } from "./link.ts";

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
  const bindings = Object.fromEntries(
    linked.map((binding) => [bindingKey(binding.workerName, binding.bindingName), compileBinding(binding, indexOf)]),
  );
  return { version: TABLE_VERSION, generation, bindings, networks };
}

function compileBinding(
  { workerName, bindingName, bindingType, id, configFile, settings, to }: LinkedBinding,
  indexOf: (network: Network) => number,
): Binding {
  const limits = to.kind === "unlinked" ? settings.limits : to.limits;
  const base = { workerName, bindingName, configFile, limits, traffic: settings.traffic };
  switch (to.kind) {
    case "service": {
      const network = to.network === undefined ? {} : { network: indexOf(to.network) };
      const service: Service = { ...to.service, ...network };
      return { ...base, kind: "service", tls: to.tls, serviceId: id, service };
    }
    case "network":
      return { ...base, kind: "network", tls: to.tls, networkId: id, network: indexOf(to.network) };
    case "unlinked":
      return { ...base, kind: "unlinked", bindingType, id };
    default:
      return to satisfies never;
  }
}
