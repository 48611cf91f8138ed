/**
 * The only function that decides where a request or connection goes. Pure: only reads the table. The
 * service worker acts on its answer, `explain` prints it, and tests have a table of cases for it.
 *
 *   destination ─▶ binding ─▶ service record ─▶ target
 *                        └──▶ network ─▶ name, wildcard or longest prefix, else `*` ─▶ target
 */

import {
  type Endpoint,
  type Host,
  formatEndpoint,
  isLocalhostName,
  isProblem,
  loopbackBehind,
  parseHost,
} from "./address.ts";
import type { ForwardTarget } from "./forward-target.ts";
import type { ProxyErrorCode } from "./error-codes.ts";
import { type IndexedTable, type NetworkIndex, findRoute } from "./route-index.ts";
import { type Policies, policiesFor } from "./route-settings.ts";
import {
  DEFAULT_PORT,
  MESH_ID,
  type Binding,
  type Network,
  type NetworkBinding,
  type Route,
  type Scheme,
  type Service,
  type ServiceBinding,
  type Target,
  type UnlinkedBinding,
  portOf,
} from "./table.ts";

/** What a Worker asked for, before any decision. */
export interface Destination {
  scheme: Scheme | "tcp";
  /** As written. Normalised here and nowhere else. */
  host: string;
  /** 1 to 65535; the scheme's default is already filled in. */
  port: number;
}

export type Decision = Forward | Refusal;

/** Its policies are the binding's, unless the route that decided sets its own. */
export interface Forward extends Policies {
  type: "forward";
  binding: ServiceBinding | NetworkBinding;
  to: ForwardTarget;
  rule: DecidingEntry;
}

export interface Refusal {
  type: "refuse";
  code: ProxyErrorCode;
  binding: Binding;
  /** The rule that refused; absent if no rule matched. */
  rule?: DecidingEntry;
  /** Those of the route that denies the call, for a rule of a test that answers it. Absent: the binding's. */
  policies?: Policies;
  /** For the developer: why it was refused. */
  reason: string;
  /** For the developer: what to type instead. */
  hint: string;
}

/** The entry of a config that decided. */
export interface DecidingEntry {
  kind: "route" | "service";
  /** As the user wrote it. */
  text: string;
  /** `file:line:column` */
  origin: string;
}

/** The look-up of a destination among the routes of a network. `network` is undefined if the table has no such network. */
export interface Lookup {
  network: NetworkIndex | undefined;
  host: Host;
  port: number;
}

/**
 * @param onLookup called for each look-up, for `explain`
 * @throws a plain `Error` if the table doesn't have the binding, because the plugin lists every binding
 */
export function decide(
  index: IndexedTable,
  bindingId: string,
  destination: Destination,
  onLookup?: (lookup: Lookup) => void,
): Decision {
  const binding = index.table.bindings[bindingId];
  if (binding === undefined) throw new Error(`miniflare-vpc: no binding ${JSON.stringify(bindingId)} in the table`);
  switch (binding.kind) {
    case "service": {
      const decision = decideService(index, binding, { ...destination, onLookup });
      return binding.isHyperdrive ? withoutWorker(decision) : decision;
    }
    case "network":
      return decideNetwork(index.networks[binding.network], binding, { ...destination, onLookup });
    case "unlinked":
      return { type: "refuse", code: "destination_not_found", binding, ...explainUnlinked(binding, destination.host) };
    default:
      return binding satisfies never;
  }
}

/** The connection of a Hyperdrive binding is made in Node, which has no way to a Worker. */
function withoutWorker(decision: Decision): Decision {
  if (decision.type === "refuse" || decision.to.type !== "worker") return decision;
  const { binding, rule, tls, limits, faults } = decision;
  const policies = { tls, limits, ...(faults && { faults }) };
  return { type: "refuse", code: "destination_unavailable", binding, rule, policies, ...NO_WORKER };
}

const NO_WORKER = {
  reason: "the target is a Worker, which a Hyperdrive binding can't reach on this machine",
  hint: 'Use a target that speaks the database\'s protocol, such as "localhost:5432".',
};

/** A destination, and the function that hears about its look-ups. */
interface Asked extends Destination {
  onLookup: ((lookup: Lookup) => void) | undefined;
}

