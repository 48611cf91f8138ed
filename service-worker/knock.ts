/**
 * How a caller learns that its `connect()` has connected. A native `connect` to a Worker resolves `opened` immediately,
 * whatever happens behind it. So the caller writes one byte ahead of its own. The handler takes the byte when the target is
 * connected, which resolves the write. There is no byte the other way, because a stream that was read from can't become the
 * body of a `Response`.
 *
 *   caller ── knock ──▶ handler ── dial ──▶ target
 *          ◀─ taken ──┘
 *          ── not yet: why? ──▶ connect-failures.ts
 */

import { readStart } from "./read-start.ts";

// A test of a user may replace the global ones.
const { setTimeout, clearTimeout } = globalThis;

/**
 * Rejects if the connection ends before the knock is taken. What the caller writes meanwhile comes after it.
 *
 * @param host goes ahead of the knock, if the address has no room for it
 */
export async function knock({ writable }: Socket, host = ""): Promise<void> {
  const writer = writable.getWriter();
  const taken = writer.write(new TextEncoder().encode(`${host}!`));
  writer.releaseLock();
  await taken;
}

/** If the caller is gone, the next one who reads finds out. */
export async function takeKnock({ readable }: Socket): Promise<void> {
  await readStart(readable, 1).catch(() => undefined);
}

/** Milliseconds after which the caller asks. Most connections are open by then. */
const ASK_AFTER = 10;
/** Milliseconds between an answer without a code and the next question. */
const ASK_AGAIN = 50;

/**
 * The caller asks while its connection is still there, because its stream must not end before it knows why.
 *
 * @param taken of `knock`
 * @param ask returns the code of the failure; "" if there is none, or none yet
 * @returns "" if there is a connection, otherwise the code
 */
export async function awaitOutcome(taken: Promise<void>, ask: () => Promise<string>): Promise<string> {
  const end = taken.then(
    () => "open" as const,
    () => "over" as const,
  );
  let state = await within(ASK_AFTER, end);
  while (state !== "open") {
    const answer = ask().catch(() => "");
    // A knock that is taken after the answer means nothing.
    const opened = end.then((last) => (last === "open" ? "" : answer));
    const code = await (state === "over" ? answer : Promise.race([answer, opened]));
    if (code !== "") return code;
    if (state === "over") return "proxy_internal_error";
    state = await within(ASK_AGAIN, end);
  }
  return "";
}

/** @returns undefined if the promise takes longer */
async function within<T>(limit: number, promise: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    timer = setTimeout(late.resolve, limit, undefined);
  } catch {
    // A request may have 10 000 timers.
    return undefined;
  }
  const result = await Promise.race([promise, late.promise]);
  clearTimeout(timer);
  return result;
}
