/**
 * Changes that break a good file, and what must hold afterwards: the table can be used, and the diagnostics are useful.
 */

import * as fc from "fast-check";
import { expect } from "vitest";

import { type Diagnostic, formatDiagnostics, hasErrors } from "../../plugin/diagnostics.ts";
import type { LoadedTable } from "../../plugin/load.ts";
import { decide } from "../../service-worker/routing/decide.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import { startCpuTime } from "../setup/cpu-time.ts";

/** Milliseconds of processor time, for files of a few kilobytes. */
const MAX_CPU_TIME = 5000;

export interface BrokenFiles {
  load: () => Promise<LoadedTable>;
  /** The absolute path → the content. A diagnostic may point into these files. */
  files: ReadonlyMap<string, string | Uint8Array>;
  hosts: readonly string[];
}

export async function expectUsable({ load, files, hosts }: BrokenFiles): Promise<LoadedTable> {
  const cpuTime = startCpuTime();
  const loaded = await load();
  const { table, diagnostics } = loaded;
  const formatted = formatDiagnostics(diagnostics);
  expect(cpuTime()).toBeLessThan(MAX_CPU_TIME);

  const texts = new Map([...files].map(([file, content]) => [file, decode(content)]));
  const lines = new Map([...texts].map(([file, text]) => [file, text.split("\n")]));
  const all = [...texts.values()].join("\n");
  for (const diagnostic of diagnostics) expectUseful(diagnostic, { lines, all });
  // oxlint-disable-next-line no-control-regex
  expect(formatted).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);

  // Even with errors, every binding has a decision.
  const index = indexTable(JSON.parse(JSON.stringify(table)) as typeof table);
  for (const key of Object.keys(table.bindings)) {
    for (const host of hosts) {
      expect(decide(index, key, { scheme: "http", host, port: 8080 }).type).toMatch(/^(forward|refuse)$/);
    }
  }
  // Without errors, every target is complete.
  if (!hasErrors(diagnostics)) {
    const types = table.networks.flatMap(({ routes }) => routes.map(({ target }) => typeof target.type));
    expect(types.filter((type) => type !== "string")).toEqual([]);
  }
  return loaded;
}

function decode(content: string | Uint8Array): string {
  return typeof content === "string" ? content : new TextDecoder().decode(content);
}

function expectUseful(
  { text, notes, code, file, line, column }: Diagnostic,
  { lines, all }: { lines: ReadonlyMap<string, string[]>; all: string },
): void {
  const said = [text, ...notes].join("\n");
  expect(code).toMatch(/^[a-z0-9-]+$/);
  expect(text.trim()).not.toBe("");
  // Unless the files contain the text themselves.
  for (const slip of ["undefined", "[object ", "function"]) if (!all.includes(slip)) expect(said).not.toContain(slip);
  expect(file).not.toBe("");
  if (line === undefined) return;
  const there = lines.get(file);
  expect([...lines.keys()]).toContain(file);
  expect(line).toBeGreaterThanOrEqual(1);
  expect(line).toBeLessThanOrEqual(there?.length ?? 0);
  expect(column).toBeGreaterThanOrEqual(1);
  expect(column).toBeLessThanOrEqual((there?.[line - 1]?.length ?? 0) + 2);
}

export type Edit =
  | { kind: "delete" | "repeat"; at: number; length: number }
  | { kind: "move"; at: number; length: number; to: number }
  | { kind: "insert"; at: number; text: string };

/** Edits as by an editor, a merge or a cat on the keyboard. @param texts with a meaning in the format */
export function editsOf(texts: readonly string[]): fc.Arbitrary<Edit[]> {
  const text = fc.oneof(
    fc.string({ maxLength: 5 }),
    fc.string({ unit: "binary", maxLength: 3 }),
    fc.constantFrom(...texts, "\u202e", "__proto__", "<<<<<<< HEAD\n", '"', "'", "\n", "\t"),
  );
  const edit = fc.oneof<fc.Arbitrary<Edit>[]>(
    fc.record({ kind: fc.constant("delete"), at: fc.nat(), length: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant("repeat"), at: fc.nat(), length: fc.integer({ min: 1, max: 200 }) }),
    fc.record({ kind: fc.constant("move"), at: fc.nat(), length: fc.integer({ min: 1, max: 80 }), to: fc.nat() }),
    fc.record({ kind: fc.constant("insert"), at: fc.nat(), text }),
  );
  return fc.array(edit, { minLength: 1, maxLength: 4 });
}

export function edited(text: string, edit: Edit): string {
  const at = edit.at % (text.length + 1);
  switch (edit.kind) {
    case "delete":
      return text.slice(0, at) + text.slice(at + edit.length);
    case "repeat":
      return text.slice(0, at + edit.length) + text.slice(at);
    case "move": {
      const rest = text.slice(0, at) + text.slice(at + edit.length);
      const to = edit.to % (rest.length + 1);
      return rest.slice(0, to) + text.slice(at, at + edit.length) + rest.slice(to);
    }
    case "insert":
      return text.slice(0, at) + edit.text + text.slice(at);
    default:
      return edit satisfies never;
  }
}

/** Other bytes in a few places. */
export const flips: fc.Arbitrary<{ at: number; byte: number }[]> = fc.array(
  fc.record({ at: fc.nat(), byte: fc.nat(255) }),
  { minLength: 1, maxLength: 3 },
);

export function flipped(text: string, changes: readonly { at: number; byte: number }[]): Uint8Array {
  const bytes = Buffer.from(text);
  for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
  return bytes;
}

export interface Change {
  at: number;
  key: string | null;
  value: unknown;
}

/** Any value in any place, or under an additional key. */
export function changesOf({
  values,
  keys,
}: {
  values: readonly unknown[];
  keys: readonly string[];
}): fc.Arbitrary<Change[]> {
  const odd = [null, true, "", [], {}, -1, 1.5, Number.MAX_VALUE, 65_536];
  const change = fc.record({
    at: fc.nat(),
    key: fc.option(fc.oneof(fc.string(), fc.constantFrom("__proto__", "toString", "", ...keys))),
    value: fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...odd, ...values)),
  });
  return fc.array(change, { minLength: 1, maxLength: 3 });
}

type Json = Record<string, unknown> | unknown[];

/** Each place in a JSON value that holds another value. */
function placesIn(node: unknown): { parent: Json; key: string | number }[] {
  if (typeof node !== "object" || node === null) return [];
  const entries: [string | number, unknown][] = Array.isArray(node) ? [...node.entries()] : Object.entries(node);
  return entries.flatMap(([key, child]) => [{ parent: node as Json, key }].concat(placesIn(child)));
}

export function changed(source: unknown, { at, key, value }: Change): unknown {
  const root = structuredClone(source);
  const places = placesIn(root);
  const place = places[at % Math.max(places.length, 1)];
  if (place === undefined) return value;
  if (key !== null && !Array.isArray(place.parent)) {
    Object.defineProperty(place.parent, key, { value, enumerable: true, configurable: true, writable: true });
  } else Reflect.set(place.parent, place.key, value);
  return root;
}