function explainUnlinked(binding: UnlinkedBinding, host: string): { reason: string; hint: string } {
  const { id, configFile } = binding;
  const isService = binding.bindingType === "vpc-service";
  if (binding.bindingType === "hyperdrive" && binding.because === undefined) {
    return {
      reason: "the vpc config has no entry for this Hyperdrive binding",
      hint: `Add "${id}" to "hyperdrive" in ${configFile}, with the "service" that leads to the database.`,
    };
  }
  switch (binding.because) {
    case "made-remote":
      return { reason: 'its entry was changed to "remote" while it ran', hint: "Restart to apply this." };
    case "remote-off":
      return {
        reason: 'its entry is "remote", and remote bindings are off',
        hint: 'Pass "remoteBindings": true to withVpc() or getPlatformProxy() to reach it through wrangler.',
      };
    case "config-broken":
      return { reason: "the vpc config that names it is broken", hint: "Fix the errors reported above." };
    case undefined:
      return {
        reason: `the vpc config has no entry for this ${isService ? "service" : "network"}`,
        hint: isService
          ? `Add "${id}": "http://localhost:PORT" to "services" in ${configFile}.`
          : `Add "${id}": { "routes": { "${host}": "localhost:PORT" } } to "networks" in ${configFile}.${id === MESH_ID ? PUBLIC_HOSTS : ""}`,
      };
    default:
      return binding.because satisfies never;
  }
}

function decideService(index: IndexedTable, binding: ServiceBinding, asked: Asked): Decision {
  const { service } = binding;
  const rule: DecidingEntry = { kind: "service", text: service.label, origin: service.origin };
  const port = portOf(service, asked.scheme);
  if (port === undefined) return { type: "refuse", binding, rule, ...refusedScheme(service, asked.scheme) };
  if (service.target !== undefined) {
    const host = service.hosts[0] ?? "";
    return resolveTarget(service.target, { binding, rule, policies: binding, scheme: asked.scheme, host, port });
  }

  const network = service.network === undefined ? undefined : index.networks[service.network];
  let refusal: Decision | undefined;
  for (const host of service.hosts) {
    const decision = decideNetwork(network, binding, { ...asked, host, port });
    if (decision.type === "forward" || decision.rule !== undefined) return decision;
    refusal ??= decision;
  }
  if (refusal === undefined) throw new Error(`miniflare-vpc: service ${service.label} has neither a target nor a host`);
  return refusal;
}

function refusedScheme(
  service: Service,
  scheme: Destination["scheme"],
): { code: ProxyErrorCode; reason: string; hint: string } {
  if (scheme === "tcp") {
    return {
      code: "destination_not_found",
      reason: `connect() was called, but ${service.type === "both" ? "the service's target names no port" : "this is an http service without a TCP port"}`,
      hint: 'Use fetch(), or make it a service of type "tcp" with a "tcp_port"; a shorthand target "host:port" serves both.',
    };
  }
  if (service.type === "tcp") {
    return {
      code: "http_request_denied",
      reason: "fetch() was called, but this is a tcp service",
      hint: 'Use connect(), or make it a service of type "http".',
    };
  }
  const only = scheme === "http" ? "https" : "http";
  return {
    code: "http_request_denied",
    reason: `the URL's scheme is ${scheme}:, but the record has only "${only}_port"`,
    hint: `Use ${only}: in the URL, or add "${scheme}_port" to the record (in production too).`,
  };
}

function decideNetwork(
  network: NetworkIndex | undefined,
  binding: NetworkBinding | ServiceBinding,
  asked: Asked,
): Decision {
  const host = parseHost(asked.host);
  if (isProblem(host)) {
    return {
      type: "refuse",
      code: "destination_not_found",
      binding,
      reason: `the host ${JSON.stringify(asked.host)} ${host.problem}`,
      hint: "Correct the host in the Worker's code.",
    };
  }
  const port = asked.port;
  asked.onLookup?.({ network, host, port });
  const found = network && findRoute(network, host, port);
  if (network === undefined || found === undefined) return refuseUnrouted(network?.network, binding, { host, port });
  const denied = deniedAtLoopback(network, found, { host, port });
  if (denied !== undefined) asked.onLookup?.({ network, host: denied.host, port });
  const route = denied?.route ?? found;
  return resolveTarget(route.target, {
    binding,
    policies: policiesFor(binding, route.settings),
    rule: { kind: "route", text: route.text, origin: route.origin },
    scheme: asked.scheme,
    host: host.text,
    port,
  });
}

/**
 * What is dialled at loopback is also decided there: `0.0.0.0`, `[::]` and `localhost` don't pass a route that denies
 * `127.0.0.1` or `[::1]`, unless a route names them.
 */
