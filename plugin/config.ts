/**
 * The vpc config as a user writes it in `vpc.jsonc`, `vpc.toml` or `vpc.config.ts`.
 * Holds only types and `defineVpcConfig`; the compiler checks `config-schema.ts` against these types.
 */

import type { Duplex } from "node:stream";

import type { ProxyErrorCode } from "../service-worker/routing/error-codes.ts";

/** The private networks behind a Worker's VPC bindings, as they are on this machine. Its limits apply to every binding. */
export interface VpcConfig extends VpcLimits {
  /** Only for editors. */
  $schema?: string;
  /** Keyed by a `service_id` or a binding's name; a `service_id` wins. */
  services?: Record<string, VpcTarget | TargetEntry | ServiceEntry>;
  /** Keyed by a `tunnel_id`, a `network_id` or a binding's name; an id wins. */
  networks?: Record<string, "remote" | NetworkEntry>;
  /** Keyed by the `id` of a Hyperdrive binding or its name; an `id` wins. */
  hyperdrive?: Record<string, HyperdriveEntry>;
  /** PEM files with additional trusted roots for every binding, relative to this file. */
  ca?: string[];
  /** The certificates that records name by their ids: what each of them is on this machine. Keyed by id. */
  certificates?: Record<string, VpcClientCertificate | VpcCertificateAuthority>;
  /**
   * Which roots may vouch for a target. `production`: only public CAs and the Cloudflare Origin CA, or a record's own
   * authority; no "ca", nothing of this machine. Default: `local`.
   */
  trust?: "local" | "production";
  /** Whether each request or connection prints a line. Default: true. */
  traffic?: boolean;
  /**
   * Whether a session has a page in the browser that shows its traffic, or on which port. Default: only with
   * `miniflare-vpc dev`, on any free port.
   */
  ui?: boolean | { port: number };
  /** Whole number that the random faults are drawn from: the same seed gives the same run. Default: 1. */
  seed?: number;
}

/**
 * Limits of a call. A limit of a route overrides one in a service's own entry, which overrides one in the entry of the
 * network that routes the service, which overrides one at the top. Times are milliseconds, at most 300000 (five minutes).
 */
export interface VpcLimits {
  /** Milliseconds until a connection attempt, including the TLS handshake, fails with `connection_timeout`. Default: 5000. */
  connectTimeout?: number;
  /** Milliseconds until a name lookup fails with `dns_timeout`. Default: 5000. */
  dnsTimeout?: number;
  /** Milliseconds to wait for a response, and for each next piece of it, before `connection_read_timeout`. Only for `fetch`. Default: none. */
  readTimeout?: number;
  /** Milliseconds to wait until the target takes the next piece of a request, before `connection_write_timeout`. Only for `fetch`. Default: none. */
  writeTimeout?: number;
  /** Maximum number of connections in use to one target; one more fails with `connection_limit_reached`. Default: none. */
  connectionLimit?: number;
  /** Maximum number of calls of one binding in a period; one more fails with `rate_limited`. Default: none. */
  rateLimit?: VpcRateLimit;
  /** Maximum number of calls in flight to one `worker:` target, or to a port of this session; one more fails with `proxy_loop_detected`. Default: 256. */
  workerLimit?: number;
}

/** Has the same fields as Cloudflare's rate limiting binding. */
export interface VpcRateLimit {
  /** Maximum number of calls in one period. */
  limit: number;
  /** Seconds, at most 3600. Default: 60. */
  period?: number;
}

/**
 * Where a destination is on this machine.
 *
 * A string is `host:port`, `[v6]:port`, `host` (keeps the port), `unix:path`, `http://host:port`, `https://host:port`,
 * `worker:NAME` (a Worker of the session), `passthrough` (connects to the real destination), `openapi:FILE` (answers as an
 * OpenAPI document says) or `har:FILE` (answers as a recording says). The whole entry of a service can also be `remote`, which leaves the binding to wrangler's remote bindings.
 */
