/**
 * What `miniflare-vpc import` says of its outcomes. Text only.
 */

import type { Diagnostic } from "../diagnostics.ts";
import { formatJson } from "../import/format-json.ts";
import type { Edit, Outcome } from "../import/plan-import.ts";
import { isTable } from "../read/document.ts";
import { formatPath } from "../read/locate.ts";

const LAYOUT = { indent: "        ", unit: "  ", lineEnd: "\n" };

interface Format {
  /** Of the vpc config, as shown. */
  name: string;
  isDryRun: boolean;
}

/** Each record with what became of it, and what is left to do. */
export function formatOutcomes(outcomes: readonly Outcome[], { name, isDryRun }: Format): string {
  const count = outcomes.filter(({ kind }) => kind === "added" || kind === "changed").length;
  const services = count === 1 ? "1 service" : `${count} services`;
  const head = isDryRun
    ? `${name}: ${services} would be written`
    : `${name}: ${count === 0 ? "nothing to write" : `${services} written`}`;
  const next = outcomes.some(isHomeless)
    ? [
        "",
        'Next: say where they are here, with a "target" in the service or routes in its network.',
        'Type "miniflare-vpc check" to see what is missing.',
      ]
    : [];
  return [head, ...outcomes.flatMap((outcome) => linesOf(outcome, isDryRun)), ...next].join("\n");
}

function isHomeless(outcome: Outcome): boolean {
  return outcome.kind === "added";
}

function linesOf(outcome: Outcome, isDryRun: boolean): string[] {
  const { key, record } = outcome;
  const name = `${JSON.stringify(key)}${record.label === key ? "" : `  ${record.label}`}`;
  switch (outcome.kind) {
    case "added":
      return [`    added    ${name}`, ...(isDryRun ? [`        ${formatJson(outcome.value, LAYOUT)}`] : [])];
    case "changed":
      return [`    changed  ${name}`, ...outcome.edits.map((edit) => `        ${describeEdit(edit)}`)];
    case "same":
      return [`    same     ${name}`];
    case "remote":
      return [`    left     ${name}: it is "remote"`];
    default:
      return outcome satisfies never;
  }
}

function describeEdit({ path, before, after }: Edit): string {
  const field = formatPath(path.slice(2));
  if (field === "") return `${formatInline(before)} is now the "target" of the whole record`;
  if (before === undefined) return `${field}: ${formatInline(after)}`;
  return `${field}: ${formatInline(before)} → ${after === undefined ? "none" : formatInline(after)}`;
}

function formatInline(value: unknown): string {
  return isTable(value) || Array.isArray(value)
    ? formatJson(value, { ...LAYOUT, indent: "" }).replaceAll(/\s*\n\s*/g, " ")
    : JSON.stringify(value);
}

/** For records that came without a service_id. */
export function hintsOf(outcomes: readonly Outcome[]): Diagnostic[] {
  return outcomes.flatMap((outcome): Diagnostic[] => {
    if (outcome.kind !== "added" || outcome.hint === undefined) return [];
    const { key, record, hint } = outcome;
    const text = `${JSON.stringify(record.label)} comes without a "service_id"`;
    const notes =
      hint === "binding-by-name"
        ? [`It was taken for the binding of that name, which has ${JSON.stringify(key)}.`]
        : [`It stands under ${JSON.stringify(key)} now: put the service_id, or the binding's name, in its place.`];
    return [{ severity: "warning", code: "no-service-id", text, ...record.at, notes }];
  });
}
