/**
 * The nouns: a vpc config that was understood, and the session it is linked with; and when two of their
 * keys are the same. Everything in a model is normalised; nothing checks it again.
 */

import type { Limits, Route, RouteMatch, Service, Target } from "../service-worker/table.ts";
import type { TlsSettings, VpcFunctionTarget } from "./config.ts";
import type { VpcDocument } from "./read/document.ts";
import type { Path } from "./read/locate.ts";

/** A Worker of the session, as the plugin sees it. */
export interface SessionWorker {
  workerName: string;
  /** The folder of its wrangler config. Undefined: the working directory. */
  rootPath: string | undefined;
  bindings: VpcBinding[];
}

export interface VpcBinding {
  bindingName: string;
  bindingType: "vpc-service" | "vpc-network";
  /** The service_id, tunnel_id or network_id of the wrangler config. */
  id: string;
}

/** The network that is the union of all others. */
export const MESH_ID = "cf1:network";

export interface VpcModel {
  document: VpcDocument;
  /** False: the file could not be read; what it lacks is no finding. */
  isReadable: boolean;
  /** By `entryKey`, in file order; likewise `networks`. */
  services: Map<string, Entry<ServiceModel>>;
  networks: Map<string, Entry<NetworkModel>>;
  settings: Settings;
}

export type Entry<T> =
  | (T & { kind: "entry"; at: Path })
  /** Left to wrangler's remote bindings. */
  | { kind: "remote"; at: Path }
  /** Mistaken and reported; its binding counts as mentioned. */
  | { kind: "broken"; at: Path };

/** What the config says for one entry alone. */
export interface PolicyModel {
  /** Absolute paths. */
  ca: string[];
  tlsMode: TlsSettings["cert_verification_mode"];
  limits: Partial<Limits>;
  /** Each an address or `address:port`, for `passthrough`. */
  resolvers: string[];
}

export interface ServiceModel extends PolicyModel {
  service: Omit<Service, "origin" | "target" | "network">;
  target?: ModelTarget;
}

export interface NetworkModel extends PolicyModel {
  networkId: string;
  routes: RouteModel[];
  /** Compose files that stand for further routes, as absolute paths, and where each is named. */
  compose: { file: string; at: Path }[];
}

export interface RouteModel extends Omit<Route, "target" | "origin"> {
  target: ModelTarget;
  at: Path;
  /** Where it stands if that is another file; `at` is then what names that file. */
  origin?: string;
}

/** A target whose Worker is not looked up and whose function is not registered. */
export type ModelTarget = (Exclude<Target, { type: "function" }> | { type: "function"; call: VpcFunctionTarget }) & {
  at: Path;
};

export interface Settings {
  /** Absolute paths. */
  ca: string[];
  limits: Limits;
  traffic: boolean;
}

export const DEFAULT_SETTINGS: Settings = {
  ca: [],
  limits: { connectTimeout: 5000, dnsTimeout: 5000, workerLimit: 256 },
  traffic: true,
};

export const UUID: RegExp = /^[\da-fA-F]{8}-[\da-fA-F]{4}-[\da-fA-F]{4}-[\da-fA-F]{4}-[\da-fA-F]{12}$/;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The form in which entries and ids are compared: uuids in lower case. */
export function entryKey(key: string): string {
  return isUuid(key) ? key.toLowerCase() : key;
}

/** Equal for destinations that differ in ports only. */
export function matchKey(match: RouteMatch): string {
  switch (match.type) {
    case "name":
      return match.name;
    case "wildcard":
      return `*.${match.suffix}`;
    case "cidr":
      return `${match.address}/${match.prefix}`;
    default:
      return match satisfies never;
  }
}
