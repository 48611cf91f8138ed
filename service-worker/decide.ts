/**
 * The one function that decides where a request or connection goes. Pure: reads the table, acts on
 * nothing. The service worker acts on its answer, `explain` prints it, tests table it.
 *
 *   destination ─▶ binding ─▶ service record ─▶ target
 *                        └──▶ network ─▶ name, wildcard or longest prefix ─▶ target
 */

import { type Endpoint, type Host, formatEndpoint, isProblem, parseHost } from "./address.ts";
import type { ForwardTarget } from "./forward-target.ts";
import type { ProxyErrorCode } from "./proxy-error.ts";
import { type IndexedTable, type NetworkIndex, findRoute } from "./route-index.ts";
import {
  DEFAULT_PORT,
  type Binding,
  type Network,
  type NetworkBinding,
  type Scheme,
  type Service,
  type ServiceBinding,
  type Target,
  type UnlinkedBinding,
} from "./table.ts";

/** What a Worker asked for, before anything was decided. */
export interface Destination {
  scheme: Scheme | "tcp";
  /** As written: normalised here and nowhere else. */
  host: string;
  /** 1 to 65535; the scheme's default already filled in. */
  port: number;
}

export type Decision = Forward | Refusal;

export interface Forward {
  type: "forward";
  binding: ServiceBinding | NetworkBinding;
  to: ForwardTarget;
  rule: Rule;
}

export interface Refusal {
  type: "refuse";
  code: ProxyErrorCode;
  binding: Binding;
  /** The rule that refused; absent when none matched. */
  rule?: Rule;
  /** For the developer: why, in words. */
  reason: string;
  /** For the developer: what to type instead. */
  hint: string;
}

/** The line of a config that decided. */
export interface Rule {
  kind: "route" | "service";
  /** As the user wrote it. */
  text: string;
  /** `file:line:column` */
  origin: string;
}

/** A destination that is looked up among the routes of a network; undefined: the table has no such network. */
export interface Lookup {
  network: NetworkIndex | undefined;
  host: Host;
  port: number;
}

/**
 * @param onLookup told of each look-up as it is made, for `explain`
 * @throws a plain `Error` on a binding the table does not hold: the plugin lists every one
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
    case "service":
      return decideService(index, binding, { ...destination, onLookup });
    case "network":
      return decideNetwork(index.networks[binding.network], binding, { ...destination, onLookup });
    case "unlinked":
      return { type: "refuse", code: "destination_not_found", binding, ...explainUnlinked(binding, destination.host) };
    default:
      return binding satisfies never;
  }
}

/** What is asked, and who wants to know how it is looked up. */
interface Asked extends Destination {
  onLookup: ((lookup: Lookup) => void) | undefined;
}

function explainUnlinked(binding: UnlinkedBinding, host: string): { reason: string; hint: string } {
  const { id, configFile } = binding;
  const isService = binding.bindingType === "vpc-service";
  switch (binding.because) {
    case "made-remote":
      return { reason: 'its entry was changed to "remote" while it ran', hint: "Restart for this to take effect." };
    case "config-broken":
      return { reason: "the vpc config that names it is broken", hint: "Mend what is reported above." };
    case undefined:
      return {
        reason: `the vpc config has no entry for this ${isService ? "service" : "network"}`,
        hint: isService
          ? `Add "${id}": "http://localhost:PORT" to "services" in ${configFile}.`
          : `Add "${id}": { "routes": { "${host}": "localhost:PORT" } } to "networks" in ${configFile}.`,
      };
    default:
      return binding.because satisfies never;
  }
}

function decideService(index: IndexedTable, binding: ServiceBinding, asked: Asked): Decision {
  const { service } = binding;
  const rule: Rule = { kind: "service", text: service.label, origin: service.origin };
  const port = servicePort(service, asked.scheme);
  if (port === undefined) return { type: "refuse", binding, rule, ...refusedScheme(service, asked.scheme) };
  if (service.target !== undefined) {
    return resolveTarget(service.target, { binding, rule, scheme: asked.scheme, host: service.hosts[0] ?? "", port });
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

function servicePort(service: Service, scheme: Destination["scheme"]): number | undefined {
  switch (scheme) {
    case "http":
      return service.httpPort;
    case "https":
      return service.httpsPort;
    case "tcp":
      return service.tcpPort;
    default:
      return scheme satisfies never;
  }
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
    reason: `the URL's scheme is ${scheme}:, but the record gives only "${only}_port"`,
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
  const route = network && findRoute(network, host, port);
  if (route === undefined) return refuseUnrouted(network?.network, binding, { host, port });
  return resolveTarget(route.target, {
    binding,
    rule: { kind: "route", text: route.text, origin: route.origin },
    scheme: asked.scheme,
    host: host.text,
    port,
  });
}

function refuseUnrouted(
  network: Network | undefined,
  binding: NetworkBinding | ServiceBinding,
  { host, port }: Endpoint,
): Refusal {
  const networkId = network?.networkId ?? networkIdOf(binding);
  const line = `"${host.text}": "localhost:${port}"`;
  const hint =
    network === undefined || network.origin === ""
      ? `Add "${networkId}": { "routes": { ${line} } } to "networks" in ${binding.configFile}, or a "target" to the service.`
      : `Add ${line} to "routes" of the network at ${network.origin}.`;
  return {
    type: "refuse",
    code: host.type === "name" ? "destination_not_found" : "destination_ip_unroutable",
    binding,
    reason: `no route of network "${networkId}" matches ${formatEndpoint(host.text, port)}`,
    hint,
  };
}

function networkIdOf(binding: NetworkBinding | ServiceBinding): string {
  return binding.kind === "network" ? binding.networkId : (binding.service.networkId ?? "");
}

function resolveTarget(
  target: Target,
  { binding, rule, scheme, host, port }: { binding: Forward["binding"]; rule: Rule } & Destination,
): Decision {
  switch (target.type) {
    case "address": {
      // Differs from production: the copy on this machine may speak the other scheme.
      const isTranslated = scheme !== "tcp" && target.scheme !== undefined && target.scheme !== scheme;
      const keptPort = isTranslated ? DEFAULT_PORT[target.scheme ?? scheme] : port;
      const to = { type: "address", host: target.host, port: target.port ?? keptPort } as const;
      return { type: "forward", binding, rule, to: target.scheme ? { ...to, scheme: target.scheme } : to };
    }
    case "passthrough":
      return { type: "forward", binding, rule, to: { ...target, type: "address", host, port } };
    case "unix":
    case "worker":
    case "function":
      return { type: "forward", binding, rule, to: target };
    case "deny":
      return {
        type: "refuse",
        code: target.code,
        binding,
        rule,
        reason: "a rule denies it",
        hint: 'Change its "deny" to a target to let it through.',
      };
    default:
      return target satisfies never;
  }
}
