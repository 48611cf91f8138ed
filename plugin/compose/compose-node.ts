/**
 * A piece of a compose file: its value and its place. Immutable. A node that was merged from several files keeps the
 * place of each part.
 */

import type { Diagnostic } from "../diagnostics.ts";
import { hideSecrets } from "../read/hide-secrets.ts";

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
  /** The place of its key in a map; otherwise its own place. */
  key: Place;
  /** `!reset` removes the value and the one it overrides; `!override` replaces it instead of merging. */
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

/** The child under a key; undefined if it is missing, reset or empty. */
export function childOf(map: ComposeMap, key: string): ComposeNode | undefined {
  const child = map.entries.get(key);
  return child === undefined || child.tag === "reset" || isNothing(child) ? undefined : child;
}

/** The text of a scalar child. Numbers and booleans become text. */
export function textOf(map: ComposeMap, key: string): { text: string; at: Place } | undefined {
  const child = childOf(map, key);
  return child?.type === "scalar" ? { text: String(child.value), at: child.at } : undefined;
}

/** The text of a scalar, or the texts of a list. Skips items that are not scalars. */
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

/** Describes a node of the wrong type in a message. */
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

/** The limit for a text or a note, in UTF-16 units. A compose file may put anything into it. */
const MAX_SAID = 2000;

export type ReportCompose = (finding: ComposeFinding) => void;

export function reportComposeTo(diagnostics: Diagnostic[]): ReportCompose {
  return ({ severity, code, text, at, notes = [] }) => {
    diagnostics.push({ severity: severity ?? "error", code, text: cut(text), ...at, notes: notes.map(cut) });
  };
}

function cut(said: string): string {
  const shown = hideSecrets(said);
  return shown.length > MAX_SAID ? `${shown.slice(0, MAX_SAID)}…` : shown;
}
