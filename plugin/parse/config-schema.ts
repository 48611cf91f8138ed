/**
 * The shape of the vpc config, field by field: which fields there are, their types and ranges. What
 * takes more than one field to judge is the parsers' work. Each message is what the value must be.
 */

import * as v from "valibot";

import { PROXY_ERROR_CODES } from "../../service-worker/proxy-error.ts";
import type { NetworkEntry, ServiceEntry, TargetEntry, VpcConfig, VpcFunction, VpcFunctions } from "../config.ts";
import { UUID } from "../model.ts";
import { isTable } from "../read/document.ts";
import { MAX_PORT } from "./port-ranges.ts";

/** Milliseconds: five minutes. Who waits longer waits for nothing. */
const MAX_TIMEOUT = 300_000;
/** Seconds. */
const MAX_PERIOD = 3600;

/** The schema of each field of `T`; optional ones are `exactOptional`, nested objects `strictObject`. */
export type FieldsOf<T> = { readonly [K in keyof T]-?: v.GenericSchema<T[K]> };

const text = v.string("a string");
const nonEmpty = v.pipe(text, v.nonEmpty("a string that is not empty"));
const uuid = v.pipe(v.string("a uuid"), v.regex(UUID, "a uuid"));
const port = wholeNumber({ from: 1, to: MAX_PORT });
const flag = v.boolean("true or false");

const vpcFunction = v.custom<VpcFunction>((value) => typeof value === "function");
const connectFunction = v.custom<NonNullable<VpcFunctions["connect"]>>((value) => typeof value === "function");
const target = v.union([
  text,
  v.strictObject({ deny: v.picklist(PROXY_ERROR_CODES) }),
  vpcFunction,
  v.strictObject({ fetch: v.exactOptional(vpcFunction), connect: v.exactOptional(connectFunction) }),
]);

const tlsSettings = v.strictObject(
  {
    cert_verification_mode: v.picklist(
      ["verify_full", "verify_ca", "disabled"],
      '"verify_full", "verify_ca" or "disabled"',
    ),
  },
  "an object",
);

const ca = v.array(nonEmpty, "an array of file names");
const composeFile = v.pipe(v.string("the name of a compose file"), v.nonEmpty("the name of a compose file"));
const compose = v.union([composeFile, v.array(composeFile)], "the name of a compose file, or an array of them");

const timeout = v.exactOptional(wholeNumber({ from: 1, to: MAX_TIMEOUT, unit: "milliseconds" }));
const limitsShape = {
  connectTimeout: timeout,
  dnsTimeout: timeout,
  readTimeout: timeout,
  writeTimeout: timeout,
  connectionLimit: v.exactOptional(wholeNumber({ from: 1, unit: "connections" })),
  rateLimit: v.exactOptional(
    v.strictObject(
      {
        limit: wholeNumber({ from: 1, unit: "calls" }),
        period: v.exactOptional(wholeNumber({ from: 1, to: MAX_PERIOD, unit: "seconds" })),
      },
      "an object",
    ),
  ),
  workerLimit: v.exactOptional(wholeNumber({ from: 1, unit: "calls" })),
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

/** What every entry may have. */
const policyShape = {
  tls_settings: v.exactOptional(v.nullable(tlsSettings)),
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
  ...policyShape,
};

const settingsShape = {
  $schema: v.exactOptional(text),
  ca: v.exactOptional(ca),
  ...limitsShape,
  traffic: v.exactOptional(flag),
};

const networkShape = {
  name: v.exactOptional(text),
  // What each must be is for `parseResolvers` to say.
  resolver_ips: v.exactOptional(v.array(v.string("an IP address"), "an array of IP addresses")),
  compose: v.exactOptional(compose),
  ...policyShape,
};

const targetShape = { name: v.exactOptional(text), ...policyShape };

const targeted = v.strictObject({ target, ...targetShape });
const service = v.strictObject({ ...recordShape, target: v.exactOptional(target) });
const network = v.strictObject({ ...networkShape, routes: v.exactOptional(v.record(text, target)) });
const configShape = {
  ...settingsShape,
  services: v.exactOptional(v.record(text, v.union([target, targeted, service]))),
  networks: v.exactOptional(v.record(text, v.union([v.literal("remote"), network]))),
};

/** The whole, for the JSON schema. A config is checked level by level, so that one mistake hides no other. */
export const configSchema: v.GenericSchema<VpcConfig> = v.strictObject(configShape);

/** A table whose entries are checked one by one. */
type Entries = Record<string, unknown>;
const entries = v.custom<Entries>(isTable, "an object");

export const configFields: FieldsOf<Omit<VpcConfig, "services" | "networks"> & Sections> = {
  ...settingsShape,
  services: v.exactOptional(entries),
  networks: v.exactOptional(entries),
};
interface Sections {
  services?: Entries;
  networks?: Entries;
}

export const serviceFields: FieldsOf<Omit<ServiceEntry, "target"> & { target?: unknown }> = {
  ...recordShape,
  target: v.exactOptional(v.unknown()),
};

export const targetFields: FieldsOf<Omit<TargetEntry, "target"> & { target: unknown }> = {
  target: v.unknown(),
  ...targetShape,
};

export const networkFields: FieldsOf<Omit<NetworkEntry, "routes"> & { routes?: Entries }> = {
  ...networkShape,
  routes: v.exactOptional(entries),
};

/** What to write in place of a field's value, where "must be" leaves it open. */
export function adviceFor(field: string, found: unknown): string | undefined {
  if (field === "compose") return 'Write "compose.yaml": a path from the folder of the vpc config.';
  if (field !== "rateLimit") return undefined;
  const calls = Number.isSafeInteger(found) && Number(found) > 0 ? Number(found) : 100;
  return `Write { "limit": ${calls}, "period": 60 }: calls, and seconds.`;
}

// The hand-written types and the schema say the same, or this does not compile.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
true satisfies Same<VpcConfig, v.InferInput<v.StrictObjectSchema<typeof configShape, undefined>>>;

interface WholeNumber {
  from: number;
  /** Default: no end. */
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
