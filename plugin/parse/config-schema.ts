/**
 * The shape of the vpc config: its fields, their types and ranges. Rules about more than one field are in the
 * parsers. Each message says what the value must be.
 */

import * as v from "valibot";

import { PROXY_ERROR_CODES } from "../../service-worker/routing/error-codes.ts";
import type {
  HyperdriveEntry,
  NetworkEntry,
  RouteEntry,
  ServiceEntry,
  TargetEntry,
  VpcCertificateAuthority,
  VpcClientCertificate,
  VpcConfig,
  VpcHar,
} from "../config.ts";
import { UUID } from "../model.ts";
import { isPlainObject } from "../read/document.ts";
import { FAULT_EXAMPLE } from "../scenario/faults/fault.ts";
import { faultList, faults } from "./fault-schema.ts";
import { MAX_PORT } from "./port-ranges.ts";
import { respond, vpcFunction, vpcFunctions } from "./respond-schema.ts";

/** Five minutes, in milliseconds. */
const MAX_TIMEOUT = 300_000;
/** Seconds. */
const MAX_PERIOD = 3600;

/** The schema of each field of `T`. Optional fields are `exactOptional`, nested objects are `strictObject`. */
export type FieldsOf<T> = { readonly [K in keyof T]-?: v.GenericSchema<T[K]> };

const text = v.string("a string");
const nonEmpty = v.pipe(text, v.nonEmpty("a string that is not empty"));
const uuid = v.pipe(v.string("a uuid"), v.regex(UUID, "a uuid"));
const port = wholeNumber({ from: 1, to: MAX_PORT });
const flag = v.boolean("true or false");

const names = v.exactOptional(v.array(v.string("a name"), "an array of names"));

/** All but the target, which `parseHar` checks. */
const harShape = {
  har: v.pipe(v.string("the name of a HAR file"), v.nonEmpty("the name of a HAR file")),
  update: v.exactOptional(v.boolean("true or false")),
  notFound: v.exactOptional(v.picklist(["abort", "fallback"], '"abort" or "fallback"')),
  updateContent: v.exactOptional(v.picklist(["embed", "attach"], '"embed" or "attach"')),
  updateMode: v.exactOptional(v.picklist(["minimal", "full"], '"minimal" or "full"')),
  match: v.exactOptional(v.strictObject({ headers: names, ignore: names }, "an object")),
  redact: names,
};

const har = v.strictObject({
  ...harShape,
  target: v.exactOptional(v.union([v.string(), vpcFunction, vpcFunctions])),
});

const target = v.union([
  text,
  v.strictObject({ deny: v.picklist(PROXY_ERROR_CODES) }),
  respond,
  har,
  vpcFunction,
  vpcFunctions,
]);

const tlsShape = {
  cert_verification_mode: v.picklist(
    ["verify_full", "verify_ca", "disabled"],
    '"verify_full", "verify_ca" or "disabled"',
  ),
};
const tlsSettings = v.exactOptional(v.nullable(v.strictObject(tlsShape, "an object")));
const certificateId = v.exactOptional(v.nullable(uuid));
const serviceTlsSettings = v.exactOptional(
  v.nullable(
    v.strictObject(
      { ...tlsShape, certificate_authority: certificateId, client_certificate: certificateId },
      "an object",
    ),
  ),
);

const ca = v.array(nonEmpty, "an array of file names");
const pemFile = v.pipe(v.string("the name of a PEM file"), v.nonEmpty("the name of a PEM file"));
const clientShape = { cert: pemFile, key: pemFile };
const authorityShape = { ca: pemFile };
const composeFile = v.pipe(v.string("the name of a compose file"), v.nonEmpty("the name of a compose file"));
const composeFiles = v.union([composeFile, v.array(composeFile)], "the name of a compose file, or an array of them");
const compose = v.union(
  [
    composeFile,
    v.array(composeFile),
    v.strictObject({
      files: composeFiles,
      from: v.exactOptional(v.picklist(["host", "network", "auto"], '"host", "network" or "auto"')),
    }),
  ],
  "the name of a compose file, or an array of them",
);

