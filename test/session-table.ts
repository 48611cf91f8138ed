/** Reads what a test wants to know from a table. */

import type { Network, RoutingTable } from "../service-worker/table.ts";

export function networkOf(table: RoutingTable, key: string): Network | undefined {
  const binding = table.bindings[key];
  if (binding?.kind === "network") return table.networks[binding.network];
  if (binding?.kind === "service" && binding.service.network !== undefined)
    return table.networks[binding.service.network];
  return undefined;
}

export function targetsOf(table: RoutingTable, key: string): Record<string, unknown> {
  const routes = networkOf(table, key)?.routes ?? [];
  return Object.fromEntries(routes.map(({ text, target }) => [text, "port" in target ? target.port : target.type]));
}

export function portOf(table: RoutingTable, key: string): number | undefined {
  const binding = table.bindings[key];
  const target = binding?.kind === "service" ? binding.service.target : undefined;
  return target?.type === "address" ? target.port : undefined;
}
