/**
 * Links the bindings of a session with the entries of one vpc config, and makes every check that needs both.
 * Reads no files. `compile` only has to number the networks of its result.
 */

import { DEFAULT_PORT, MESH_ID, type Network, type Service, bindingKey } from "../../service-worker/routing/table.ts";
import type { Policies } from "../../service-worker/routing/route-settings.ts";
import type { VpcFunctionTarget } from "../config.ts";
import { type Diagnostic, formatLocation } from "../diagnostics.ts";
import { originsIn, placeOf, quote, reportTo } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { checkKeys, findEntry, isRemote } from "./link-keys.ts";
import { linkRoutes } from "./link-routes.ts";
import { type PlacedRoute, mergeRoutes } from "./merge-networks.ts";
import { loginOf } from "./login.ts";
import { mergeLimits, mergeTls } from "./policies.ts";
import { reportOwnString, reportUnlinked } from "./report-bindings.ts";
import { type LinkedStandIn, type Resolving, resolveTarget } from "./resolve-target.ts";
import {
  type DatabaseLogin,
  type Entry,
  type NetworkModel,
  type ServiceModel,
  type SessionWorker,
  type Settings,
  type VpcBinding,
  type VpcModel,
  entryKey,
  shownName,
} from "../model.ts";

/** A binding, and the Worker that has it. */
export interface BoundBinding extends VpcBinding {
  workerName: string;
  /** What the user calls the Worker. */
  shownWorker: string;
}

export interface LinkedBinding extends BoundBinding {
  configFile: string;
  /** The settings of the whole config; `to` holds those that apply to this entry. */
  settings: Settings;
  to: LinkedEntry;
}

export type LinkedEntry =
  | ({ kind: "service"; service: Omit<Service, "network">; network?: Network; isHyperdrive?: true } & Policies)
  | ({ kind: "network"; network: Network } & Policies)
  | { kind: "unlinked" };

export interface Linked {
  bindings: LinkedBinding[];
  /** Keyed by function id. */
  functions: Map<string, VpcFunctionTarget>;
  /** Keyed by the id of each. */
  standIns: Map<string, LinkedStandIn>;
  /** `bindingKey`s. */
  remoteBindings: Set<string>;
  /** The login that each Hyperdrive binding shows to its Worker, by `bindingKey`. */
  logins: Map<string, DatabaseLogin>;
}

export interface LinkOptions {
  /** The Workers that use this config. */
  workers: readonly SessionWorker[];
  /** All Workers of the session: from each name that a target may use to the Worker's name in the session. */
  workerNames: ReadonlyMap<string, string>;
  env: string | undefined;
  generation: number;
}

/** The state that the steps of one link share. */
interface Linking extends LinkOptions, Resolving {
  bindings: readonly BoundBinding[];
  /** Each entry is linked once, even if several bindings share it, so that each mistake is reported once. */
  services: Map<Entry<ServiceModel>, LinkedEntry>;
  /** By the id of a network: the name of the first binding to it that is the key of an entry. */
  networkNames: ReadonlyMap<string, string>;
  /** Of a place in the vpc config. */
  originOf: (at: Path) => string;
  routes: Map<Entry<NetworkModel>, PlacedRoute[]>;
  networks: Map<string, Network>;
}

export function link(model: VpcModel, options: LinkOptions, diagnostics: Diagnostic[]): Linked {
  const bindings = options.workers.flatMap((worker) =>
    worker.bindings.map((binding) => ({ ...binding, workerName: worker.workerName, shownWorker: shownName(worker) })),
  );
  const linking: Linking = {
    ...options,
    model,
    report: reportTo(diagnostics, model.document),
    functions: new Map(),
    standIns: new Map(),
    bindings,
    services: new Map(),
    networkNames: networkNamesIn(model, bindings),
    originOf: originsIn(model.document),
    routes: new Map(),
    networks: new Map(),
  };
  const configFile = formatLocation({ file: model.document.file });
  const misplaced = checkKeys(model, linking.bindings, linking.report);
  const linked: Linked = {
    bindings: [],
    functions: linking.functions,
    standIns: linking.standIns,
    remoteBindings: new Set(),
    logins: new Map(),
  };
  for (const binding of linking.bindings) {
    if (binding.ownString !== undefined) {
      reportOwnString(binding, linking);
      continue;
    }
    if (isRemote(model, binding)) {
      linked.remoteBindings.add(bindingKey(binding.workerName, binding.bindingName));
      continue;
    }
    const to = linkEntry(binding, linking, linked);
    linked.bindings.push({ ...binding, configFile, settings: model.settings, to: to ?? { kind: "unlinked" } });
    if (to === undefined && model.isReadable && !misplaced.has(binding)) reportUnlinked(binding, linking);
  }
  return linked;
}

