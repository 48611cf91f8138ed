/**
 * An imported VPC Service record, from any source.
 */

import type { Diagnostic } from "../diagnostics.ts";
import { type VpcDocument, isPlainObject, reportTo } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { parseService } from "../parse/parse-service.ts";

/** The fields of a record, in the order in which they are written. */
export const RECORD_FIELDS: readonly string[] = [
  "name",
  "type",
  "http_port",
  "https_port",
  "tcp_port",
  "app_protocol",
  "host",
  "tls_settings",
];

/** Further fields that a source may have, and that are not imported. */
const OTHER_FIELDS = new Set(["service_id", "created_at", "updated_at", "id", "account_id"]);

/** Whether a field belongs to a record or its source. Any other field is reported, so that nothing is lost silently. */
export function isKnownField(field: string): boolean {
  return RECORD_FIELDS.includes(field) || OTHER_FIELDS.has(field);
}

/** @param at the place of the field */
export function notImported(what: string, at: ImportedRecord["at"]): Diagnostic {
  return {
    severity: "warning",
    code: "field-not-imported",
    text: `${what} is unknown, so it was not imported`,
    ...at,
    notes: ["A newer version of miniflare-vpc may support it."],
  };
}

export interface ImportedRecord {
  /** Absent if the source doesn't know it, such as Terraform before "apply". */
  serviceId?: string;
  /** The record's name. */
  label: string;
  /** Other names that a binding may have for it. */
  aliases: string[];
  /** Without read-only fields and fields that are null. */
  fields: Record<string, unknown>;
  /** The certificates that it names. */
  certificates: NamedCertificate[];
  /** False if a field that is missing here may be set in production. */
  isComplete: boolean;
  /** The place it was read from. */
  at: Pick<Diagnostic, "file" | "line" | "column">;
}

export interface NamedCertificate {
  field: CertificateField;
  id: string;
  at: ImportedRecord["at"];
}

const CERTIFICATE_FIELDS = ["certificate_authority", "client_certificate"] as const;
export type CertificateField = (typeof CERTIFICATE_FIELDS)[number];

export interface ImportResult {
  records: ImportedRecord[];
  /** Of Hyperdrive configurations. Absent: the source can have none. */
  databases?: ImportedDatabase[];
  diagnostics: Diagnostic[];
}

/** The database that a Hyperdrive configuration names. */
export interface ImportedDatabase {
  hyperdriveId: string;
  /** The configuration's name. */
  label: string;
  serviceId: string;
  /** What an entry has of it. */
  fields: { database: string; user: string; scheme: string };
}

/** A value that may be a record, and its place. */
export interface RecordSource {
  value: unknown;
  at: Path;
  document: VpcDocument;
  isComplete?: false;
  aliases?: string[];
  /** Added to each diagnostic about it. */
  note?: string;
}

/** @returns undefined if it isn't a valid record, which is reported */
export function toRecord(source: RecordSource, diagnostics: Diagnostic[]): ImportedRecord | undefined {
  const { value, at, document, note } = source;
  const place = { file: document.file, ...document.locate(at, "value") };
  if (!isPlainObject(value) || !isPlainObject(value["host"])) {
    diagnostics.push({
      severity: "error",
      code: "not-a-record",
      text: 'this is not a VPC Service record: it has no "host"',
      ...place,
      notes: note === undefined ? [] : [note],
    });
    return undefined;
  }
  for (const [field, content] of Object.entries(value)) {
    if (isKnownField(field) || content === null) continue;
    const where = { file: document.file, ...document.locate([...at, field], "key") };
    diagnostics.push(notImported(`the field ${JSON.stringify(field)}`, where));
  }
  const fields = fieldsOf(value);
  const found: Diagnostic[] = [];
  const entry = parseService(
    { key: "", value: fields, at },
    { document, report: reportTo(found, document), namedFiles: new Set() },
  );
  diagnostics.push(
    ...(note === undefined ? found : found.map((each) => Object.assign(each, { notes: [...each.notes, note] }))),
  );
  if (entry.kind !== "entry") return undefined;
  const serviceId = value["service_id"];
  return {
    ...(typeof serviceId === "string" && { serviceId }),
    label: typeof value["name"] === "string" ? value["name"] : "",
    aliases: source.aliases ?? [],
    fields,
    certificates: certificatesOf(fields, source),
    isComplete: source.isComplete ?? true,
    at: place,
  };
}

/** Connections of a `tcp` service carry no TLS of ours. */
function certificatesOf(
  { type, tls_settings: tls }: Record<string, unknown>,
  { at, document }: RecordSource,
): NamedCertificate[] {
  if (type === "tcp" || !isPlainObject(tls)) return [];
  return CERTIFICATE_FIELDS.flatMap((field) => {
    const id = tls[field];
    const place = { file: document.file, ...document.locate([...at, "tls_settings", field], "key") };
    return typeof id === "string" ? [{ field, id, at: place }] : [];
  });
}

function fieldsOf(value: Record<string, unknown>): Record<string, unknown> {
  const own = RECORD_FIELDS.map((field) => [field, withoutNulls(value[field])] as const);
  return Object.fromEntries(own.filter(([, field]) => field !== undefined));
}

function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (!isPlainObject(value)) return value;
  const kept = Object.entries(value).map(([key, inner]) => [key, withoutNulls(inner)] as const);
  return Object.fromEntries(kept.filter(([, inner]) => inner !== undefined));
}
