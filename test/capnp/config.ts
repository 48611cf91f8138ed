/**
 * workerd's config, as plain objects. Contains only what leads from one service to another, without source text, limits
 * and secrets.
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

/** A holder's handle on a service. */
export interface Designator {
  service: string;
  /** Absent for the default entrypoint. */
  entrypoint?: string;
  /** Absent if there are none. */
  props?: unknown;
}

export interface Worker {
  format: "modules" | "service-worker" | "inherited";
  /** The service whose code and bindings this one inherits. Only with `inherited`. */
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
  /** The name of the disk service for the storage of Durable Objects. */
  durableObjectDisk: string | undefined;
}

/** The kinds have the names of the schema's union members. */
export type Binding = { name: string } & (
  | { kind: DesignatedKind; target: Designator }
  | { kind: "durableObjectNamespace"; className: string; service?: string }
  | { kind: "wrapped"; moduleName: string; entrypoint: string; inner: Binding[] }
  /** Reaches every service of every workerd whose debug port it knows. */
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

/** Values and features without a service behind them. */
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
  /** Empty if workerd's command line sets it. */
  address: string;
  target: Designator;
}

export interface ExtensionModule {
  name: string;
  /** Whether only other extension modules may import it. */
  internal: boolean;
}
