/**
 * The files of an import → records, each by what is in it; its name only tells Terraform's files apart.
 */

import path from "node:path";

import type { Diagnostic } from "../diagnostics.ts";
import { entryKey } from "../model.ts";
import { decodeText, readText } from "../read/read-text.ts";
import { type HclFile, readHcl } from "./read-hcl.ts";
import { readJson } from "./read-json.ts";
import { readWranglerOutput } from "./read-wrangler-output.ts";
import type { ImportResult } from "./record.ts";
import { splitJson } from "./split-json.ts";

export interface ImportFile {
  /** Absolute path, or a name in angle brackets for what was piped in. */
  file: string;
  bytes: Uint8Array;
}

const TERRAFORM = new Set([".tf", ".tfvars"]);

/** @param tunnelIds whole ids that are known otherwise, for what shows their beginnings only */
export function readImport(files: readonly ImportFile[], tunnelIds: readonly string[]): ImportResult {
  const result: ImportResult = { records: [], diagnostics: [] };
  const hcl: HclFile[] = [];
  const texts: HclFile[] = [];
  const add = ({ records, diagnostics }: ImportResult): void => {
    result.records.push(...records);
    result.diagnostics.push(...diagnostics);
  };
  for (const { file, bytes } of files) {
    const folder = path.dirname(file);
    const text = decodeText(bytes);
    if (typeof text === "object") {
      result.diagnostics.push({ severity: "error", ...text, file });
      continue;
    }
    if (TERRAFORM.has(path.extname(file)) || /^\s*resource\s+"/m.test(text)) hcl.push({ file, folder, text });
    else if (/^\s*[[{]/.test(text)) {
      for (const part of splitJson(text)) {
        const { document, diagnostics } = readText(new TextEncoder().encode(part), file);
        result.diagnostics.push(...diagnostics);
        if (document !== undefined) add(readJson(document));
      }
    } else texts.push({ file, folder, text });
  }
  add(readHcl(hcl));
  // Last and twice, for what the others, and each other's details, say of tunnels.
  const known = [...tunnelIds, ...result.records.flatMap(({ fields }) => tunnelIdsIn(fields))];
  const read = (ids: readonly string[]): (ImportResult | undefined)[] =>
    texts.map(({ file, folder, text }) => readWranglerOutput(text, { file, folder, tunnelIds: ids }));
  const details = read([]).flatMap((each) => each?.records ?? []);
  const all = new Set([...known, ...details.flatMap(({ fields }) => tunnelIdsIn(fields))].map(entryKey));
  for (const [index, found] of read([...all]).entries()) {
    add(found ?? { records: [], diagnostics: [unknownFormat(texts[index]?.file ?? "")] });
  }
  return result;
}

function unknownFormat(file: string): Diagnostic {
  return {
    severity: "error",
    code: "unknown-import-format",
    text: "no VPC Service record was found in it",
    file,
    notes: [
      'It is an answer of the API, what "wrangler vpc service get" or "list" prints, a Terraform file, or what "terraform show -json" prints.',
    ],
  };
}

/** Every tunnel's id in a record, or in a whole vpc config. */
export function tunnelIdsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    key === "tunnel_id" && typeof inner === "string" ? [inner] : tunnelIdsIn(inner),
  );
}
