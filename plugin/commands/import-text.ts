/**
 * Formats the plan of `miniflare-vpc import`. Text only.
 */

import type { Diagnostic } from "../diagnostics.ts";
import { formatJson } from "../import/format-json.ts";
import type { Edit, PlannedRecord } from "../import/plan-import.ts";
import { isPlainObject } from "../read/document.ts";
import { formatPath } from "../read/locate.ts";

const LAYOUT = { indent: "        ", unit: "  ", lineEnd: "\n" };

interface Format {
  /** The name of the vpc config, as shown. */
  name: string;
  isDryRun: boolean;
}

/** Lists what happens to each record, and what is left to do. */
export function formatPlan(plan: readonly PlannedRecord[], { name, isDryRun }: Format): string {
  const count = plan.filter(({ kind }) => kind === "added" || kind === "changed").length;
  const services = count === 1 ? "1 service" : `${count} services`;
  const head = isDryRun
    ? `${name}: ${services} would be written`
    : `${name}: ${count === 0 ? "nothing to write" : `${services} written`}`;
  const next = plan.some(isHomeless)
    ? [
        "",
        'Next: add a "target" to each service, or routes to its network.',
        'Type "miniflare-vpc check" to see what is missing.',
      ]
    : [];
  return [head, ...plan.flatMap((planned) => linesOf(planned, isDryRun)), ...next].join("\n");
}

function isHomeless(planned: PlannedRecord): boolean {
  return planned.kind === "added";
}

function linesOf(planned: PlannedRecord, isDryRun: boolean): string[] {
  const { key, record } = planned;
  const name = `${JSON.stringify(key)}${record.label === key ? "" : `  ${record.label}`}`;
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
