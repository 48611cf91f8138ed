/**
 * What is caught is `unknown`: as an Error, as words, and by its code.
 */

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

export function messageOf(thrown: unknown): string {
  return toError(thrown).message;
}

/** Whether it is an Error of Node's with one of these codes: `ENOENT`, `MODULE_NOT_FOUND`, … */
export function hasCode(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" && codes.includes(thrown.code);
}
