/**
 * Finds the line and column of a key path, for formats that have them. Reads no files.
 */

/** Keys and array indexes, starting at the root of a config. */
export type Path = readonly (string | number)[];

export interface Position {
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 units. */
  column: number;
}

/** @returns the position of the path in the source, or of the deepest part of it that exists */
export type Locate = (path: Path, part: "key" | "value") => Position | undefined;

/**
 * The place of a parsed value in its source. The children of an array have their index as key. `P`: a position, or an offset
 * that becomes one when it is asked for.
 */
export interface LocatedNode<P = Position> {
  /** The position of the key. In an array or at the root, it is the position of the value. */
  key: P;
  value: P;
  children: Map<string, LocatedNode<P>>;
}

export function locateInTree<P>(root: LocatedNode<P>, positionAt: (place: P) => Position): Locate {
  return (path, part) => {
    let node = root;
    for (const segment of path) {
      const child = node.children.get(String(segment));
      // A missing field is reported at the object that lacks it.
      if (child === undefined) return positionAt(node.key);
      node = child;
    }
    return positionAt(node[part]);
  };
}

/** @returns a function that converts an offset in `text` to a position */
export function positionsOf(text: string): (offset: number) => Position {
  const starts = [0];
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) starts.push(end + 1);
  return (offset) => {
    const line = lowerBound(starts, offset + 1);
    return { line, column: offset - (starts[line - 1] ?? 0) + 1 };
  };
}

/** Matches strings, comments and words of JavaScript. A string or word with a colon is a key. */
const TOKEN = /(["'`])((?:\\.|(?!\1)[^\\\n])*)\1(\s*:)?|\/\/.*|\/\*[^]*?\*\/|([\w$]+)(\s*:)?/g;

/**
 * Best effort for JavaScript and TypeScript: for each segment of a path, finds the first key of that name after the
 * previous one. Finds the right line if the config is a single literal.
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

/** Formats a path as `networks["550e…"].routes["10.0.0.0/8"]`, for configs without positions. */
export function formatPath(path: Path): string {
  return path.reduce<string>(appendSegment, "");
}

/** @param start a formatted path; empty: the root */
export function appendSegment(start: string, segment: Path[number]): string {
  const isWord = typeof segment === "string" && /^[a-z_$][\w$]*$/i.test(segment);
  return isWord ? `${start}${start === "" ? "" : "."}${segment}` : `${start}[${JSON.stringify(segment)}]`;
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
