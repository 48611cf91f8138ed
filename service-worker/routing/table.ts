/**
 * The RoutingTable, which Node compiles once from the configs and `decide` reads everywhere. Plain, versioned
 * JSON: no functions or classes, and everything is already checked and normalised.
 */

import type { ProxyErrorCode } from "./error-codes.ts";
import type { Fault } from "./fault.ts";

export const TABLE_VERSION = 3;

export interface RoutingTable {
  version: typeof TABLE_VERSION;
  /** Increases with every edit that is pushed into the running service worker. */
  generation: number;
  /** All calls go through the egress proxy, where the rules and the journal of the session are. Absent: none does because of it. */
  isObserved?: true;
  /** The `trustKey`s of policies whose roots have changed since the runtime started. Absent: none. */
  changedTrust?: string[];
  /** What random faults are drawn from. Absent: a default. */
  seed?: number;
  /** Keyed by `bindingKey(worker, binding)`. */
  bindings: Record<string, Binding>;
  /** Bindings refer to them by index. A binding never refers to a network of another vpc config. */
  networks: Network[];
}

/** Key of a binding in the table, and its identity as a service's props. */
export function bindingKey(workerName: string, bindingName: string): string {
  return `${workerName}/${bindingName}`;
}

/** @param workers the number of Workers in the session that have VPC bindings */
export function bindingLabel(
  { workerName, bindingName }: { workerName: string; bindingName: string },
  workers: number,
): string {
  return workers > 1 ? `${bindingName} of ${workerName}` : bindingName;
}

export type Binding = ServiceBinding | NetworkBinding | UnlinkedBinding;

interface BindingBase {
  /** What the user calls the Worker; the key in the table has its name in the session, which a test runner chooses. */
  workerName: string;
  bindingName: string;
  /** Its name in the terminal: the binding's name, and its Worker's if several Workers have VPC bindings. */
  label: string;
  /** The path of the vpc config as shown to the user. A missing entry would go there. */
  configFile: string;
  /** Of an unlinked binding: for the target of a test's rule. */
  tls: TlsPolicy;
  limits: Limits;
  /** Whether to print a line for each request or connection. */
  traffic: boolean;
  /**
   * Node dials the target `localhost`. Set on Windows, where a refused loopback port costs 2 s and workerd tries IPv4 and
   * IPv6 one after the other.
   */
  leavesLocalhostToNode?: true;
}

/** The limits of a call. Times in milliseconds; absent: no limit. */
export interface Limits {
  /** For making a connection, including the TLS handshake; after it `connection_timeout`. */
  connectTimeout: number;
  /** For resolving the target's name; after it `dns_timeout`. */
  dnsTimeout: number;
  /** From the end of the request to the start of the response, and between two pieces of it; after it `connection_read_timeout`. HTTP only. */
  readTimeout?: number;
  /** For the target to accept the next piece of a request; after it `connection_write_timeout`. HTTP only. */
  writeTimeout?: number;
  /** Connections in use to one target at the same time; one more fails with `connection_limit_reached`. */
  connectionLimit?: number;
  /** Calls of one binding; one more fails with `rate_limited`. */
  rateLimit?: RateLimit;
  /** Calls in flight to one `worker:` target, or waiting for a port of this session; one more fails with `proxy_loop_detected`. */
  workerLimit: number;
}

/** Like Cloudflare's rate limiting binding. */
export interface RateLimit {
  /** Calls. */
  limit: number;
  /** Seconds. */
  period: number;
}

/** How to check the certificate of a target that speaks TLS. */
export interface TlsPolicy {
  /** `verify_full`: chain and the URL's host; `verify_ca`: the chain only. */
  verify: "verify_full" | "verify_ca" | "disabled";
  /** Absolute paths of PEM files with roots to trust in addition to the usual ones. */
  ca: string[];
  /** Absolute path of the PEM file of the record's own authority, whose roots take the place of the public ones. */
  authority?: string;
  /** The certificate for a target that asks for one. Absolute paths of PEM files, which only Node reads. */
  client?: { cert: string; key: string };
  /** The certificates of the record that the vpc config has no files for. Only for display. */
  missing?: { field: "certificate_authority" | "client_certificate"; id: string }[];
  /** Only public CAs and the Cloudflare Origin CA are trusted, or the authority; `ca` is empty. */
  trust?: "production";
}

export interface ServiceBinding extends BindingBase {
  kind: "service";
  /** Of the service itself; its route may have more. Absent if it has none. */
  faults?: readonly Fault[];
  serviceId: string;
  service: Service;
  /** The database behind a Hyperdrive binding: its connections come through Node, and `serviceId` is the binding's id. */
  isHyperdrive?: true;
}

export interface NetworkBinding extends BindingBase {
  kind: "network";
  /** A tunnel id or `cf1:network`. */
  networkId: string;
  /** Index into `RoutingTable.networks`. */
  network: number;
}

