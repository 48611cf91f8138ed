/**
 * JSON → records: a response of the connectivity directory API (one record, a list, or the paged envelope), the same of the
 * Hyperdrive API, or a Terraform state or plan.
 */

import type { Diagnostic } from "../diagnostics.ts";
import { type VpcDocument, isPlainObject } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { isHyperdriveConfig, toDatabase } from "./database.ts";
import { type ImportResult, type RecordSource, toRecord } from "./record.ts";
import { findTerraformRecords } from "./terraform-json.ts";

export function readJson(document: VpcDocument): ImportResult {
  const diagnostics: Diagnostic[] = [];
  const sources = findTerraformRecords(document) ?? findApiRecords(document, diagnostics);
  const [configs, services] = [true, false].map((isConfig) =>
    sources.filter(({ value }) => isHyperdriveConfig(value) === isConfig),
  );
  const records = (services ?? []).flatMap((source) => toRecord(source, diagnostics) ?? []);
  const databases = (configs ?? []).flatMap((source) => toDatabase(source, diagnostics) ?? []);
  return { records, databases, diagnostics };
}

function findApiRecords(document: VpcDocument, diagnostics: Diagnostic[]): RecordSource[] {
  const { value } = document;
  if (!isPlainObject(value) || !("result" in value) || "host" in value) return listed(value, [], document);
  const warn = (
    severity: Diagnostic["severity"],
    problem: Pick<Diagnostic, "code" | "text" | "notes">,
    at: Path,
  ): void => {
    diagnostics.push({ severity, ...problem, file: document.file, ...document.locate(at, "value") });
  };
  if (value["success"] === false) {
    const errors = Array.isArray(value["errors"]) ? value["errors"] : [];
    const messages = errors.flatMap((error: unknown) =>
      isPlainObject(error) && typeof error["message"] === "string" ? [error["message"]] : [],
    );
    warn(
      "error",
      {
        code: "api-failure",
        text: `the API response reports a failure: ${messages.join("; ") || "it has no message"}`,
        notes: [],
      },
      ["success"],
    );
    return [];
  }
  const info = value["result_info"];
  if (isPlainObject(info)) {
    const { page, total_pages: pages } = info;
    if (typeof page === "number" && typeof pages === "number" && pages > 1) {
      warn(
        "warning",
        {
          code: "one-page",
          text: `this is page ${page} of ${pages}`,
          notes: [`Request the other pages with "?page=" and import them too, or request all with "?per_page=1000".`],
        },
        ["result_info"],
      );
    }
  }
  return listed(value["result"], ["result"], document);
}

function listed(value: unknown, at: Path, document: VpcDocument): RecordSource[] {
  if (!Array.isArray(value)) return [{ value, at, document }];
  return value.map((item: unknown, index) => ({ value: item, at: [...at, index], document }));
}