/** @returns undefined when there is no entry */
function linkEntry(binding: BoundBinding, linking: Linking, linked: Linked): LinkedEntry | undefined {
  const { bindingType } = binding;
  switch (bindingType) {
    case "vpc-service":
      return linkService(findEntry(linking.model.services, binding)?.entry, linking);
    case "vpc-network":
      return linkNetwork(binding, linking);
    case "hyperdrive":
      return linkHyperdrive(binding, linking, linked);
    default:
      return bindingType satisfies never;
  }
}

function linkHyperdrive(binding: BoundBinding, linking: Linking, { logins }: Linked): LinkedEntry | undefined {
  const { model, report } = linking;
  const entry = findEntry(model.hyperdrives, binding)?.entry;
  if (entry?.kind !== "entry") return entry && { kind: "unlinked" };
  const login = loginOf(entry, report);
  const linked = linkService(model.services.get(entry.serviceKey), linking);
  if (login === undefined || linked?.kind !== "service") return { kind: "unlinked" };
  logins.set(bindingKey(binding.workerName, binding.bindingName), login);
  return { ...linked, isHyperdrive: true };
}

/** @param entry undefined when there is none; so is the result then */
function linkService(entry: Entry<ServiceModel> | undefined, linking: Linking): LinkedEntry | undefined {
  if (entry === undefined) return undefined;
  const known = linking.services.get(entry);
  if (known !== undefined) return known;
  const linked = entry.kind === "entry" ? linkServiceEntry(entry, linking) : ({ kind: "unlinked" } as const);
  linking.services.set(entry, linked);
  return linked;
}

function linkServiceEntry(entry: Extract<Entry<ServiceModel>, { kind: "entry" }>, linking: Linking): LinkedEntry {
  const { settings } = linking.model;
  const service = { ...entry.service, origin: linking.originOf(entry.at) };
  const found = findNetwork(entry.service.networkId ?? "", linking);
  const around = found.entry?.kind === "entry" ? [found.entry] : [];
  // The policies of a network apply only to what is reached through it.
  const through = entry.target === undefined ? around : [];
  const policies = {
    tls: { ...mergeTls(entry.tlsMode, [entry, ...through], settings), ...entry.certificates },
    limits: mergeLimits([...through, entry], settings),
    ...(entry.faults.length > 0 && { faults: entry.faults }),
  };
  if (entry.target !== undefined) {
    const resolvers = [entry, ...around].map((each) => each.resolvers).find(({ length }) => length > 0) ?? [];
    const target = resolveTarget(entry.target, resolvers, linking);
    if (target === undefined) return { kind: "unlinked" };
    return { kind: "service", service: { ...service, target }, ...policies };
  }
  const network = networkOfService(entry, found, linking);
  return { kind: "service", service, ...policies, ...(network === undefined ? {} : { network }) };
}

function networkNamesIn({ networks }: VpcModel, bindings: readonly BoundBinding[]): Map<string, string> {
  const named = bindings.filter(
    ({ bindingType, bindingName }) => bindingType === "vpc-network" && networks.has(bindingName),
  );
  // The first of several wins.
  return new Map(named.toReversed().map(({ id, bindingName }) => [entryKey(id), bindingName]));
}

interface FoundNetwork {
  key: string;
  entry: Entry<NetworkModel> | undefined;
}

function findNetwork(tunnelId: string, linking: Linking): FoundNetwork {
  const { networks } = linking.model;
  // The key of a tunnel's entry can also be the name of a binding to it.
  const key = networks.has(tunnelId) ? tunnelId : (linking.networkNames.get(tunnelId) ?? tunnelId);
  return { key, entry: networks.get(key) };
}

