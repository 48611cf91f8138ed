/**
 * Finds what comes nearest to a call that nothing matched: rules, answers and recorded entries are weighed alike.
 */

/** A part of a call that is not as wanted. */
export interface Difference {
  /** `the method is POST, not GET` */
  text: string;
  distance: number;
}

/** The path counts most, then the method, then the rest. Nothing is as far as a call for something else. */
export const DISTANCE = { place: 100_000, path: 1000, segment: 100, upgrade: 50, method: 20, origin: 5, detail: 1 };

export interface Comparison {
  /** As a person writes it. */
  text: string;
  differences: readonly Difference[];
}

/** @returns `GET /users/:id: the method is POST, not GET`; undefined if there is nothing to compare with */
export function nearestOf(compared: readonly Comparison[]): string | undefined {
  const [nearest] = compared.toSorted((one, other) => sumOf(one.differences) - sumOf(other.differences));
  return nearest && `${nearest.text}: ${nearest.differences.map(({ text }) => text).join("; ")}`;
}

export function sumOf(differences: readonly Difference[]): number {
  return differences.reduce((sum, { distance }) => sum + distance, 0);
}

export function toDetail(text: string): Difference {
  return { text, distance: DISTANCE.detail };
}

/** A call of any path is further than one of the same path, but nearer than one of quite another path. */
export function asAnyPath([first, ...others]: Difference[]): Difference[] {
  if (first === undefined) return [];
  return [{ ...first, distance: first.distance + DISTANCE.path + DISTANCE.segment }, ...others];
}

/** At most so many segments are compared. */
const MAX_SEGMENTS = 50;

/**
 * The distance of two paths that differ: what share of each segment differs, the first ones a bit more.
 *
 * @param wanted may have parts that stand for others: `/users/:id`, `/users/{id}`, `/users/*`
 */
export function pathDistance(asked: string, wanted: string): number {
  const got = asked.split("/").slice(0, MAX_SEGMENTS);
  const parts = wanted.split("/").slice(0, MAX_SEGMENTS);
  const last = parts.at(-1) === "*" ? parts.length : Math.max(got.length, parts.length);
  const apart = Array.from({ length: last }, (_, index) => {
    // The place of a segment decides between paths that are alike in as many.
    return segmentDistance(got[index], parts[index]) * (1 + 1 / (index + 10));
  });
  return DISTANCE.path + DISTANCE.segment * apart.reduce((sum, each) => sum + each, 0);
}

const STANDS_FOR_OTHERS = /[:*(]|\{./;

/** @returns 0 to 1 */
function segmentDistance(got: string | undefined, wanted: string | undefined): number {
  if (got === wanted) return 0;
  if (got === undefined || wanted === undefined) return 1;
  if (STANDS_FOR_OTHERS.test(wanted)) return got === "" ? 1 : 0.25;
  const length = Math.max(got.length, wanted.length);
  let shared = 0;
  while (shared < length && got[shared] === wanted[shared]) shared++;
  return 1 - shared / length / 2;
}
