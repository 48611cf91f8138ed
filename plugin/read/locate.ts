/**
 * From a key path to a line and column, for the formats that have them. Reads no files.
 */

/** Keys and array indexes from the root of a config. */
export type Path = readonly (string | number)[];

export interface Position {
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 units. */
  column: number;
}

/** @returns where the path, or the deepest part of it that exists, stands in the source */
export type Locate = (path: Path, part: "key" | "value") => Position | undefined;

/** A parsed value's place in its source. Array elements are children under their index. */
export interface LocatedNode {
  /** The element itself in an array, the value itself at the root. */
  key: Position;
  value: Position;
  children: Map<string, LocatedNode>;
}

export function locateInTree(root: LocatedNode): Locate {
  return (path, part) => {
    let node = root;
    for (const segment of path) {
      const child = node.children.get(String(segment));
      // Something missing is reported on the object that lacks it.
      if (child === undefined) return node.key;
      node = child;
    }
    return node[part];
  };
}

/** @returns a function from an offset into `text` to its position */
export function positionsOf(text: string): (offset: number) => Position {
  const starts = [0];
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) starts.push(end + 1);
  return (offset) => {
    const line = lowerBound(starts, offset + 1);
    return { line, column: offset - (starts[line - 1] ?? 0) + 1 };
  };
}

/** Strings, comments and words of JavaScript, each with the colon that makes it a key. */
const TOKEN = /(["'`])((?:\\.|(?!\1)[^\\\n])*)\1(\s*:)?|\/\/.*|\/\*[^]*?\*\/|([\w$]+)(\s*:)?/g;

/**
 * Best effort for JavaScript and TypeScript: the segments of a path, each the first key of that name after the
 * one before. Lands on the right line for a config written as one literal.
 */
export function locateInScript(text: string): Locate {
  const keys = new Map<string, number[]>();
  for (const token of text.matchAll(TOKEN)) {
    const key = token[3] === undefined ? (token[5] === undefined ? undefined : token[4]) : token[2];
    if (key === undefined) continue;
    const offsets = keys.get(key);
    if (offsets === undefined) keys.set(key, [token.index]);
    else offsets.push(token.index);
  }
  const positionAt = positionsOf(text);
  return (path) => {
    let found: number | undefined;
    for (const segment of path) {
      if (typeof segment === "number") break;
      const offsets = keys.get(segment) ?? [];
      const next = offsets[lowerBound(offsets, found === undefined ? 0 : found + 1)];
      if (next === undefined) break;
      found = next;
    }
    return found === undefined ? undefined : positionAt(found);
  };
}

/** `networks["550e…"].routes["10.0.0.0/8"]`; the form for configs without positions. */
export function formatPath(path: Path): string {
  return path
    .map((segment, index) => {
      if (typeof segment === "string" && /^[a-z_$][\w$]*$/i.test(segment)) return index === 0 ? segment : `.${segment}`;
      return `[${JSON.stringify(segment)}]`;
    })
    .join("");
}

/** @returns the index of the first element that is not less than `value` in an ascending list */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