function deniedAtLoopback(
  network: NetworkIndex,
  { target, match }: Route,
  { host, port }: Endpoint,
): { route: Route; host: Host } | undefined {
  const dialled = target.type === "stand-in" ? target.behind?.target : target;
  if (dialled?.type !== "passthrough" || isExact(match)) return undefined;
  for (const loopback of loopbackBehind(host)) {
    const route = findRoute(network, loopback, port);
    // A deny of what no other route holds is none of loopback.
    if (route?.target.type === "deny" && route.match.type !== "any") return { route, host: loopback };
  }
  return undefined;
}

function isExact(match: Route["match"]): boolean {
  if (match.type === "cidr") return match.prefix === (match.address.includes(":") ? 128 : 32);
  return match.type === "name";
}

const PUBLIC_HOSTS = ' For every public host, its "routes" take "*": "passthrough".';

function refuseUnrouted(
  network: Network | undefined,
  binding: NetworkBinding | ServiceBinding,
  { host, port }: Endpoint,
): Refusal {
  const networkId = network?.networkId ?? networkIdOf(binding);
  const line = `"${host.text}": "localhost:${port}"`;
  // Differs from production: there, this network reaches public hosts without being asked to.
  const orPublic = networkId === MESH_ID ? PUBLIC_HOSTS : "";
  const orTarget = binding.kind === "service" ? ', or a "target" to the service' : "";
  const hint =
    network === undefined || network.origin === ""
      ? `Add "${networkId}": { "routes": { ${line} } } to "networks" in ${binding.configFile}${orTarget}.`
      : `Add ${line} to "routes" of the network at ${network.origin}.`;
  return {
    type: "refuse",
    code: host.type === "name" ? "destination_not_found" : "destination_ip_unroutable",
    binding,
    reason: `no route of network "${networkId}" matches ${formatEndpoint(host.text, port)}`,
    hint: hint + orPublic,
  };
}

function networkIdOf(binding: NetworkBinding | ServiceBinding): string {
  return binding.kind === "network" ? binding.networkId : (binding.service.networkId ?? "");
}

function resolveTarget(
  target: Target,
  placed: Pick<Forward, "binding" | "rule"> & Destination & { policies: Policies },
): Decision {
  const { binding, rule, policies } = placed;
  const to = placeTarget(target, placed);
  if (to.type !== "deny") {
    const { tls, limits, faults } = policies;
    return { type: "forward", binding, rule, tls, limits, to, ...(faults && { faults }) };
  }
  const { code, reason = "the vpc config denies it", hint = 'To allow it, replace "deny" with a target.' } = to;
  return { type: "refuse", code, binding, rule, policies, reason, hint };
}

/** They also count for what a rule answers in place of the target, or although the table refuses the call. */
export function policiesOf(decision: Decision): Policies {
  return decision.type === "forward" ? decision : (decision.policies ?? decision.binding);
}

/** `reason` and `hint`: if the target itself can't serve the call. */
export type DeniedTarget = (Target & { type: "deny" }) & { reason?: string; hint?: string };

const NO_CONNECT = {
  type: "deny",
  code: "destination_unavailable",
  reason: "connect() was called, but the target is a stand-in, which answers fetch() only",
  hint: 'Use fetch(), or a target that speaks TCP, such as "localhost:5432" or { connect(socket) { … } } in vpc.config.ts.',
} as const;

/** @returns where a target is for one destination: with the host or the port that it keeps of it */
export function placeTarget(target: Target, { scheme, host, port }: Destination): ForwardTarget | DeniedTarget {
  switch (target.type) {
    case "address": {
      // Differs from production: the copy on this machine may speak the other scheme.
      const isTranslated = scheme !== "tcp" && target.scheme !== undefined && target.scheme !== scheme;
      const keptPort = isTranslated ? DEFAULT_PORT[target.scheme ?? scheme] : port;
      const to = { type: "address", host: target.host, port: target.port ?? keptPort } as const;
      return target.scheme ? { ...to, scheme: target.scheme } : to;
    }
    case "passthrough":
      // RFC 6761 §6.3: no name server is asked for a localhost name.
      return isLocalhostName(host) ? { type: "address", host, port } : { ...target, type: "address", host, port };
    case "unix":
    case "worker":
    case "function":
    case "deny":
      return target;
    case "stand-in":
      return scheme === "tcp" ? NO_CONNECT : target;
    default:
      return target satisfies never;
  }
}