/** A binding that leads nowhere: every call on it is refused. */
export interface UnlinkedBinding extends BindingBase {
  kind: "unlinked";
  /** Absent: the vpc config has no entry for it. */
  because?: "made-remote" | "remote-off" | "config-broken";
  bindingType: "vpc-service" | "vpc-network" | "hyperdrive";
  /** The service_id, tunnel_id, network_id or Hyperdrive id of the wrangler config. */
  id: string;
}

export interface Service {
  /** `both`: the shorthand `"localhost:5432"`, which serves `fetch` and `connect`. */
  type: "http" | "tcp" | "both";
  /** The record's own name, or its key. */
  label: string;
  /** `file:line:column` of its entry. */
  origin: string;
  /** The record's host in normal form: a name, an address, or IPv4 then IPv6. Empty for a shorthand. */
  hosts: string[];
  /** Absent: `http:` is not allowed. */
  httpPort?: number;
  /** Absent: `https:` is not allowed. */
  httpsPort?: number;
  /** Absent: `connect()` is not allowed. */
  tcpPort?: number;
  /** Its target on this machine. Absent: the routes of its network decide. */
  target?: Target;
  /** Index into `RoutingTable.networks`; absent if the vpc config doesn't name that network. */
  network?: number;
  /** The record's tunnel id, for messages. */
  networkId?: string;
}

/** @param scheme `tcp`: `connect()`. @returns undefined if the service doesn't allow the scheme */
export function portOf(
  service: Pick<Service, "httpPort" | "httpsPort" | "tcpPort">,
  scheme: Scheme | "tcp",
): number | undefined {
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

/** The network that is the union of all others. In production, it also reaches public hosts. */
export const MESH_ID = "cf1:network";

export interface Network {
  /** A tunnel id, `cf1:network`, or a binding's name. */
  networkId: string;
  /** `file:line:column` of its entry; empty for a `cf1:network` that is only the union of others. */
  origin: string;
  /** Unordered: `indexTable` orders them. */
  routes: Route[];
}

export interface Route {
  /** As the user wrote it. */
  text: string;
  match: RouteMatch;
  /** Inclusive; absent: every port. */
  ports?: { from: number; to: number };
  target: Target;
  /** Absent if the route sets nothing for itself. */
  settings?: RouteSettings;
  /** `file:line:column`. */
  origin: string;
  /** The service of the compose file that the route was made from. Only for display. */
  composeService?: string;
}

/** What a route sets for the calls that take it. Members that it doesn't set are absent, and at least one is set. */
export interface RouteSettings {
  verify?: TlsPolicy["verify"];
  /** Absolute paths of PEM files, in addition to those of the binding. */
  ca?: string[];
  /** A rate limit counts the calls of a binding, so a route has none. */
  limits?: Partial<Omit<Limits, "rateLimit">>;
  /** In addition to those of the service. */
  faults?: readonly Fault[];
}

export type RouteMatch =
  | { type: "name"; name: string }
  /** `*.suffix`: exactly one label in front of the suffix. */
  | { type: "wildcard"; suffix: string }
  /** An address in the normal form of `parseHost`; all bits after `prefix` are zero. */
  | { type: "cidr"; address: string; prefix: number }
  /** `*`: every name and address, after all other routes of the network. */
  | { type: "any" };

/** Returns the same key for destinations that differ only in their ports. */
export function matchKey(match: RouteMatch): string {
  switch (match.type) {
    case "name":
      return match.name;
    case "wildcard":
      return `*.${match.suffix}`;
    case "cidr":
      return `${match.address}/${match.prefix}`;
    case "any":
      return "*";
    default:
      return match satisfies never;
  }
}

export type Scheme = "http" | "https";

export const DEFAULT_PORT = { http: 80, https: 443 } as const;

/** A Worker of the session. */
export interface TargetWorker {
  type: "worker";
  workerName: string;
  /** What the user calls it, if a host runs it inside a Worker with another name. */
  ownName?: string;
}

export type Target =
  /** Without a port, the destination's port is kept. `scheme`: what this machine's copy speaks, if written. */
  | { type: "address"; host: string; port?: number; scheme?: Scheme }
  | { type: "unix"; path: string }
  /** `workerName`: already resolved to a Worker of the session. */
  | TargetWorker
  /** `resolvers`: name servers to ask instead of this machine's, each an address or `address:port`. */
  | { type: "passthrough"; resolvers?: string[] }
  | { type: "deny"; code: ProxyErrorCode }
  /** A function of a `vpc.config.*`, which the Node process keeps under this id. */
  | { type: "function"; functionId: string }
  /** Answers in place of a service, from data of the vpc config or from a file. `text`: as the terminal shows it; `isObserved`: other targets may answer in its place; `behind`: the one that does. */
  | { type: "stand-in"; standInId: string; text: string; isObserved?: true; behind?: Behind };

/** The target of a recording: always asked if `isRecorded`, and otherwise what the recording has no answer to. */
export interface Behind {
  target: Target;
  isRecorded: boolean;
}
