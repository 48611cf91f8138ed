/**
 * What workerd is told to run, as plain objects. Only what can lead from one place to another is
 * kept: source text, limits and secrets are not.
 */

export interface Config {
  services: Service[];
  sockets: Socket[];
  extensions: ExtensionModule[];
}

export type Service = { name: string } & (
  | { kind: "worker"; worker: Worker }
  | { kind: "network"; allow: string[]; deny: string[] }
  | { kind: "external"; address: string; protocol: "http" | "https" | "tcp" }
  | { kind: "disk"; path: string; writable: boolean }
  | { kind: "bucket"; path: string }
  | { kind: "assets"; path: string; userWorker: Designator | undefined }
);

/** A handle on a service, as its holder has it. */
export interface Designator {
  service: string;
  /** Absent: the default one. */
  entrypoint?: string;
  /** Absent: none were given. */
  props?: unknown;
}

export interface Worker {
  format: "modules" | "service-worker" | "inherited";
  /** The service whose code and bindings this one takes over; only with `inherited`. */
  inherits?: string;
  bindings: Binding[];
  globalOutbound: Designator;
  cacheApiOutbound: Designator | undefined;
  tails: Designator[];
  streamingTails: Designator[];
  accessBindingService: Designator | undefined;
  workflowEngine: Designator | undefined;
  workflows: { workflow: string; target: Designator }[];
  /** Class names. */
  durableObjects: string[];
  /** Name of the disk service that keeps what Durable Objects store. */
  durableObjectDisk: string | undefined;
}

/** Kinds are named as the schema's union members. */
export type Binding = { name: string } & (
  | { kind: DesignatedKind; target: Designator }
  | { kind: "durableObjectNamespace"; className: string; service?: string }
  | { kind: "wrapped"; moduleName: string; entrypoint: string; inner: Binding[] }
  /** Reaches every service of every workerd whose debug port it is told. */
  | { kind: "workerdDebugPort" }
  | { kind: PlainKind }
);

export type DesignatedKind =
  | "service"
  | "durableObjectClass"
  | "kvNamespace"
  | "r2Bucket"
  | "queue"
  | "analyticsEngine"
  | "hyperdrive";

/** Values and facilities: nothing behind them is a service. */
export type PlainKind =
  | "parameter"
  | "text"
  | "data"
  | "json"
  | "wasmModule"
  | "cryptoKey"
  | "fromEnvironment"
  | "unsafeEval"
  | "memoryCache"
  | "workerLoader";

export interface Socket {
  name: string;
  /** Empty: given on workerd's command line. */
  address: string;
  target: Designator;
}

export interface ExtensionModule {
  name: string;
  /** Whether only other extension modules may import it. */
  internal: boolean;
}