const timeout = v.exactOptional(wholeNumber({ from: 1, to: MAX_TIMEOUT, unit: "milliseconds" }));
/** The limits that a route may have, too. */
const callLimitsShape = {
  connectTimeout: timeout,
  dnsTimeout: timeout,
  readTimeout: timeout,
  writeTimeout: timeout,
  connectionLimit: v.exactOptional(wholeNumber({ from: 1, unit: "connections" })),
  workerLimit: v.exactOptional(wholeNumber({ from: 1, unit: "calls" })),
};
const limitsShape = {
  ...callLimitsShape,
  rateLimit: v.exactOptional(
    v.strictObject(
      {
        limit: wholeNumber({ from: 1, unit: "calls" }),
        period: v.exactOptional(wholeNumber({ from: 1, to: MAX_PERIOD, unit: "seconds" })),
      },
      "an object",
    ),
  ),
};

const ip = v.pipe(v.string("an IP address"), v.ip("an IP address"), v.excludes("%", "an IP address"));
const ipv6 = v.pipe(v.string("an IPv6 address"), v.ipv6("an IPv6 address"), v.excludes("%", "an IPv6 address"));
const host = v.strictObject(
  {
    ipv4: v.exactOptional(v.nullable(v.pipe(v.string("an IPv4 address"), v.ipv4("an IPv4 address")))),
    ipv6: v.exactOptional(v.nullable(ipv6)),
    hostname: v.exactOptional(v.nullable(v.string("a host name"))),
    network: v.exactOptional(v.nullable(v.strictObject({ tunnel_id: uuid }, "an object"))),
    resolver_network: v.exactOptional(
      v.nullable(
        v.strictObject(
          { tunnel_id: uuid, resolver_ips: v.exactOptional(v.nullable(v.array(ip, "an array of IP addresses"))) },
          "an object",
        ),
      ),
    ),
  },
  "an object",
);

/** Fields that every entry may have. */
const policyShape = {
  ca: v.exactOptional(ca),
  ...limitsShape,
};

const recordShape = {
  name: nonEmpty,
  type: v.picklist(["http", "tcp"], '"http" or "tcp"'),
  host,
  http_port: v.exactOptional(v.nullable(port)),
  https_port: v.exactOptional(v.nullable(port)),
  tcp_port: v.exactOptional(v.nullable(port)),
  app_protocol: v.exactOptional(v.nullable(v.picklist(["postgresql", "mysql"], '"postgresql" or "mysql"'))),
  service_id: v.exactOptional(uuid),
  created_at: v.exactOptional(text),
  updated_at: v.exactOptional(text),
  tls_settings: serviceTlsSettings,
  ...policyShape,
};

const settingsShape = {
  $schema: v.exactOptional(text),
  ca: v.exactOptional(ca),
  trust: v.exactOptional(v.picklist(["local", "production"], '"local" or "production"')),
  ...limitsShape,
  traffic: v.exactOptional(flag),
  ui: v.exactOptional(v.union([flag, v.strictObject({ port })], 'true, false or { "port": 4400 }')),
  seed: v.exactOptional(v.pipe(v.number("a whole number"), v.integer("a whole number"))),
};

const networkShape = {
  name: v.exactOptional(text),
  // `parseResolvers` checks each address.
  resolver_ips: v.exactOptional(v.array(v.string("an IP address"), "an array of IP addresses")),
  compose: v.exactOptional(compose),
  tls_settings: tlsSettings,
  ...policyShape,
};

const targetShape = { name: v.exactOptional(text), tls_settings: serviceTlsSettings, ...policyShape };

const routeShape = { tls_settings: tlsSettings, ca: v.exactOptional(ca), ...callLimitsShape };

const faulty = { faults: v.exactOptional(faults) };
const targeted = v.strictObject({ target, ...targetShape, ...faulty });
const service = v.strictObject({ ...recordShape, target: v.exactOptional(target), ...faulty });
const route = v.strictObject({ target, ...routeShape, ...faulty });
const network = v.strictObject({
  ...networkShape,
  routes: v.exactOptional(v.record(text, v.union([target, route]))),
});
const hyperdriveShape = {
  service: v.pipe(v.string('a key of "services"'), v.nonEmpty('a key of "services"')),
  database: v.pipe(v.string("the name of a database"), v.nonEmpty("the name of a database")),
  user: v.pipe(v.string("the name of a user"), v.nonEmpty("the name of a user")),
  password: v.exactOptional(v.string("a string")),
  passwordEnv: v.exactOptional(
    v.pipe(v.string("the name of a variable"), v.regex(/^[A-Za-z_]\w*$/, "the name of a variable")),
  ),
  scheme: v.exactOptional(v.picklist(["postgresql", "postgres", "mysql"], '"postgresql" or "mysql"')),
};
const configShape = {
  ...settingsShape,
  certificates: v.exactOptional(v.record(text, v.union([v.strictObject(clientShape), v.strictObject(authorityShape)]))),
  services: v.exactOptional(v.record(text, v.union([target, targeted, service]))),
  networks: v.exactOptional(v.record(text, v.union([v.literal("remote"), network]))),
  hyperdrive: v.exactOptional(v.record(text, v.strictObject(hyperdriveShape))),
};

