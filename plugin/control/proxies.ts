/**
 * The services and routes of a session as Toxiproxy's proxies: one for each service, named by its binding, and one for each
 * route, named by its destination as the vpc config writes it.
 */

import type { Network, RoutingTable } from "../../service-worker/routing/table.ts";
import { formatTableTarget } from "../commands/format-target.ts";
import type { JournalEntry } from "../scenario/journal.ts";

export interface ControlledProxy {
  proxyName: string;
  /** As a rule names it. */
  who: string;
  /** Keys of the bindings whose calls are meant. */
  bindingIds: ReadonlySet<string>;
  upstream: string;
}

/** Keyed by their names. */
export function proxiesOf(table: RoutingTable): Map<string, ControlledProxy> {
  const proxies = new Map<string, ControlledProxy>();
  for (const [key, binding] of Object.entries(table.bindings)) {
    if (binding.kind !== "service") continue;
    const { bindingName, service } = binding;
    const known = proxies.get(bindingName);
    proxies.set(bindingName, {
      proxyName: bindingName,
      who: bindingName,
      bindingIds: new Set([...(known?.bindingIds ?? []), key]),
      upstream: service.target === undefined ? service.hosts.join(", ") : formatTableTarget(service.target),
    });
  }
  for (const [index, network] of table.networks.entries()) {
    const bindingIds = bindingsOf(table, index);
    if (bindingIds.size === 0) continue;
    for (const { text, target } of network.routes) {
      const proxyName = proxies.has(text) ? inNetwork(network, text) : text;
      proxies.set(proxyName, { proxyName, who: text, bindingIds, upstream: formatTableTarget(target) });
    }
  }
  return proxies;
}

/** Keys of the bindings whose calls this network routes. */
function bindingsOf({ bindings }: RoutingTable, network: number): Set<string> {
  const keys = Object.entries(bindings).flatMap(([key, binding]) => {
    if (binding.kind === "network") return binding.network === network ? [key] : [];
    return binding.kind === "service" && binding.service.network === network ? [key] : [];
  });
  return new Set(keys);
}

function inNetwork({ networkId }: Network, text: string): string {
  return `${networkId}/${text}`;
}

/** The proxy that an entry of the journal went through. */
export function proxyOf(
  proxies: ReadonlyMap<string, ControlledProxy>,
  entry: JournalEntry,
): ControlledProxy | undefined {
  return [...proxies.values()].find(
    ({ who, bindingIds }) => bindingIds.has(entry.asked.bindingId) && (who === entry.binding || who === entry.route),
  );
}
