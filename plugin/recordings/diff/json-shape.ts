/** Compares JSON by its structure: which fields there are, and of which types. */

import { REDACTED } from "../har.ts";

export interface ShapeChange {
  /** `user.roles[].name`; empty: the whole body. */
  path: string;
  /** In words: `number → string`, `is missing`, `is new`. */
  change: string;
}

interface Place {
  types: Set<string>;
  /** How many values there are. */
  count: number;
  /** The path of what it is in; absent for the root. */
  parent?: string;
}

type Shape = Map<string, Place>;

/** @param ignore names of fields, in lower case */
export function compareShapes(recorded: unknown, live: unknown, ignore: ReadonlySet<string>): ShapeChange[] {
  const before = shapeOf(recorded, ignore);
  const after = shapeOf(live, ignore);
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((path) => {
    const change = compare(path, before, after);
    return change === undefined ? [] : [{ path, change }];
  });
}

function shapeOf(value: unknown, ignore: ReadonlySet<string>): Shape {
  const shape: Shape = new Map();
  const add = (each: unknown, path: string, parent?: string): void => {
    const place = shape.get(path) ?? { types: new Set(), count: 0, ...(parent !== undefined && { parent }) };
    shape.set(path, place);
    place.types.add(typeOf(each));
    place.count++;
    if (Array.isArray(each)) for (const item of each) add(item, `${path}[]`, path);
    else if (typeof each === "object" && each !== null) {
      for (const [name, member] of Object.entries(each))
        if (!ignore.has(name.toLowerCase())) add(member, path === "" ? name : `${path}.${name}`, path);
    }
  };
  add(value, "");
  return shape;
}

/** Of a secret, the type isn't known. */
const UNKNOWN = "unknown";

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (value === REDACTED) return UNKNOWN;
  return Array.isArray(value) ? "array" : typeof value;
}

function compare(path: string, before: Shape, after: Shape): string | undefined {
  const [recorded, live] = [before.get(path), after.get(path)];
  if (recorded === undefined || live === undefined) {
    const [there, other, words] = recorded === undefined ? [live, before, "is new"] : [recorded, after, "is missing"];
    // Where there is no object, its fields say nothing; nor do the items of a list that is empty on one side.
    const parent = there?.parent === undefined ? undefined : other.get(there.parent);
    return path.endsWith("[]") || parent?.types.has("object") !== true ? undefined : words;
  }
  const isNew = [...live.types].some((type) => !recorded.types.has(type));
  if (isNew && !recorded.types.has(UNKNOWN)) return `${list(recorded.types)} → ${list(live.types)}`;
  return isSometimesMissing(path, after) && !isSometimesMissing(path, before) ? "is missing in some" : undefined;
}

/** Whether some of the objects of a list don't have the field. */
function isSometimesMissing(path: string, shape: Shape): boolean {
  const { count, parent } = shape.get(path) ?? { count: 0 };
  return parent !== undefined && !path.endsWith("[]") && count < (shape.get(parent)?.count ?? 0);
}

function list(types: ReadonlySet<string>): string {
  return [...types].toSorted().join(" or ");
}