/** Finds the network that routes a service without a target, and reports a missing one. */
function networkOfService(
  { service, at }: Extract<Entry<ServiceModel>, { kind: "entry" }>,
  { key, entry }: FoundNetwork,
  linking: Linking,
): Network | undefined {
  if (entry?.kind === "entry") return networkFor(key, entry, linking);
  if (entry?.kind === "broken") return undefined;
  const port = service.httpPort ?? service.httpsPort ?? service.tcpPort ?? DEFAULT_PORT.http;
  linking.report({
    severity: "warning",
    code: "service-without-route",
    text:
      entry === undefined
        ? `the service ${quote(service.label)} has no "target", and its network ${quote(key)} has no entry`
        : `the service ${quote(service.label)} has no "target", and its network ${quote(key)} is "remote"`,
    at,
    part: "key",
    notes: [
      entry === undefined
        ? `Add ${quote(key)}: { "routes": { ${quote(service.hosts[0])}: "localhost:${port}" } } to "networks", or a "target" to the service.`
        : 'Add a "target" to the service, or make the service "remote" too.',
    ],
  });
  return undefined;
}

/** @returns undefined when there is no entry */
function linkNetwork(binding: VpcBinding, linking: Linking): LinkedEntry | undefined {
  const found = findEntry(linking.model.networks, binding);
  if (binding.id === MESH_ID) return linkMesh(found, linking);
  if (found === undefined) return undefined;
  const { key, entry } = found;
  if (entry.kind !== "entry") return { kind: "unlinked" };
  const { settings } = linking.model;
  const policies = { tls: mergeTls(entry.tlsMode, [entry], settings), limits: mergeLimits([entry], settings) };
  return { kind: "network", network: networkFor(key, entry, linking), ...policies };
}

function networkFor(key: string, entry: Extract<Entry<NetworkModel>, { kind: "entry" }>, linking: Linking): Network {
  const known = linking.networks.get(key);
  if (known !== undefined) return known;
  const network: Network = {
    networkId: entry.networkId,
    origin: linking.originOf(entry.at),
    routes: routesOf(entry, linking).map(({ route }) => route),
  };
  linking.networks.set(key, network);
  return network;
}

/** @param own the mesh's own entry. It is optional, because the mesh consists of the other networks. */
function linkMesh(own: ReturnType<typeof findEntry<NetworkModel>>, linking: Linking): LinkedEntry | undefined {
  const { model, report, networks } = linking;
  const entry = own?.entry;
  if (entry === undefined && model.networks.size === 0) return undefined;
  if (entry?.kind === "broken") return { kind: "unlinked" };
  const all = [...model.networks.values()].filter((other) => other.kind === "entry");
  const counting = entry?.kind === "entry" ? [entry] : [];
  const policies = {
    tls: mergeTls(counting[0]?.tlsMode ?? "verify_full", all, model.settings),
    limits: mergeLimits(counting, model.settings),
  };
  const memoKey = `${MESH_ID} ${own?.key ?? ""}`;
  const known = networks.get(memoKey);
  if (known !== undefined) return { kind: "network", network: known, ...policies };

  const others = [...model.networks.values()].filter((other) => other !== entry);
  const { routes, conflicts } = mergeRoutes(
    entry === undefined ? [] : routesOf(entry, linking),
    others.flatMap((other) => routesOf(other, linking)),
  );
  for (const { kept, dropped } of conflicts) {
    const isInDocument = kept.route.origin === linking.originOf(kept.at);
    const place = isInDocument ? placeOf(model.document, kept.at) : kept.route.origin;
    report({
      severity: "warning",
      code: "conflicting-routes",
      text: `in ${MESH_ID}, ${quote(dropped.route.text)} is overridden by ${quote(kept.route.text)} on ${place}`,
      at: dropped.at,
      part: "key",
      notes: [`To choose another target, add a route to ${quote(MESH_ID)} itself.`],
    });
  }
  const origin = entry === undefined ? "" : linking.originOf(entry.at);
  const network: Network = { networkId: MESH_ID, origin, routes };
  networks.set(memoKey, network);
  return { kind: "network", network, ...policies };
}

function routesOf(entry: Entry<NetworkModel>, linking: Linking): PlacedRoute[] {
  if (entry.kind !== "entry") return [];
  const known = linking.routes.get(entry);
  if (known !== undefined) return known;
  const routes = linkRoutes(entry, linking);
  linking.routes.set(entry, routes);
  return routes;
}