export type VpcTarget = string | VpcDeny | VpcRespond | VpcHar | VpcFunctionTarget;

/** Refuses with an error code, as a gateway policy would. */
export interface VpcDeny {
  deny: ProxyErrorCode;
}

/** Answers in place of the service. */
export interface VpcRespond {
  /** One answer to every request, or a list: the first one whose `when` matches is given. A request that none matches is refused. */
  respond: VpcAnswer | VpcAnswerWhen[];
}

/** An answer, with at most one of `json`, `text`, `bytes` and `file`. `{id}` in a text is the path's parameter `:id`. */
export interface VpcAnswer {
  /** 200 to 599. Default: 200. */
  status?: number;
  /** A list stands for several fields of one name. Default: a `content-type` that fits the body. */
  headers?: Record<string, string | string[]>;
  /** The body, as JSON. */
  json?: unknown;
  /** The body. */
  text?: string;
  /** The body, as base64. */
  bytes?: string;
  /** The file with the body, relative to this file. It is read for each answer. */
  file?: string;
  /** Milliseconds to wait before the answer. Default: 0. */
  delay?: number;
}

/** An answer to some requests. */
export interface VpcAnswerWhen extends VpcAnswer {
  /** The requests: `"GET /users/:id"`, `"/users/*"`, or the parts that matter. Default: all. */
  when?: string | VpcRequestParts;
}

/** Only the parts that are named need to match. */
export interface VpcRequestParts {
  /** The method. */
  method?: string;
  /** A URLPattern pathname; the query is not part of it. */
  path?: string;
  /** Query parameters. */
  query?: Record<string, VpcText>;
  /** Header fields, in any case. */
  headers?: Record<string, VpcText>;
  /** The whole body. */
  body?: VpcText;
  /** The body as JSON; other fields of objects are ignored. */
  json?: unknown;
}

/** A text that must be equal, or an expression that is searched for: a RegExp, or in JSON `{ "regexp": "^a", "flags": "i" }`. */
export type VpcText = string | RegExp | VpcRegExp;

/** A regular expression as JSON. */
export interface VpcRegExp {
  /** Its source. */
  regexp: string;
  /** Default: none. */
  flags?: string;
}

/** Answers with what was recorded, in Playwright's words. */
export interface VpcHar {
  /** The HAR 1.2 file, relative to this file. */
  har: string;
  /** What is recorded, and what answers with `"notFound": "fallback"`. */
  target?: string | VpcFunctionTarget;
  /** Whether to record from the target. Default: false. */
  update?: boolean;
  /** What happens to a request that was not recorded. Default: `abort`, which refuses it. */
  notFound?: "abort" | "fallback";
  /** Whether bodies are recorded inside the file or beside it. */
  updateContent?: "embed" | "attach";
  /** Whether only what a replay needs is recorded, or everything. */
  updateMode?: "minimal" | "full";
  /** What a request is compared by, besides method, URL and body. */
  match?: VpcHarMatch;
  /** Header fields, query parameters and JSON fields whose values are not recorded. */
  redact?: string[];
}

/** What a request is compared by. */
export interface VpcHarMatch {
  /** Header fields that must be equal, too. */
  headers?: string[];
  /** Header fields, query parameters and JSON fields that may differ. */
  ignore?: string[];
}

/** Answers instead of the origin, and runs in the Node process. Only in `vpc.config.*`. */
export type VpcFunction = (request: Request) => Response | Promise<Response>;

/** A function that answers HTTP, or an object that answers HTTP, TCP or both. */
export type VpcFunctionTarget = VpcFunction | VpcFunctions;

export interface VpcFunctions {
  fetch?: VpcFunction;
  /** Acts as the origin's end of a TCP connection. */
  connect?: (socket: Duplex) => void;
}

/** A service that is just a target, with its own settings. */
export interface TargetEntry extends VpcLimits {
  /** For people to read. */
  name?: string;
  /** Where the service is on this machine. */
  target: VpcTarget;
  tls_settings?: ServiceTlsSettings | null;
  /** PEM files with additional trusted roots for this service, relative to this file. */
  ca?: string[];
  /** How every call of this service fails or slows down. */
  faults?: VpcFault[];
}

