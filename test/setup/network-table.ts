/** Creates tables for tests, and reads values from tables. */

import {
  type Network,
  type Route,
  type RoutingTable,
  TABLE_VERSION,
  bindingKey,
} from "../../service-worker/routing/table.ts";
import { DEFAULT_SETTINGS } from "../../plugin/model.ts";
import { TUNNEL_ID } from "./vpc-folder.ts";

/** @param routesOf a binding of the Worker "app" → the routes of its own network */
export function networkTable(routesOf: Record<string, Route[]>): RoutingTable {
  const shared = { workerName: "app", configFile: "vpc.jsonc", limits: DEFAULT_SETTINGS.limits, traffic: false };
  const policy = { networkId: TUNNEL_ID, tls: { verify: "verify_full" as const, ca: [] } };
  const bindings = Object.keys(routesOf).map((bindingName, network) => [
    bindingKey("app", bindingName),
    { ...shared, ...policy, kind: "network", bindingName, network },
  ]);
  return {
    version: TABLE_VERSION,
    generation: 1,
    bindings: Object.fromEntries(bindings),
    networks: Object.values(routesOf).map((routes, index) => ({
      networkId: TUNNEL_ID,
      origin: `vpc.jsonc:${index + 1}`,
      routes,
    })),
  };
}

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
