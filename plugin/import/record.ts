/**
 * A VPC Service record as it is imported, whatever it was read from.
 */

import type { Diagnostic } from "../diagnostics.ts";
import { type VpcDocument, isTable, reportTo } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { parseService } from "../parse/parse-service.ts";

/** The fields that are the record's own, in the order in which they are written. */
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

export interface ImportedRecord {
  /** Absent where the source does not know it: Terraform before it is applied. */
  serviceId?: string;
  /** The record's name. */
  label: string;
  /** Other names by which a binding may know it. */
  aliases: string[];
  /** Without read-only fields, and without those that are null. */
  fields: Record<string, unknown>;
  /** False: a field that is missing here may still be set in production. */
  isComplete: boolean;
  /** Where it was read. */
  at: Pick<Diagnostic, "file" | "line" | "column">;
}

export interface ImportResult {
  records: ImportedRecord[];
  diagnostics: Diagnostic[];
}

/** A value that may be a record, and where it stands. */
export interface RecordSource {
  value: unknown;
  at: Path;
  document: VpcDocument;
  isComplete?: false;
  aliases?: string[];
  /** Added to each finding about it. */
  note?: string;
}

/** @returns undefined when it is no record, or a mistaken one; that is reported then */
export function toRecord(source: RecordSource, diagnostics: Diagnostic[]): ImportedRecord | undefined {
  const { value, at, document, note } = source;
  const place = { file: document.file, ...document.locate(at, "value") };
  if (!isTable(value) || !isTable(value["host"])) {
    diagnostics.push({
      severity: "error",
      code: "not-a-record",
      text: 'this is not the record of a VPC Service: it has no "host"',
      ...place,
      notes: note === undefined ? [] : [note],
    });
    return undefined;
  }
  const fields = fieldsOf(value);
  const found: Diagnostic[] = [];
  const entry = parseService({ key: "", value: fields, at }, { document, report: reportTo(found, document) });
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
    isComplete: source.isComplete ?? true,
    at: place,
  };
}

function fieldsOf(value: Record<string, unknown>): Record<string, unknown> {
  const own = RECORD_FIELDS.map((field) => [field, withoutNulls(value[field])] as const);
  return Object.fromEntries(own.filter(([, field]) => field !== undefined));
}

function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (!isTable(value)) return value;
  const kept = Object.entries(value).map(([key, inner]) => [key, withoutNulls(inner)] as const);
  return Object.fromEntries(kept.filter(([, inner]) => inner !== undefined));
}