/**
 * A VPC Service as the connectivity directory API returns it, ready to be pasted, plus `target`, `ca`, `faults` and limits.
 * Fields that the API can return as null can be null here.
 */
export interface ServiceEntry extends VpcLimits {
  name: string;
  type: "http" | "tcp";
  host: ServiceHost;
  /** Port for `http:` URLs. If only one of the two ports is given, only its scheme is allowed. Defaults: 80 and 443. */
  http_port?: number | null;
  /** Port for `https:` URLs. */
  https_port?: number | null;
  /** Required for type `tcp`, unless the hostname carries `:port`. */
  tcp_port?: number | null;
  /** Only for type `tcp`; metadata. */
  app_protocol?: "postgresql" | "mysql" | null;
  tls_settings?: ServiceTlsSettings | null;
  /** Read-only in the API; accepted so that a response can be pasted. */
  service_id?: string;
  /** Read-only in the API; ignored. */
  created_at?: string;
  /** Read-only in the API; ignored. */
  updated_at?: string;
  /** PEM files with additional trusted roots for this service, relative to this file. */
  ca?: string[];
  /** How every call of this service fails or slows down, in addition to the faults of the route that it takes. */
  faults?: VpcFault[];
  /** Where the service is on this machine. Without it, the routes of its network decide. */
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

/** The TLS settings in the record of a VPC Service. `certificates` says what the ids are on this machine. */
export interface ServiceTlsSettings extends TlsSettings {
  /** Id of an uploaded certificate authority. It takes the place of the public roots. */
  certificate_authority?: string | null;
  /** Id of an uploaded client certificate. It is presented to a target that asks for one. */
  client_certificate?: string | null;
}

/** A client certificate, and its private key. */
export interface VpcClientCertificate {
  /** PEM file with the certificate and then any intermediate ones, relative to this file. */
  cert: string;
  /** PEM file with the private key, without a passphrase, relative to this file. */
  key: string;
}

/** A certificate authority. */
export interface VpcCertificateAuthority {
  /** PEM file with its roots, relative to this file. */
  ca: string;
}

/**
 * A route with its own settings, around its target. They override those of the service or network that the call is made
 * on. `rateLimit` is not among them, because it counts the calls of a binding.
 */
export interface RouteEntry extends Omit<VpcLimits, "rateLimit"> {
  /** Where the destination is on this machine. */
  target: VpcTarget;
  /** How the certificates of `https:` URLs are checked. */
  tls_settings?: TlsSettings | null;
  /** PEM files with additional trusted roots for this route, relative to this file. */
  ca?: string[];
  /** How the calls that take this route fail or slow down. */
  faults?: VpcFault[];
}

export interface ComposeEntry {
  /** Docker Compose file, relative to this file, or several in the order of `docker compose -f`. */
  files: string | string[];
  /**
   * How this process reaches the services: `host`, by the ports that they publish on this machine; `network`, by their names,
   * as another container of their network does. Default: `auto`, which is `network` for a service whose name resolves if
   * this process is in a container.
   */
  from?: "host" | "network" | "auto";
}

export interface NetworkEntry extends VpcLimits {
  /** For people to read. */
  name?: string;
  /** PEM files with additional trusted roots for this network, relative to this file. */
  ca?: string[];
  /** How the certificates of `https:` URLs are checked. */
  tls_settings?: TlsSettings | null;
  /** Name servers that `passthrough` asks instead of this machine's: IP addresses, which can have a port in a network's entry. */
  resolver_ips?: string[];
  /**
   * Docker Compose file, relative to this file, or several in the order of `docker compose -f`. Each name and address of a
   * service leads to the ports that the service publishes. Routes in `routes` win. An object also says where from.
   */
  compose?: string | string[] | ComposeEntry;
  /**
   * Destination → target, or an object with the target and its own settings. A destination is a host name, `*.` and a host name (one label), an IP address, a CIDR,
   * or `*` for what no other route holds, each with an optional `:port` or `:from-to`. IPv6 needs brackets if it has a port.
   */
  routes?: Record<string, VpcTarget | RouteEntry>;
}

/** The database that a Hyperdrive binding leads to on this machine: one behind a VPC Service of type `tcp`. */
export interface HyperdriveEntry {
  /** A key of `services`. That service needs no binding of its own. */
  service: string;
  /** Its name on the server. */
  database: string;
  user: string;
  /** Of this machine's copy. Write either this or `passwordEnv`. */
  password?: string;
  /** The environment variable that has the password. Best set for the process: wrangler makes a variable of a `.env` file a binding of the Worker, too. */
  passwordEnv?: string;
  /** `postgres` is `postgresql`. Default: the `app_protocol` of the service, or else `postgresql`. */
  scheme?: "postgresql" | "postgres" | "mysql";
}

/** A fault of the network, in the words of Toxiproxy. `http_status` and `truncate` act on `fetch` only. */
export type VpcFault =
  | (VpcFaultOf<"latency"> & { attributes?: VpcLatency })
  | (VpcFaultOf<"bandwidth"> & { attributes: VpcBandwidth })
  | (VpcFaultOf<"slow_close"> & { attributes?: VpcSlowClose })
  | (VpcFaultOf<"timeout" | "reset_peer"> & { attributes?: VpcFaultTimeout })
  | (VpcFaultOf<"slicer"> & { attributes: VpcSlicer })
  | (VpcFaultOf<"limit_data" | "truncate"> & { attributes: VpcByteLimit })
  | (VpcFaultOf<"down"> & { attributes?: Record<string, never> })
  | (VpcFaultOf<"http_status"> & { attributes: VpcHttpStatus })
  | (VpcFaultOf<"failure"> & { attributes: VpcFailure });

/** What all faults have. */
export interface VpcFaultOf<Type extends string> {
  /** For people to read. */
  name?: string;
  /** What goes wrong. */
  type: Type;
  /** The bytes that it acts on: those to the target (`upstream`) or those from it. Default: `downstream`. */
  stream?: "upstream" | "downstream";
  /** The share of requests and connections that it hits, 0 to 1. Default: 1. */
  toxicity?: number;
  /** How much of it. */
  attributes?: object;
}

/** Delays all bytes. */
export interface VpcLatency {
  /** Milliseconds. Default: 0. */
  latency?: number;
  /** Milliseconds by which each delay is longer or shorter, at random. Default: 0. */
  jitter?: number;
}

/** Lets only so many bytes through. */
export interface VpcBandwidth {
  /** Kilobytes (1000 bytes) per second. */
  rate: number;
}

/** Delays the end of the stream. */
export interface VpcSlowClose {
  /** Milliseconds. Default: 0. */
  delay?: number;
}

/** When `timeout`, which drops all bytes, closes the connection, or `reset_peer` resets it. */
export interface VpcFaultTimeout {
  /** Milliseconds. For `timeout`, 0 means never. Default: 0. */
  timeout?: number;
}

/** Cuts the bytes into small pieces. */
export interface VpcSlicer {
  /** Bytes of a piece. */
  average_size: number;
  /** Bytes by which a piece is larger or smaller, at random; less than the average. Default: 0. */
  size_variation?: number;
  /** Microseconds between two pieces. Default: 0. */
  delay?: number;
}

/** After how many bytes `limit_data` closes the connection, or `truncate` breaks off the body of a response. */
export interface VpcByteLimit {
  /** Bytes that get through. */
  bytes: number;
}

/** Answers in place of the target. */
export interface VpcHttpStatus {
  /** From 200 to 599. */
  status: number;
}

/** Fails in place of the target. */
export interface VpcFailure {
  /** The error code that the Worker gets. */
  code: ProxyErrorCode;
}

/** Returns its argument; gives a `vpc.config.ts` its types. */
export function defineVpcConfig(config: VpcConfig): VpcConfig {
  return config;
}
