/**
 * Parses an entry of "hyperdrive": the database behind a tcp service, and the login there. Quotes no password. The variable
 * that "passwordEnv" names is looked up later.
 */

import type { HyperdriveEntry } from "../config.ts";
import { didYouMean } from "../diagnostics.ts";
import { type Entry, type HyperdriveModel, type ServiceModel, entryKey, isUuid } from "../model.ts";
import { type Finding, type Parsing, isPlainObject, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { type Checked, checkFields } from "./check-fields.ts";
import { hyperdriveFields } from "./config-schema.ts";

type Services = ReadonlyMap<string, Entry<ServiceModel>>;

interface HyperdriveSource {
  key: string;
  value: unknown;
  at: Path;
}

/** @param services of the same config */
export function parseHyperdrive(
  services: Services,
): (source: HyperdriveSource, parsing: Parsing) => Entry<HyperdriveModel> {
  return (source, parsing) => {
    let isBroken = false;
    const report = (finding: Finding): void => {
      isBroken ||= finding.severity === undefined;
      parsing.report(finding);
    };
    const model = parseEntry(source, services, { ...parsing, report });
    return isBroken || model === undefined
      ? { kind: "broken", at: source.at }
      : { kind: "entry", at: source.at, ...model };
  };
}

function parseEntry(
  { key, value, at }: HyperdriveSource,
  services: Services,
  parsing: Parsing,
): HyperdriveModel | undefined {
  const { report } = parsing;
  if (!isPlainObject(value)) {
    // A connection string would have a password in it.
    const text = `the Hyperdrive entry ${quote(key)} is ${kindOf(value)}, but must be an object`;
    report({ code: "invalid-value", text, at, notes: [`Write ${exampleFor(key)}.`] });
    return undefined;
  }
  const { password, passwordEnv: variable, ...others } = value;
  if (password !== undefined && typeof password !== "string") {
    const text = `"password" is ${kindOf(password)}, but must be a string`;
    report({ code: "invalid-value", text, at: [...at, "password"] });
  }
  const isName = typeof variable === "string" && VARIABLE.test(variable);
  if (variable !== undefined && !isName) {
    // It may be the password itself.
    const text = '"passwordEnv" is not the name of a variable';
    const note = `Write the name of the variable that has the password, such as ${quote(passwordVariable(key))}.`;
    report({ code: "invalid-value", text, at: [...at, "passwordEnv"], notes: [note] });
  }
  const entry: Checked<HyperdriveEntry> = checkFields(
    {
      fields: hyperdriveFields,
      what: "a Hyperdrive entry",
      value: isName ? { ...others, passwordEnv: variable } : others,
      at,
    },
    parsing,
  );
  const { passwordEnv } = entry;
  checkPassword({ key, at, hasPassword: password !== undefined, hasVariable: variable !== undefined }, parsing);
  const serviceKey = entryKey(entry.service ?? "");
  const service = entry.service === undefined ? undefined : findService(entry.service, { at, services, parsing });
  const scheme = schemeOf(entry.scheme, service?.appProtocol, { at, parsing });
  const { database, user } = entry;
  if (database === undefined || user === undefined) return undefined;
  return {
    serviceKey,
    scheme,
    database,
    user,
    password: typeof password === "string" ? password : undefined,
    passwordEnv,
  };
}

/** Names the kind of a value that may be a secret. */
function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

function exampleFor(key: string): string {
  return `{ "service": "a key of services", "database": "app", "user": "app", "passwordEnv": ${quote(passwordVariable(key))} }`;
}

const VARIABLE = /^[A-Za-z_]\w*$/;

/** The usual name of the variable with the password of a binding. @param key its name or its id */
export function passwordVariable(key: string): string {
  const isId = isUuid(key) || /^[\da-f]{32}$/i.test(key);
  return `${isId || !VARIABLE.test(key) ? "DB" : key.toUpperCase()}_PASSWORD`;
}

function checkPassword(
  { key, at, hasPassword, hasVariable }: { key: string; at: Path; hasPassword: boolean; hasVariable: boolean },
  { report }: Parsing,
): void {
  if (hasPassword && hasVariable) {
    report({
      code: "two-passwords",
      text: `the Hyperdrive entry ${quote(key)} has both "password" and "passwordEnv"`,
      at,
      part: "key",
      notes: ["Remove one of them."],
    });
  }
  if (hasPassword || hasVariable) return;
  report({
    code: "missing-field",
    text: `the Hyperdrive entry ${quote(key)} has no password`,
    at,
    part: "key",
    notes: [
      `Add "passwordEnv": ${quote(passwordVariable(key))}, and set that variable; or "password", if it is not a secret.`,
    ],
  });
}

function findService(
  wanted: string,
  { at, services, parsing: { report } }: { at: Path; services: Services; parsing: Parsing },
): ServiceModel | undefined {
  const entry = services.get(entryKey(wanted));
  const place = { at: [...at, "service"] };
  if (entry?.kind === "entry") {
    const problem = whyNoDatabase(entry);
    if (problem === undefined) return entry;
    report({ ...place, ...problem, text: `the service ${quote(wanted)} ${problem.text}` });
    return undefined;
  }
  if (entry?.kind === "remote") {
    report({
      ...place,
      code: "wrong-service",
      text: `the service ${quote(wanted)} is "remote", so it leads to no database on this machine`,
      notes: ['Write a target in place of "remote", such as "localhost:5432".'],
    });
  }
  // What is wrong with a broken one is reported.
  if (entry !== undefined) return undefined;
  const meant = didYouMean(wanted, services.keys());
  const usable = databaseServicesIn(services);
  const names = usable.map(quote).join(", ");
  // People write the address itself.
  const isAddress = wanted.includes(":");
  const added = isAddress
    ? `"database": ${quote(wanted)} to "services", and write "service": "database"`
    : `${quote(wanted)}: "localhost:5432" to "services"`;
  report({
    ...place,
    code: "unknown-service",
    text: `the service ${quote(wanted)} is not a key of "services"`,
    notes: [
      meant === undefined
        ? `Add ${added}${names === "" ? "" : `, or name one of ${names}`}.`
        : `Did you mean ${quote(meant)}?`,
    ],
  });
  return undefined;
}

/** The keys of the services that a database can be behind. */
export function databaseServicesIn(services: Services): string[] {
  return [...services].flatMap(([key, each]) =>
    each.kind === "entry" && whyNoDatabase(each) === undefined ? [key] : [],
  );
}

/** @returns why no database can be behind a service, as the rest of a sentence */
function whyNoDatabase({ service, target }: ServiceModel): Pick<Finding, "code" | "text" | "notes"> | undefined {
  if (target?.type === "worker" || target?.type === "stand-in") {
    const what = target.type === "worker" ? "a Worker" : "a stand-in";
    return {
      code: "wrong-target",
      text: `leads to ${what}, which a Hyperdrive binding can't reach`,
      notes: ['Use a target that speaks the database\'s protocol, such as "localhost:5432".'],
    };
  }
  if (service.tcpPort !== undefined) return undefined;
  return {
    code: "wrong-service",
    text: `has no TCP port, but a Hyperdrive binding needs one`,
    notes: [
      'Make it a service of "type": "tcp" with a "tcp_port", or write its target as "host:port", without a scheme.',
    ],
  };
}

function schemeOf(
  given: Checked<HyperdriveEntry>["scheme"],
  appProtocol: HyperdriveModel["scheme"] | undefined,
  { at, parsing: { report } }: { at: Path; parsing: Parsing },
): HyperdriveModel["scheme"] {
  const scheme = given === "postgres" ? "postgresql" : given;
  if (scheme !== undefined && appProtocol !== undefined && scheme !== appProtocol) {
    report({
      severity: "warning",
      code: "schemes-differ",
      text: `"scheme" is ${quote(given)}, but the "app_protocol" of its service is ${quote(appProtocol)}`,
      at: [...at, "scheme"],
      notes: ['The "scheme" counts. Correct the one that is wrong.'],
    });
  }
  return scheme ?? appProtocol ?? "postgresql";
}
