/**
 * The files of an import → records. Detects the format of a file from its content, and of Terraform files also from
 * the name.
 */

import path from "node:path";

import type { Diagnostic } from "../diagnostics.ts";
import { entryKey } from "../model.ts";
import { decodeExport, readText } from "../read/read-text.ts";
import { type HclFile, readHcl } from "./read-hcl.ts";
import { readJson } from "./read-json.ts";
import { isGarbledTable, readWranglerOutput } from "./read-wrangler-output.ts";
import type { ImportResult } from "./record.ts";
import { jsonIn, splitJson } from "./split-json.ts";

export interface ImportFile {
  /** Absolute path, or a name in angle brackets for standard input. */
  file: string;
  bytes: Uint8Array;
}

const TERRAFORM = new Set([".tf", ".tfvars"]);

/** @param tunnelIds whole ids that are known from elsewhere, because `wrangler vpc service list` cuts them */
export function readImport(files: readonly ImportFile[], tunnelIds: readonly string[]): Required<ImportResult> {
  const result = { records: [], databases: [], diagnostics: [] } satisfies ImportResult as Required<ImportResult>;
  const hcl: HclFile[] = [];
  const texts: HclFile[] = [];
  const add = ({ records, databases = [], diagnostics }: ImportResult): void => {
    result.records.push(...records);
    result.databases.push(...databases);
    result.diagnostics.push(...diagnostics);
  };
  for (const { file, bytes } of files) {
    const folder = path.dirname(file);
    const text = decodeExport(bytes);
    if (typeof text === "object") {
      result.diagnostics.push({ severity: "error", ...text, file });
      continue;
    }
    const json = jsonIn(text);
    if (TERRAFORM.has(path.extname(file)) || /^\s*resource\s+"/m.test(text)) hcl.push({ file, folder, text });
    else if (json !== undefined) {
      for (const part of splitJson(json)) {
        const { document, diagnostics } = readText(new TextEncoder().encode(part), file);
        result.diagnostics.push(...diagnostics);
        if (document !== undefined) add(readJson(document));
      }
    } else texts.push({ file, folder, text });
  }
  add(readHcl(hcl));
  // wrangler's output is read last and twice, because its cut tunnel ids are completed from all the other records.
  const known = [...tunnelIds, ...result.records.flatMap(({ fields }) => tunnelIdsIn(fields))];
  const read = (ids: readonly string[]): (ImportResult | undefined)[] =>
    texts.map(({ file, folder, text }) => readWranglerOutput(text, { file, folder, tunnelIds: ids }));
  const details = read([]).flatMap((each) => each?.records ?? []);
  const all = new Set([...known, ...details.flatMap(({ fields }) => tunnelIdsIn(fields))].map(entryKey));
  for (const [index, found] of read([...all]).entries()) {
    const { file, text } = texts[index] ?? { file: "", text: "" };
    const explain = isGarbledTable(text) ? garbledTable : unknownFormat;
    add(found ?? { records: [], diagnostics: [explain(file)] });
  }
  return result;
}

function unknownFormat(file: string): Diagnostic {
  return {
    severity: "error",
    code: "unknown-import-format",
    text: "this file contains neither a VPC Service record nor a Hyperdrive configuration",
    file,
    notes: [
      'Import an API response, the output of "wrangler vpc service get" or "list" or of "wrangler hyperdrive get", a Terraform file, or the output of "terraform show -json".',
    ],
  };
}

function garbledTable(file: string): Diagnostic {
  return {
    severity: "error",
    code: "garbled-import",
    text: "this is wrangler's table, but its lines are garbled, as PowerShell does to what it pipes or redirects",
    file,
    notes: [
      `Let another shell write the file: cmd /c "npx wrangler vpc service list > services.txt". Then import services.txt.`,
    ],
  };
}

/** All tunnel ids in a record, or in a whole vpc config. */
export function tunnelIdsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    key === "tunnel_id" && typeof inner === "string" ? [inner] : tunnelIdsIn(inner),
  );
}
