/** Finds the files that an OpenAPI document refers to, those that they refer to, and so on. */

import { readFileSync } from "node:fs";
import path from "node:path";

export interface MissingFile {
  /** As the reference writes it. */
  name: string;
  /** Where it should be. */
  file: string;
  /** The file that has the reference, its text, and where its name is in it. */
  from: { file: string; text: string; offset: number };
}

/** @returns `files`: the document and all that exist; `missing`: each only once */
export function followReferences(root: string, text: string): { files: string[]; missing: MissingFile[] } {
  const files = new Set([root]);
  const missing = new Map<string, MissingFile>();
  const follow = (from: string, content: string): void => {
    for (const { name, offset } of referencesIn(content)) {
      const file = path.resolve(path.dirname(from), name);
      if (files.has(file) || missing.has(file)) continue;
      const found = readIfThere(file);
      if (found === undefined) {
        missing.set(file, { name, file, from: { file: from, text: content, offset } });
        continue;
      }
      files.add(file);
      follow(file, found);
    }
  };
  follow(root, text);
  return { files: [...files], missing: [...missing.values()] };
}

/** References to files, without URLs and comments. The part after "#" is not of the name. */
function referencesIn(text: string): { name: string; offset: number }[] {
  const pattern = /["']?\$ref["']?\s*:\s*(?:"([^"#\n]+)|'([^'#\n]+)|([^"'\s#{[][^#\n,}]*))/g;
  return Array.from(text.matchAll(pattern), (match) => {
    const [whole, inDouble, inSingle, bare = ""] = match;
    const name = inDouble ?? inSingle ?? bare;
    return { name: name.trim(), offset: match.index + whole.length - name.length };
  }).filter(({ name, offset }) => !/^[a-z][a-z\d+.-]+:/i.test(name) && !isComment(text, offset));
}

function isComment(text: string, offset: number): boolean {
  return /^\s*#/.test(text.slice(text.lastIndexOf("\n", offset) + 1, offset));
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // It is missing, or a folder. What refers to it can't be answered either way.
    return undefined;
  }
}
