/** The network of a session as a picture needs it: bindings, their routes, and where these lead. And what answers there now. */

import { decide } from "../../service-worker/routing/decide.ts";
import { formatTarget } from "../../service-worker/routing/forward-target.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import type { Binding, Network, RoutingTable, Target } from "../../service-worker/routing/table.ts";
import { portOf } from "../../service-worker/routing/table.ts";
import { formatTableTarget } from "../commands/format-target.ts";
import { listTargets } from "../commands/list-targets.ts";
import { type Probed, probeTargets } from "../commands/probe.ts";
import type { BindingView, NetworkBindingView, NetworkView, ProbeView, RouteView } from "./traffic-view.ts";

export function viewNetwork(table: RoutingTable): NetworkView {
  return {
    bindings: Object.entries(table.bindings).map(([key, binding]) => viewBinding(table, key, binding)),
  };
}

function viewBinding(table: RoutingTable, key: string, binding: Binding): NetworkBindingView {
  const { bindingName, workerName } = binding;
  return { binding: bindingName, worker: workerName, kind: viewKind(binding), ...leadsTo(table, key, binding) };
}

/** The kind that a person knows: the record behind a Hyperdrive binding is a service, too. */
export function viewKind(binding: Binding): BindingView["kind"] {
  return binding.kind === "service" && binding.isHyperdrive === true ? "hyperdrive" : binding.kind;
}

function leadsTo(table: RoutingTable, key: string, binding: Binding): Pick<NetworkBindingView, "name" | "routes"> {
  switch (binding.kind) {
    case "unlinked":
      return { name: binding.id, routes: [] };
    case "network": {
      const network: Network | undefined = table.networks[binding.network];
      return { name: binding.networkId, routes: (network?.routes ?? []).map(viewRoute) };
    }
    case "service": {
      const { label, hosts, target, origin } = binding.service;
      const name = hosts.length === 0 ? "any host" : hosts.join(", ");
      if (target !== undefined) return { name: label, routes: [{ text: name, ...viewTarget(target), origin }] };
      return { name: label, routes: routesOfRecord(table, key, binding).map(viewRoute) };
    }
    default:
      return binding satisfies never;
  }
}

/** Those routes of its network that its host and ports take. */
function routesOfRecord(
  table: RoutingTable,
  key: string,
  { service }: Binding & { kind: "service" },
): Network["routes"] {
  const index = indexTable(table);
  const network = service.network === undefined ? undefined : table.networks[service.network];
  const taken = new Set(
    (["http", "https", "tcp"] as const).flatMap((scheme) => {
      const port = portOf(service, scheme);
      if (port === undefined) return [];
      return service.hosts.flatMap((host) => decide(index, key, { scheme, host, port }).rule?.text ?? []);
    }),
  );
  return (network?.routes ?? []).filter(({ text }) => taken.has(text));
}

function viewRoute({ text, target, origin }: Network["routes"][number]): RouteView {
  return { text, ...viewTarget(target), origin };
}

function viewTarget(target: Target): Pick<RouteView, "target" | "targetType"> {
  return {
    target: target.type === "worker" ? formatTarget(target) : formatTableTarget(target),
    targetType: target.type,
  };
}

/** Dials every target that can be dialled. Sends at most a TLS handshake and `HEAD /`. */
export async function probeNetwork(table: RoutingTable): Promise<ProbeView[]> {
  const probed = await probeTargets(listTargets([table]), () => {});
  return probed.map(viewProbed);
}

function viewProbed({ origins, outcome, time }: Probed): ProbeView {
  if (outcome.state !== "open") return { origins, time, state: outcome.state, text: outcome.detail };
  return { origins, time, state: "open", text: outcome.status === undefined ? "open" : `HTTP ${outcome.status}` };
}
