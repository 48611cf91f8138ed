/**
 * Turns a caught `unknown` into an Error or its text, and checks its code.
 */

/** Never throws, whatever was thrown: a function of a vpc config may throw a value that has no text. */
export function toError(thrown: unknown): Error {
  try {
    if (!(thrown instanceof Error)) return new Error(String(thrown));
    // The code that throws may have put anything there.
    const { message, stack = "" }: { message: unknown; stack?: unknown } = thrown;
    return typeof message === "string" && typeof stack === "string" ? thrown : new Error(String(message));
  } catch {
    return new Error("a value that has no text was thrown");
  }
}

export function messageOf(thrown: unknown): string {
  return toError(thrown).message;
}

/** Whether it is a Node error with one of these codes: `ENOENT`, `MODULE_NOT_FOUND`, … */
export function hasCode(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" && codes.includes(thrown.code);
}
