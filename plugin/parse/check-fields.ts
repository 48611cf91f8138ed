/**
 * Checks an object against the schemas of its fields, one by one, so that a bad field doesn't hide others.
 */

import * as v from "valibot";

import { type FieldsOf, adviceFor } from "./config-schema.ts";
import { didYouMean } from "../diagnostics.ts";
import { type Parsing, isPlainObject, quote } from "../read/document.ts";
import { type Path, formatPath } from "../read/locate.ts";

/** A `T` without its bad and missing fields, which are reported. */
export type Checked<T> = T extends string | number | boolean | null | undefined | readonly unknown[]
  ? T
  : { [K in keyof T]?: Checked<T[K]> };

interface Unchecked<T> {
  fields: FieldsOf<T>;
  /** Describes the object in messages: "a service". */
  what: string;
  value: Record<string, unknown>;
  at: Path;
}

export function checkFields<T>({ fields, what, value, at }: Unchecked<T>, parsing: Parsing): Checked<T> {
  const { report } = parsing;
  const schemas: Record<string, v.GenericSchema> = fields;
  const checked: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(schemas, key)) continue;
    const meant = didYouMean(key, Object.keys(schemas));
    const valid =
      meant === undefined ? `Valid fields: ${Object.keys(schemas).join(", ")}.` : `Did you mean "${meant}"?`;
    report({
      code: "unknown-field",
      text: `${quote(key)} is not a field of ${what}`,
      at: [...at, key],
      part: "key",
      notes: [standInBeside(value, { key, fields: schemas }) ?? valid],
    });
  }
  for (const [key, schema] of Object.entries(schemas)) {
    const field = value[key];
    if (field === undefined) {
      if (schema.type !== "exact_optional") {
        report({
          code: "missing-field",
          text: `${what} lacks "${key}"`,
          at,
          part: "key",
          notes: [`Add "${key}": ${expectationOf(schema)}.`],
        });
      }
      continue;
    }
    const nested = nestedFields(schema);
    if (nested !== undefined && isPlainObject(field)) {
      checked[key] = checkFields({ fields: nested, what: `"${key}"`, value: field, at: [...at, key] }, parsing);
      continue;
    }
    const advice = adviceFor(key, field);
    // The schema of an object would take an array for an object without its fields.
    if (nested !== undefined && Array.isArray(field) && !takesArrays(schema)) {
      report({
        code: "invalid-value",
        text: `${quote(key)} is an array, but must be an object`,
        at: [...at, key],
        ...(advice !== undefined && { notes: [advice] }),
      });
      continue;
    }
    const result = v.safeParse(schema, field, { abortPipeEarly: true });
    if (result.success) checked[key] = result.output;
    for (const issue of (result.issues ?? []).flatMap(innermost)) {
      // What an object would need says nothing of an array.
      if (issue.type === "strict_object" && Array.isArray(field)) continue;
      const inner = (issue.path ?? []).map((item) => item.key).filter(isSegment);
      report({
        code: "invalid-value",
        text: `${quote(formatPath([key, ...inner]))} is ${quote(issue.input)}, but must be ${issue.message}`,
        at: [...at, key, ...inner],
        ...(advice !== undefined && { notes: [advice] }),
      });
    }
  }
  // Safe, because the loop above checks each field with its own schema from `FieldsOf<T>`.
  return checked as Checked<T>;
}

const IN_A_TARGET: Record<string, string> = {
  respond: '{ "respond": … }',
  har: '"har:FILE"',
  openapi: '"openapi:FILE"',
};

/** @returns where to write a stand-in that stands beside a target, or in place of one; undefined: the field is none */
function standInBeside(
  value: Record<string, unknown>,
  { key, fields }: { key: string; fields: object },
): string | undefined {
  const target = Object.hasOwn(IN_A_TARGET, key) ? IN_A_TARGET[key] : undefined;
  if (target === undefined || !Object.hasOwn(fields, "target") || Object.hasOwn(fields, "har")) return undefined;
  return `Write "target": ${target}${value["target"] === undefined ? "" : ', in place of the "target" that is there'}.`;
}

/** The issues inside the option of a union that the value was meant for: only these have a path. */
function innermost(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown>[] {
  const inner = (issue.issues ?? []).filter(({ path }) => path !== undefined);
  return inner.length > 0 ? inner : [issue];
}

/** The fields of a nested object, which can be optional, nullable, or one of several things. */
function nestedFields(schema: v.GenericSchema): Record<string, v.GenericSchema> | undefined {
  const wrapped = unwrap(schema);
  return "entries" in wrapped && isPlainObject(wrapped.entries)
    ? (wrapped.entries as Record<string, v.GenericSchema>)
    : undefined;
}

function unwrap(schema: v.GenericSchema): v.GenericSchema {
  if ("wrapped" in schema) return unwrap(schema.wrapped as v.GenericSchema);
  return optionsOf(schema).find(({ type }) => type === "strict_object") ?? schema;
}

function optionsOf(schema: v.GenericSchema): v.GenericSchema[] {
  if ("wrapped" in schema) return optionsOf(schema.wrapped as v.GenericSchema);
  return "options" in schema && Array.isArray(schema.options) ? (schema.options as v.GenericSchema[]) : [];
}

function takesArrays(schema: v.GenericSchema): boolean {
  return optionsOf(schema).some(({ type }) => type === "array");
}

function expectationOf(schema: v.GenericSchema): string {
  return v.safeParse(schema, undefined).issues?.[0].message ?? "";
}

function isSegment(key: unknown): key is string | number {
  return typeof key === "string" || typeof key === "number";
}
