/**
 * The path of a call: a URLPattern pathname, and the text that every path which it matches begins and ends with.
 */

import { URLPattern } from "urlpattern-polyfill/urlpattern";

import { quote } from "../read/quote.ts";
import type { Mistake } from "./mistake.ts";

/** The named groups of a path. */
export type PathParams = Record<string, string>;

/** Text without syntax. `start` and `end` are whole segments, such as `/users`; empty: any. */
export type PathEdges = { whole: string } | { start: string; end: string };

export interface CallPath {
  edges: PathEdges;
  /** @returns undefined if it doesn't match */
  match: (pathname: string) => PathParams | undefined;
}

/** @returns what is wrong with the path of a call, if anything is */
export function findPathMistake(path: unknown): Mistake | undefined {
  if (typeof path !== "string" || !path.startsWith("/")) {
    return { text: `the path of the call is ${quote(path)}; it begins with "/", such as "/users/:id"` };
  }
  if (/^[^({]*\?(?![^(]*\))/.test(path) && !/[:)}*]\w*\?$/.test(path)) {
    const text = `the path ${quote(path)} has a query; a path is compared without it`;
    return { text, note: 'Write { "path": …, "query": { "name": "value" } }.' };
  }
  try {
    toPattern(path);
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { text: `the path ${quote(path)} is not a URLPattern pathname: ${reason}` };
  }
}

function toPattern(path: string): URLPattern {
  return new URLPattern({ pathname: path });
}

/** Without the characters of URLPattern's syntax. */
const PLAIN_START = /^[\w/.~@!$&',;=%-]*/;
const PLAIN_END = /[\w/.~@!$&',;=%-]*$/;

/** @param path one without a mistake. Absent: every path */
export function parsePath(path: string | undefined): CallPath {
  if (path === undefined) return { edges: { start: "", end: "" }, match: () => ({}) };
  const pattern = toPattern(path);
  // As the pattern writes it: with "..", "é" and spaces as a URL has them.
  const { pathname: text } = pattern;
  const plain = PLAIN_START.exec(text)?.[0] ?? "";
  if (plain === text) return { edges: { whole: text }, match: (pathname) => (pathname === text ? {} : undefined) };
  // An optional group takes the slash before it along.
  const rest = text.slice(plain.length);
  const isOptional = /[\w)*}][?*]/.test(rest);
  const prefix = isOptional ? plain.replace(/\/$/, "") : plain;
  const known = isOptional && !/^:\w+[?*]$/.test(rest) ? prefix : plain;
  const edges = {
    start: known.slice(0, known.lastIndexOf("/")),
    end: /\/.*$/.exec(PLAIN_END.exec(text)?.[0] ?? "")?.[0] ?? "",
  };
  return {
    edges,
    match(pathname) {
      const isPossible = pathname.startsWith(prefix) && pathname.endsWith(edges.end);
      const groups = isPossible ? pattern.exec({ pathname })?.pathname.groups : undefined;
      if (groups === undefined) return undefined;
      return Object.fromEntries(
        Object.entries(groups).map(([name, value]: [string, string | undefined]) => [name, value ?? ""]),
      );
    },
  };
}
