/**
 * Parses the text of an .env file as Docker Compose does: `NAME=value`, quotes, comments, `export`, and variables in
 * values. Reads no files.
 */

import { positionsOf } from "../read/locate.ts";
import { type VariableLookup, interpolate } from "./interpolate.ts";

export interface EnvFile {
  values: Map<string, string>;
  problems: { line: number; text: string; notes: string[] }[];
}

const STATEMENT = /(?:export\s+)?([\w.[\]-]+)[^\S\n]*(?:([=:])[^\S\n]*|(?=\n|$))/y;
const BLANK = /\s+|#.*/y;
/** A quoted value may span several lines. */
const QUOTED = /(["'])((?:\\[^]|(?!\1)[^\\])*)\1/y;
const LINE = /[^\n]*/y;
const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", $: "$$" };

/** @param outer variables of the process: they win over the file, also inside values */
export function parseEnvFile(source: string, outer: VariableLookup): EnvFile {
  const file: EnvFile = { values: new Map(), problems: [] };
  const lookup: VariableLookup = (name) => outer(name) ?? file.values.get(name);
  const text = source.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  const positionAt = positionsOf(text);
  const matchAt = (pattern: RegExp, at: number): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  const lineAt = (at: number): string => matchAt(LINE, at)?.[0] ?? "";
  const fail = (at: number, problem: string, notes: string[]): void => {
    file.problems.push({ line: positionAt(at).line, text: problem, notes });
  };
  const set = (name: string, template: string, at: number): void => {
    const value = interpolate(template, lookup);
    if ("problem" in value) fail(at, value.problem, [value.note]);
    else file.values.set(name, value.text);
  };

  for (let at = 0; at < text.length;) {
    const blank = matchAt(BLANK, at)?.[0];
    if (blank !== undefined) {
      at += blank.length;
      continue;
    }
    const [head, name, separator] = matchAt(STATEMENT, at) ?? [];
    if (head === undefined || name === undefined) {
      const line = lineAt(at);
      // The message doesn't quote the line: it may be part of a secret.
      fail(at, "this is not a valid line of an .env file", ["Write NAME=value."]);
      at += line.length;
      continue;
    }
    const valueAt = at + head.length;
    const [quoted, quote, inside = ""] = matchAt(QUOTED, valueAt) ?? [];
    if (separator === undefined) {
      // A name alone refers to the process's variable, which wins anyway.
      at = valueAt;
    } else if (quoted === undefined) {
      const line = lineAt(valueAt);
      if (/^["']/.test(line)) fail(at, `the value of ${JSON.stringify(name)} has an unclosed quote`, []);
      else set(name, (line.split(" #")[0] ?? "").trim(), at);
      at = valueAt + line.length;
    } else {
      if (quote === "'") file.values.set(name, inside.replaceAll("\\'", "'"));
      else
        set(
          name,
          inside.replaceAll(/\\([nrt"\\$])/g, (_, escaped: string) => ESCAPES[escaped] ?? ""),
          at,
        );
      at = valueAt + quoted.length;
    }
  }
  return file;
}
