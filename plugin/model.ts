/**
 * The types of a parsed vpc config and of the session that it is linked with, and the rule for equal keys.
 * Everything in a model is normalised; nothing checks it again.
 */

import type { Fault } from "../service-worker/routing/fault.ts";
import type { Limits, Route, Service, Target, TlsPolicy } from "../service-worker/routing/table.ts";
import type { ComposeEntry, TlsSettings, VpcFunctionTarget, VpcHar } from "./config.ts";
import type { VpcDocument } from "./read/document.ts";
import type { Path } from "./read/locate.ts";
import type { PlainAnswer } from "./scenario/answer.ts";
import type { CallPattern } from "./scenario/call.ts";
import type { UiSetting } from "./ui/ui-choice.ts";

/** A Worker of the session, as the plugin sees it. */
export interface SessionWorker {
  workerName: string;
  /** Its name in its own wrangler config, if a host runs it inside a Worker with another name. */
  ownName?: string | undefined;
  /** The folder of its wrangler config. Undefined: the working directory. */
  rootPath: string | undefined;
  bindings: VpcBinding[];
}

/** What the user calls it. */
export function shownName({ workerName, ownName = workerName }: SessionWorker): string {
  return ownName;
}

export interface VpcBinding {
  bindingName: string;
  bindingType: "vpc-service" | "vpc-network" | "hyperdrive";
  /** The service_id, tunnel_id, network_id or Hyperdrive id of the wrangler config. */
  id: string;
  /** A Hyperdrive binding's own connection string wins over the vpc config. Says where that is; absent if it has none. */
  ownString?: string;
}

export interface VpcModel {
  document: VpcDocument;
  /** False: the file could not be read, so a missing entry must not be reported. */
  isReadable: boolean;
  /** Absolute paths of all files that a "ca", a certificate or a stand-in names, including those that don't exist. */
  namedFiles: ReadonlySet<string>;
  /** Keyed by `entryKey`, in file order. The same is true for `networks` and `hyperdrives`. */
  services: Map<string, Entry<ServiceModel>>;
  networks: Map<string, Entry<NetworkModel>>;
  hyperdrives: Map<string, Entry<HyperdriveModel>>;
  /** Entries of "certificates" that no record names. */
  unusedCertificates: Path[];
  settings: Settings;
}

export type Entry<T> =
  | (T & { kind: "entry"; at: Path })
  /** Left to wrangler's remote bindings. */
  | { kind: "remote"; at: Path }
  /** Has a mistake, which is reported; its binding isn't reported as missing. */
  | { kind: "broken"; at: Path };

/** The settings of a single entry. */
export interface PolicyModel {
  /** Absolute paths. */
  ca: string[];
  tlsMode: TlsSettings["cert_verification_mode"];
  limits: Partial<Limits>;
  /** Name servers for `passthrough`: each is an address or `address:port`. */
  resolvers: string[];
}

/** An entry of "certificates". Files are absolute paths. */
export type CertificateModel = { at: Path } & (
  | ({ kind: "client" } & NonNullable<TlsPolicy["client"]>)
  | { kind: "authority"; file: string }
  /** Has a mistake, which is reported. */
  | { kind: "broken" }
);

/** The certificates of a record, as far as they are known on this machine. */
export type RecordCertificates = Pick<TlsPolicy, "authority" | "client" | "missing">;

export interface ServiceModel extends PolicyModel {
  certificates: RecordCertificates;
  service: Omit<Service, "origin" | "target" | "network">;
  faults: Fault[];
  target?: ModelTarget;
  appProtocol?: HyperdriveModel["scheme"];
}

/** A database and who logs in there, as a Hyperdrive binding shows them to its Worker. */
export interface DatabaseLogin {
  scheme: "postgresql" | "mysql";
  database: string;
  user: string;
  password: string;
}

export interface HyperdriveModel extends Omit<DatabaseLogin, "password"> {
  /** `entryKey` of its service, which exists. */
  serviceKey: string;
  /** Undefined: the variable is not set. */
  password: string | undefined;
  /** The variable that has the password. */
  passwordEnv: string | undefined;
}

export interface NetworkModel extends PolicyModel {
  networkId: string;
  routes: RouteModel[];
  /** Compose files that add routes, as absolute paths, and where the config names each of them. */
  compose: { file: string; at: Path }[];
  /** How their services are reached. */
  composeFrom: NonNullable<ComposeEntry["from"]>;
}

export interface RouteModel extends Omit<Route, "target" | "origin"> {
  target: ModelTarget;
  at: Path;
  /** The route's place if it is in another file; `at` is then where the config names that file. */
  origin?: string;
}

/** A target whose Worker is not looked up yet, and whose function or stand-in is not registered yet. */
export type ModelTarget = (
  | Exclude<Target, { type: "function" | "stand-in" }>
  | { type: "function"; call: VpcFunctionTarget }
  | { type: "stand-in"; standIn: StandInModel; text: string }
) & { at: Path };

/** What answers in place of a service. Files are absolute paths. It is made anew if its JSON changes. */
export type StandInModel = RespondModel | OpenapiModel | HarModel;

/** The first answer whose call matches is given. */
export interface RespondModel {
  type: "respond";
  answers: readonly { call: CallPattern; answer: PlainAnswer }[];
}

export interface OpenapiModel {
  type: "openapi";
  file: string;
}

/** Members that the config doesn't set are absent. */
export interface HarModel extends Omit<VpcHar, "har" | "target"> {
  type: "har";
  file: string;
  /** What it records, or what answers if it has no answer. */
  target?: ModelTarget;
}

export interface Settings {
  /** Absolute paths. */
  ca: string[];
  /** Absent: roots of this machine are trusted, too. */
  trust?: TlsPolicy["trust"];
  limits: Limits;
  traffic: boolean;
  /** Of the random faults. */
  seed?: number;
  ui?: UiSetting;
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

/** Normalises a key or an id for comparison: uuids become lower case. */
export function entryKey(key: string): string {
  return isUuid(key) ? key.toLowerCase() : key;
}
