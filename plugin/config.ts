/**
 * The vpc config as a user writes it: what `vpc.jsonc`, `vpc.toml` and `vpc.config.ts` may hold.
 * Types and `defineVpcConfig` only; `config-schema.ts` is checked against them at compile time.
 */

import type { Duplex } from "node:stream";

import type { ProxyErrorCode } from "../service-worker/proxy-error.ts";

/** The private side of a Worker's VPC bindings, as it looks on this machine. Its limits are for every binding. */
export interface VpcConfig extends VpcLimits {
  /** For editors; ignored. */
  $schema?: string;
  /** Keyed by a `service_id` or a binding's name; a `service_id` wins. */
  services?: Record<string, VpcTarget | TargetEntry | ServiceEntry>;
  /** Keyed by a `tunnel_id`, a `network_id` or a binding's name; an id wins. */
  networks?: Record<string, "remote" | NetworkEntry>;
  /** PEM files of further trusted roots for every binding, relative to this file. */
  ca?: string[];
  /** Whether each request or connection prints a line. Default: true. */
  traffic?: boolean;
}

/**
 * What a call may take. Of limits at the top, in the network's entry that routes a service, and in the service's own
 * entry, the last one counts. Times are milliseconds, at most 300000 (five minutes).
 */
export interface VpcLimits {
  /** Milliseconds until a connection attempt, TLS handshake included, counts as `connection_timeout`. Default: 5000. */
  connectTimeout?: number;
  /** Milliseconds until a name that is not resolved counts as `dns_timeout`. Default: 5000. */
  dnsTimeout?: number;
  /** Milliseconds for a response to begin, and between two pieces of it, before `connection_read_timeout`. `fetch` only. Default: none. */
  readTimeout?: number;
  /** Milliseconds for the target to take the next piece of a request before `connection_write_timeout`. `fetch` only. Default: none. */
  writeTimeout?: number;
  /** Connections in use to one target at once; one more is `connection_limit_reached`. Default: none. */
  connectionLimit?: number;
  /** Calls of one binding in a period; one more is `rate_limited`. Default: none. */
  rateLimit?: VpcRateLimit;
  /** Calls in flight to one `worker:` target, or to a port of this session, before `proxy_loop_detected`. Default: 256. */
  workerLimit?: number;
}

/** As Cloudflare's rate limiting binding has it. */
export interface VpcRateLimit {
  /** Calls in one period. */
  limit: number;
  /** Seconds, at most 3600. Default: 60. */
  period?: number;
}

/**
 * Where a destination is on this machine.
 *
 * As text: `host:port`, `[v6]:port`, `host` (port kept), `unix:path`, `http://host:port`, `https://host:port`,
 * `worker:NAME` (a Worker of the session) or `passthrough` (dial the real destination). As a service's whole
 * entry also `remote`: leave the binding to wrangler's remote bindings.
 */
export type VpcTarget = string | VpcDeny | VpcFunctionTarget;

/** Refuses with an error code, as a gateway policy would. */
export interface VpcDeny {
  deny: ProxyErrorCode;
}

/** Answers in place of the origin; runs in the Node process. `vpc.config.*` only. */
export type VpcFunction = (request: Request) => Response | Promise<Response>;

/** A function for HTTP, or an object that plays HTTP, TCP or both. */
export type VpcFunctionTarget = VpcFunction | VpcFunctions;

export interface VpcFunctions {
  fetch?: VpcFunction;
  /** Plays the origin's end of a TCP connection. */
  connect?: (socket: Duplex) => void;
}

/** A service that is just a target, with settings of its own. */
export interface TargetEntry extends VpcLimits {
  /** For people. */
  name?: string;
  target: VpcTarget;
  tls_settings?: TlsSettings | null;
  /** PEM files of further trusted roots for this service, relative to this file. */
  ca?: string[];
}

/**
 * A VPC Service as the connectivity directory API answers it, pastable as it is; plus `target`, `ca` and limits.
 * Fields the API may answer as null may be null here.
 */
export interface ServiceEntry extends VpcLimits {
  name: string;
  type: "http" | "tcp";
  host: ServiceHost;
  /** Port for `http:` URLs. One of the two ports given: only that scheme is allowed; none: 80 and 443. */
  http_port?: number | null;
  /** Port for `https:` URLs. */
  https_port?: number | null;
  /** Required for type `tcp`, unless the hostname carries `:port`. */
  tcp_port?: number | null;
  /** For type `tcp`; metadata. */
  app_protocol?: "postgresql" | "mysql" | null;
  tls_settings?: TlsSettings | null;
  /** Read-only in the API; accepted so that an answer can be pasted. */
  service_id?: string;
  /** Read-only in the API; ignored. */
  created_at?: string;
  /** Read-only in the API; ignored. */
  updated_at?: string;
  /** PEM files of further trusted roots for this service, relative to this file. */
  ca?: string[];
  /** Where the service is here. Without it, the routes of its network decide. */
  target?: VpcTarget;
}

/**
 * Exactly one of: `ipv4` and `network`; `ipv6` and `network`; `ipv4`, `ipv6` and `network`; `hostname` and
 * `resolver_network`.
 */
export interface ServiceHost {
  ipv4?: string | null;
  ipv6?: string | null;
  hostname?: string | null;
  network?: { tunnel_id: string } | null;
  resolver_network?: { tunnel_id: string; resolver_ips?: string[] | null } | null;
}

export interface TlsSettings {
  /** Default: `verify_full`. `verify_ca` checks the chain but not the host name. */
  cert_verification_mode: "verify_full" | "verify_ca" | "disabled";
}

export interface NetworkEntry extends VpcLimits {
  /** For people. */
  name?: string;
  /** PEM files of further trusted roots for this network, relative to this file. */
  ca?: string[];
  /** How certificates are checked under an `https:` URL. */
  tls_settings?: TlsSettings | null;
  /** Name servers that `passthrough` asks in place of this machine's: IP addresses, in a network's entry also with a port. */
  resolver_ips?: string[];
  /**
   * Docker Compose file, relative to this file, or several in the order of `docker compose -f`. Each name and address of a
   * service leads to the ports that the service publishes. Routes of `routes` win.
   */
  compose?: string | string[];
  /**
   * Destination → target. A destination is a host name, `*.` and a host name (one label), an IP address or a CIDR,
   * each with an optional `:port` or `:from-to`; IPv6 in brackets when it has a port.
   */
  routes?: Record<string, VpcTarget>;
}

/** Gives a `vpc.config.ts` its types; returns its argument. */
export function defineVpcConfig(config: VpcConfig): VpcConfig {
  return config;
}
