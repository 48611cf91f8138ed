/**
 * Checks an object against its fields' schemas, field by field, so that one bad field hides no other.
 */

import * as v from "valibot";

import { type FieldsOf, adviceFor } from "./config-schema.ts";
import { didYouMean } from "../diagnostics.ts";
import { type Parsing, isTable, quote } from "../read/document.ts";
import { type Path, formatPath } from "../read/locate.ts";

/** What is left of a `T` after its bad and missing fields were reported. */
export type Checked<T> = T extends string | number | boolean | null | undefined | readonly unknown[]
  ? T
  : { [K in keyof T]?: Checked<T[K]> };

interface Unchecked<T> {
  fields: FieldsOf<T>;
  /** What the object is, for messages: "a service". */
  what: string;
  value: Record<string, unknown>;
  at: Path;
}

export function checkFields<T>({ fields, what, value, at }: Unchecked<T>, { report, document }: Parsing): Checked<T> {
  const schemas: Record<string, v.GenericSchema> = fields;
  const checked: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(schemas, key)) continue;
    const meant = didYouMean(key, Object.keys(schemas));
    report({
      code: "unknown-field",
      text: `${quote(key)} is not a field of ${what}`,
      at: [...at, key],
      part: "key",
      notes: [meant === undefined ? `Its fields are ${Object.keys(schemas).join(", ")}.` : `Did you mean "${meant}"?`],
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
    if (nested !== undefined && isTable(field)) {
      checked[key] = checkFields(
        { fields: nested, what: `"${key}"`, value: field, at: [...at, key] },
        { report, document },
      );
      continue;
    }
    const advice = adviceFor(key, field);
    // To a schema of an object an array is one, only without its fields.
    if (nested !== undefined && Array.isArray(field)) {
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
      const inner = (issue.path ?? []).map((item) => item.key).filter(isSegment);
      report({
        code: "invalid-value",
        text: `${quote(formatPath([key, ...inner]))} is ${quote(issue.input)}, but must be ${issue.message}`,
        at: [...at, key, ...inner],
        ...(advice !== undefined && { notes: [advice] }),
      });
    }
  }
  // The loop above has put each field through its own schema of `FieldsOf<T>`.
  return checked as Checked<T>;
}

/** Of a choice, what is wrong inside of the one that was chosen: only there has an issue a path. */
function innermost(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown>[] {
  const inner = (issue.issues ?? []).filter(({ path }) => path !== undefined);
  return inner.length > 0 ? inner : [issue];
}

/** The fields of a nested object, also an optional or nullable one. */
function nestedFields(schema: v.GenericSchema): Record<string, v.GenericSchema> | undefined {
  const wrapped = unwrap(schema);
  return "entries" in wrapped && isTable(wrapped.entries)
    ? (wrapped.entries as Record<string, v.GenericSchema>)
    : undefined;
}

function unwrap(schema: v.GenericSchema): v.GenericSchema {
  return "wrapped" in schema ? unwrap(schema.wrapped as v.GenericSchema) : schema;
}

function expectationOf(schema: v.GenericSchema): string {
  return v.safeParse(schema, undefined).issues?.[0].message ?? "";
}

function isSegment(key: unknown): key is string | number {
  return typeof key === "string" || typeof key === "number";
}
