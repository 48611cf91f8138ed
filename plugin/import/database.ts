/**
 * Hyperdrive configurations of the API → entries of "hyperdrive". The API never returns a password, so an entry names a
 * variable for it.
 */

import type { Diagnostic } from "../diagnostics.ts";
import { type VpcBinding, entryKey } from "../model.ts";
import { passwordVariable } from "../parse/parse-hyperdrive.ts";
import { isPlainObject, quote } from "../read/document.ts";
import type { Edit } from "./plan-import.ts";
import type { ImportedDatabase, RecordSource } from "./record.ts";

/** Whether a value of the API is a Hyperdrive configuration, and not the record of a service. */
export function isHyperdriveConfig(value: unknown): value is Record<string, unknown> & { origin: object } {
  return isPlainObject(value) && isPlainObject(value["origin"]);
}

/** @returns undefined if it has no VPC Service, which is reported */
export function toDatabase(
  { value, at, document }: RecordSource,
  diagnostics: Diagnostic[],
): ImportedDatabase | undefined {
  if (!isHyperdriveConfig(value)) return undefined;
  const { id, name, origin } = value;
  const { service_id: serviceId, database, user, scheme }: Record<string, unknown> = { ...origin };
  const label = typeof name === "string" ? name : String(id);
  const report = (problem: string, note: string): undefined => {
    const place = { file: document.file, ...document.locate([...at, "origin"], "value") };
    const text = `the Hyperdrive configuration ${quote(label)} ${problem}, so it was not imported`;
    diagnostics.push({ severity: "warning", code: "hyperdrive-not-imported", text, ...place, notes: [note] });
  };
  if (typeof serviceId !== "string") {
    return report(
      "reaches its database without a VPC Service",
      'Give its binding a "localConnectionString", or write its entry yourself.',
    );
  }
  if (typeof id !== "string" || typeof database !== "string" || typeof user !== "string") {
    return report(
      'lacks an "id", a "database" or a "user"',
      'Import a response of the API, or the output of "wrangler hyperdrive get".',
    );
  }
  const known = scheme === "mysql" ? "mysql" : "postgresql";
  return { hyperdriveId: id, label, serviceId, fields: { database, user, scheme: known } };
}

export type PlannedDatabase = { database: ImportedDatabase; key: string; passwordEnv?: string } & (
  | { kind: "added"; value: Record<string, string> }
  | { kind: "changed"; edits: Edit[] }
  | { kind: "same" }
);

/** @param context `services`, `hyperdrive`: those sections of the vpc config once the services are imported */
export function planDatabases(
  databases: readonly ImportedDatabase[],
  context: { services: Record<string, unknown>; hyperdrive: Record<string, unknown>; bindings: readonly VpcBinding[] },
): PlannedDatabase[] {
  return databases.map((database) => planDatabase(database, context));
}

function planDatabase(
  database: ImportedDatabase,
  { services, hyperdrive, bindings }: Parameters<typeof planDatabases>[1],
): PlannedDatabase {
  const { hyperdriveId, serviceId, fields } = database;
  const names = namesOf(hyperdriveId, "hyperdrive", bindings);
  const serviceNames = new Set([serviceId, ...namesOf(serviceId, "vpc-service", bindings)].map(entryKey));
  const service = Object.keys(services).find((key) => serviceNames.has(entryKey(key))) ?? serviceId;
  const wanted = { service, ...fields };
  const key = [hyperdriveId, ...names].find((each) => Object.hasOwn(hyperdrive, each));
  const existing = key === undefined ? undefined : hyperdrive[key];
  if (key === undefined || !isPlainObject(existing)) {
    const passwordEnv = passwordVariable(names[0] ?? hyperdriveId);
    const { scheme, ...rest } = wanted;
    return { database, key: hyperdriveId, passwordEnv, kind: "added", value: { ...rest, passwordEnv, scheme } };
  }
  const edits = Object.entries(wanted).flatMap(([field, after]): Edit[] => {
    const before = existing[field];
    const isSame = before === after || (field === "scheme" && before === "postgres" && after === "postgresql");
    return isSame ? [] : [{ path: ["hyperdrive", key, field], before, after }];
  });
  return edits.length === 0 ? { database, key, kind: "same" } : { database, key, kind: "changed", edits };
}

function namesOf(id: string, type: VpcBinding["bindingType"], bindings: readonly VpcBinding[]): string[] {
  const own = bindings.filter(({ bindingType, id: each }) => bindingType === type && entryKey(each) === entryKey(id));
  return [...new Set(own.map(({ bindingName }) => bindingName))];
}
