/**
 * The RoutingTable: what Node compiles once from the configs and what `decide` reads everywhere.
 * Plain JSON, versioned; no function, no class, nothing left to check or normalise.
 */

import type { ProxyErrorCode } from "./proxy-error.ts";

export const TABLE_VERSION = 1;

export interface RoutingTable {
  version: typeof TABLE_VERSION;
  /** Counts up with every edit that is pushed into the running service worker. */
  generation: number;
  /** Keyed by `bindingKey(worker, binding)`. */
  bindings: Record<string, Binding>;
  /** Addressed by index from bindings; one vpc config's networks never appear in another's bindings. */
  networks: Network[];
}

/** Key of a binding in the table, and its identity as a service's props. */
export function bindingKey(workerName: string, bindingName: string): string {
  return `${workerName}/${bindingName}`;
}

export type Binding = ServiceBinding | NetworkBinding | UnlinkedBinding;

interface BindingBase {
  workerName: string;
  bindingName: string;
  /** Path of the vpc config as shown to the user; where a missing line would go. */
  configFile: string;
  limits: Limits;
  /** Whether a line a request or connection is printed. */
  traffic: boolean;
}

/** What a call may take. Times in milliseconds; absent: no limit. */
export interface Limits {
  /** Until a connection is made, TLS handshake included; then `connection_timeout`. */
  connectTimeout: number;
  /** Until the target's name is resolved; then `dns_timeout`. */
  dnsTimeout: number;
  /** For a response to begin once the request is sent, and between two pieces of it; then `connection_read_timeout`. HTTP only. */
  readTimeout?: number;
  /** For the target to take the next piece of a request; then `connection_write_timeout`. HTTP only. */
  writeTimeout?: number;
  /** Connections in use to one target at once; one more is `connection_limit_reached`. */
  connectionLimit?: number;
  /** Calls of one binding; one more is `rate_limited`. */
  rateLimit?: RateLimit;
  /** Calls in flight to one `worker:` target, or unanswered by a port of this very session, before `proxy_loop_detected`. */
  workerLimit: number;
}

/** As Cloudflare's rate limiting binding has it. */
export interface RateLimit {
  /** Calls. */
  limit: number;
  /** Seconds. */
  period: number;
}

/** How the certificate of a target is checked where it is spoken to in TLS. */
export interface TlsPolicy {
  /** `verify_full`: chain and the URL's host; `verify_ca`: the chain only. */
  verify: "verify_full" | "verify_ca" | "disabled";
  /** Absolute paths of PEM files with roots to trust besides the usual ones. */
  ca: string[];
}

export interface ServiceBinding extends BindingBase {
  kind: "service";
  tls: TlsPolicy;
  serviceId: string;
  service: Service;
}

export interface NetworkBinding extends BindingBase {
  kind: "network";
  tls: TlsPolicy;
  /** A tunnel id or `cf1:network`. */
  networkId: string;
  /** Index into `RoutingTable.networks`. */
  network: number;
}

/** A binding that leads nowhere: everything on it is refused. */
export interface UnlinkedBinding extends BindingBase {
  kind: "unlinked";
  /** Absent: the vpc config has no entry for it. */
  because?: "made-remote" | "config-broken";
  bindingType: "vpc-service" | "vpc-network";
  /** The service_id, tunnel_id or network_id of the wrangler config. */
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
  /** Where it is here. Absent: the routes of its network decide. */
  target?: Target;
  /** Index into `RoutingTable.networks`; absent when the vpc config does not name that network. */
  network?: number;
  /** The record's tunnel id, for messages. */
  networkId?: string;
}

export interface Network {
  /** A tunnel id, `cf1:network`, or a binding's name. */
  networkId: string;
  /** `file:line:column` of its entry; empty for a `cf1:network` that is but the union of others. */
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
  /** `file:line:column`. */
  origin: string;
  /** Of the compose file it was made from; for people only. */
  composeService?: string;
}

export type RouteMatch =
  | { type: "name"; name: string }
  /** `*.suffix`: exactly one label in front of the suffix. */
  | { type: "wildcard"; suffix: string }
  /** An address in the normal form of `parseHost`, all bits behind `prefix` zero. */
  | { type: "cidr"; address: string; prefix: number };

export type Scheme = "http" | "https";

export const DEFAULT_PORT = { http: 80, https: 443 } as const;

export type Target =
  /** No port: the destination's port is kept. `scheme`: what this machine's copy speaks, when written. */
  | { type: "address"; host: string; port?: number; scheme?: Scheme }
  | { type: "unix"; path: string }
  /** `workerName`: as resolved against the session. */
  | { type: "worker"; workerName: string }
  /** `resolvers`: name servers to ask in place of this machine's, each an address or `address:port`. */
  | { type: "passthrough"; resolvers?: string[] }
  | { type: "deny"; code: ProxyErrorCode }
  /** A function of a `vpc.config.*`; it lives in the Node process under this id. */
  | { type: "function"; functionId: string };