/** The whole config, for the JSON schema. A config is checked level by level, so that a mistake doesn't hide others. */
export const configSchema: v.GenericSchema<VpcConfig> = v.strictObject(configShape);

/** An object whose entries are checked one by one. */
type Entries = Record<string, unknown>;
const entries = v.custom<Entries>(isPlainObject, "an object");

export const configFields: FieldsOf<Omit<VpcConfig, keyof Sections> & Sections> = {
  ...settingsShape,
  certificates: v.exactOptional(entries),
  services: v.exactOptional(entries),
  networks: v.exactOptional(entries),
  hyperdrive: v.exactOptional(entries),
};
interface Sections {
  certificates?: Entries;
  services?: Entries;
  networks?: Entries;
  hyperdrive?: Entries;
}

export const clientCertificateFields: FieldsOf<VpcClientCertificate> = clientShape;
export const authorityFields: FieldsOf<VpcCertificateAuthority> = authorityShape;
export const hyperdriveFields: FieldsOf<HyperdriveEntry> = hyperdriveShape;

const unchecked = { faults: v.exactOptional(faultList) };

export const serviceFields: FieldsOf<
  Omit<ServiceEntry, "target" | "faults"> & { target?: unknown; faults?: unknown[] }
> = {
  ...recordShape,
  ...unchecked,
  target: v.exactOptional(v.unknown()),
};

export const targetFields: FieldsOf<Omit<TargetEntry, "target" | "faults"> & { target: unknown; faults?: unknown[] }> =
  {
    target: v.unknown(),
    ...targetShape,
    ...unchecked,
  };

export const routeFields: FieldsOf<Omit<RouteEntry, "target" | "faults"> & { target: unknown; faults?: unknown[] }> = {
  // `parseTarget` checks it.
  target: v.custom<unknown>((value) => value !== undefined, '"localhost:3000"'),
  ...routeShape,
  ...unchecked,
};

export const harFields: FieldsOf<Omit<VpcHar, "target"> & { target?: unknown }> = {
  ...harShape,
  target: v.exactOptional(v.unknown()),
};

export const networkFields: FieldsOf<Omit<NetworkEntry, "routes"> & { routes?: Entries }> = {
  ...networkShape,
  routes: v.exactOptional(entries),
};

/** The value to write for a field, if "must be" doesn't say enough. */
export function adviceFor(field: string, found: unknown): string | undefined {
  if (field === "compose" || field === "files")
    return 'Write "compose.yaml": a path from the folder of the vpc config.';
  if (field === "faults") return `Write [${FAULT_EXAMPLE}].`;
  if (field !== "rateLimit") return undefined;
  const calls = Number.isSafeInteger(found) && Number(found) > 0 ? Number(found) : 100;
  return `Write { "limit": ${calls}, "period": 60 }. The period is in seconds.`;
}

// This compiles only if the hand-written types and the schema are the same.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
true satisfies Same<VpcConfig, v.InferInput<v.StrictObjectSchema<typeof configShape, undefined>>>;

interface WholeNumber {
  from: number;
  /** Default: no upper limit. */
  to?: number;
  unit?: string;
}

function wholeNumber({ from, to, unit }: WholeNumber): v.GenericSchema<number> {
  const range = to === undefined ? `of at least ${from}` : `from ${from} to ${to}`;
  const expected = unit === undefined ? `a whole number ${range}` : `a whole number of ${unit} ${range}`;
  return v.pipe(
    v.number(expected),
    v.integer(expected),
    v.minValue(from, expected),
    v.maxValue(to ?? Number.MAX_SAFE_INTEGER, expected),
  );
}
