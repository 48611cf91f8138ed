/**
 * A piece of a compose file: its value, and where it stands. Immutable; what was merged from several files keeps
 * the place of each part.
 */

import type { Diagnostic } from "../diagnostics.ts";

export interface Place {
  /** Absolute path. */
  file: string;
  /** From 1; absent for a config without positions. */
  line?: number;
  /** From 1, in UTF-16 units. */
  column?: number;
}

export type ComposeNode = ComposeMap | ComposeList | ComposeScalar;

interface NodeBase {
  at: Place;
  /** Of its key in a map; otherwise its own. */
  key: Place;
  /** `!reset`: it is gone, and so is what it overrides; `!override`: it replaces instead of being merged. */
  tag?: "reset" | "override";
}

export interface ComposeMap extends NodeBase {
  type: "map";
  entries: ReadonlyMap<string, ComposeNode>;
}

export interface ComposeList extends NodeBase {
  type: "list";
  items: readonly ComposeNode[];
}

export interface ComposeScalar extends NodeBase {
  type: "scalar";
  value: string | number | boolean | null;
}

/** The child under a key; undefined also where it was reset or left empty. */
export function childOf(map: ComposeMap, key: string): ComposeNode | undefined {
  const child = map.entries.get(key);
  return child === undefined || child.tag === "reset" || isNothing(child) ? undefined : child;
}

/** A child that is text, or a number to be read as one. */
export function textOf(map: ComposeMap, key: string): { text: string; at: Place } | undefined {
  const child = childOf(map, key);
  return child?.type === "scalar" ? { text: String(child.value), at: child.at } : undefined;
}

/** The texts of a list, or of a single one; what is none is left out. */
export function textsOf(node: ComposeNode | undefined): { text: string; at: Place }[] {
  if (node === undefined || node.tag === "reset" || isNothing(node)) return [];
  switch (node.type) {
    case "scalar":
      return [{ text: String(node.value), at: node.at }];
    case "list":
      return node.items.flatMap((item) => (item.type === "scalar" ? textsOf(item) : []));
    case "map":
      return [];
    default:
      return node satisfies never;
  }
}

/** What stands where something else should, for messages. */
export function quoteNode(node: ComposeNode): string {
  switch (node.type) {
    case "scalar":
      return typeof node.value === "string" ? JSON.stringify(node.value) : String(node.value);
    case "list":
      return "a list";
    case "map":
      return "a mapping";
    default:
      return node satisfies never;
  }
}

function isNothing(node: ComposeNode): boolean {
  return node.type === "scalar" && node.value === null;
}

export interface ComposeFinding {
  /** Default: error. */
  severity?: "warning";
  code: string;
  text: string;
  at: Place;
  notes?: string[];
}

/** Of a text or a note, in UTF-16 units: a compose file may put anything into it. */
const MAX_SAID = 2000;

export type ReportCompose = (finding: ComposeFinding) => void;

export function reportComposeTo(diagnostics: Diagnostic[]): ReportCompose {
  return ({ severity, code, text, at, notes = [] }) => {
    diagnostics.push({ severity: severity ?? "error", code, text: cut(text), ...at, notes: notes.map(cut) });
  };
}

function cut(said: string): string {
  return said.length > MAX_SAID ? `${said.slice(0, MAX_SAID)}…` : said;
}
