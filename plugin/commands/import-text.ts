/**
 * Formats the plan of `miniflare-vpc import`. Text only.
 */

import type { Diagnostic } from "../diagnostics.ts";
import { formatJson } from "../import/format-json.ts";
import type { PlannedDatabase } from "../import/database.ts";
import type { Edit, PlannedRecord } from "../import/plan-import.ts";
import { isPlainObject } from "../read/document.ts";
import { formatPath } from "../read/locate.ts";
import { entryKey } from "../model.ts";
import { CERTIFICATE_EXAMPLES } from "../parse/parse-certificates.ts";

const LAYOUT = { indent: "        ", unit: "  ", lineEnd: "\n" };

interface Format {
  /** The name of the vpc config, as shown. */
  name: string;
  isDryRun: boolean;
}

/** Lists what happens to each record, and what is left to do. */
export function formatPlan(
  plan: readonly PlannedRecord[],
  databases: readonly PlannedDatabase[],
  { name, isDryRun }: Format,
): string {
  const all = [countOf(plan, "service", "services"), countOf(databases, "Hyperdrive entry", "Hyperdrive entries")];
  const counts = all.filter((text) => text !== undefined).join(" and ");
  const head = isDryRun
    ? `${name}: ${counts || "0 services"} would be written`
    : `${name}: ${counts === "" ? "nothing to write" : `${counts} written`}`;
  const next = plan.some(isHomeless)
    ? [
        "",
        'Next: add a "target" to each service, or routes to its network.',
        'Type "miniflare-vpc check" to see what is missing.',
      ]
    : [];
  const lines = [...plan, ...databases].flatMap((planned) => linesOf(planned, isDryRun));
  return [head, ...lines, ...next, ...passwordsOf(databases)].join("\n");
}

function countOf(plan: readonly { kind: string }[], one: string, many: string): string | undefined {
  const count = plan.filter(({ kind }) => kind === "added" || kind === "changed").length;
  return count === 0 ? undefined : `${count} ${count === 1 ? one : many}`;
}

/** The API never returns a password. */
function passwordsOf(databases: readonly PlannedDatabase[]): string[] {
  const names = [...new Set(databases.flatMap(({ passwordEnv }) => passwordEnv ?? []))];
  if (names.length === 0) return [];
  return [
    "",
    `The API returns no passwords: set ${names.join(" and ")}, in the environment. wrangler makes a variable of a .env file a binding of the Worker, too.`,
  ];
}

function isHomeless(planned: PlannedRecord): boolean {
  return planned.kind === "added";
}

function nameOf(planned: PlannedRecord | PlannedDatabase): string {
  const key = JSON.stringify(planned.key);
  if ("database" in planned) return `${key}  ${planned.database.label}`;
  return planned.record.label === planned.key ? key : `${key}  ${planned.record.label}`;
}

function linesOf(planned: PlannedRecord | PlannedDatabase, isDryRun: boolean): string[] {
  const name = nameOf(planned);
  switch (planned.kind) {
    case "added":
      return [`    added    ${name}`, ...(isDryRun ? [`        ${formatJson(planned.value, LAYOUT)}`] : [])];
    case "changed":
      return [`    changed  ${name}`, ...planned.edits.map((edit) => `        ${describeEdit(edit)}`)];
    case "same":
      return [`    same     ${name}`];
    case "remote":
      return [`    left     ${name}: it is "remote"`];
    default:
      return planned satisfies never;
  }
}

function describeEdit({ path, before, after }: Edit): string {
  const field = formatPath(path.slice(2));
  if (field === "") return `${formatInline(before)} is now the "target" of the whole record`;
  if (before === undefined) return `${field}: ${formatInline(after)}`;
  return `${field}: ${formatInline(before)} → ${after === undefined ? "none" : formatInline(after)}`;
}

function formatInline(value: unknown): string {
  return isPlainObject(value) || Array.isArray(value)
    ? formatJson(value, { ...LAYOUT, indent: "" }).replaceAll(/\s*\n\s*/g, " ")
    : JSON.stringify(value);
}

/** Warnings for certificates that the vpc config has no files for. @param config its value @param file its name, as shown */
export function missingCertificatesOf(plan: readonly PlannedRecord[], config: unknown, file: string): Diagnostic[] {
  const certificates = isPlainObject(config) && isPlainObject(config["certificates"]) ? config["certificates"] : {};
  const known = new Set(Object.keys(certificates).map(entryKey));
  const written = plan.filter(({ kind }) => kind === "added" || kind === "changed");
  return written.flatMap(({ record }) =>
    record.certificates.flatMap(({ field, id, at }): Diagnostic[] => {
      if (known.has(entryKey(id))) return [];
      const named = JSON.stringify(id);
      const text = `${JSON.stringify(field)} is ${named}, which "certificates" doesn't have`;
      const note = `Say what it is on this machine: add ${named}: ${CERTIFICATE_EXAMPLES[field]} to "certificates" in ${file}.`;
      return [{ severity: "warning", code: "missing-certificate", text, ...at, notes: [note] }];
    }),
  );
}

/** Warnings for records that have no service_id. */
export function hintsOf(plan: readonly PlannedRecord[]): Diagnostic[] {
  return plan.flatMap((planned): Diagnostic[] => {
    if (planned.kind !== "added" || planned.hint === undefined) return [];
    const { key, record, hint } = planned;
    const text = `${JSON.stringify(record.label)} has no "service_id"`;
    const notes =
      hint === "binding-by-name"
        ? [`It was matched with the binding of that name, whose id is ${JSON.stringify(key)}.`]
        : [`Its key is now ${JSON.stringify(key)}. Replace it by the service_id or the name of the binding.`];
    return [{ severity: "warning", code: "no-service-id", text, ...record.at, notes }];
  });
}
