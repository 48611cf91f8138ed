/**
 * How a caller learns that its `connect()` has connected. A native `connect` to a Worker resolves `opened` immediately,
 * whatever happens behind it. So the caller writes a few bytes ahead of its own. The handler takes them when the target is
 * connected, which resolves the write. There is nothing the other way, because a stream that was read from can't become the
 * body of a `Response`. The runtime drops the knock if the caller aborts its stream or passes it to another Worker.
 *
 *   caller ── knock ──▶ handler ── dial ──▶ target
 *          ◀─ taken ──┘
 *          ── not yet, or lost: what is it? ──▶ connect-outcomes.ts
 */

import { readStart } from "../read-start.ts";

// A test of a user may replace the global ones.
const { setTimeout, clearTimeout } = globalThis;

/** No protocol begins like this. */
const KNOCK = "\0miniflare-vpc\0";

/** What the handler says of a connection instead of a code. */
export const OPEN = "open";

/**
 * Rejects if the knock is lost, or the connection ends before it is taken. What the caller writes meanwhile comes after it.
 *
 * @param host goes ahead of the knock, if the address has no room for it. Begins like a knock, so that nothing else is taken for it
 */
export async function knock({ writable }: Socket, host = ""): Promise<void> {
  const writer = writable.getWriter();
  const taken = writer.write(new TextEncoder().encode(host === "" ? KNOCK : KNOCK + host + KNOCK));
  writer.releaseLock();
  await taken;
}

/** @param length bytes. @returns the host that comes ahead of the knock; undefined if it is lost. Never rejects */
export async function takeHost({ readable }: Socket, length: number): Promise<string | undefined> {
  const start = await readStart(readable, KNOCK.length + length).catch(() => "");
  return start.startsWith(KNOCK) ? start.slice(KNOCK.length) : undefined;
}

/**
 * If one of the two is gone, the next one who reads or writes finds out. After a lost knock, waits until the caller sends
 * something.
 *
 * @param outbound gets the first bytes, if they are no knock
 * @returns how many
 */
export async function takeKnock({ readable }: Socket, outbound: Socket): Promise<number> {
  const reader = readable.getReader({ mode: "byob" });
  const first = await reader.read(new Uint8Array(KNOCK.length)).catch(() => undefined);
  reader.releaseLock();
  if (!first?.value?.byteLength || new TextDecoder().decode(first.value) === KNOCK) return 0;
  const { byteLength } = first.value;
  const writer = outbound.writable.getWriter();
  await writer.write(first.value).catch(() => undefined);
  writer.releaseLock();
  return byteLength;
}

/** Milliseconds after which the caller asks. Most connections are open by then. */
const ASK_AFTER = 10;
/** Milliseconds between an answer without a code and the next question. */
const ASK_AGAIN = 50;
/** How often it asks after its knock is lost. Each question waits a second for the answer. */
const ASK_LOST = 30;

/**
 * The caller asks while its connection is still there, because its stream must not end before it knows why.
 *
 * @param taken of `knock`
 * @param ask returns `OPEN` or the code of the failure; "" if neither is known yet
 * @returns "" if there is a connection, otherwise the code
 */
export async function awaitOutcome(taken: Promise<void>, ask: () => Promise<string>): Promise<string> {
  const end = taken.then(
    () => "open" as const,
    () => "over" as const,
  );
  let patience = ASK_LOST;
  let state = await within(ASK_AFTER, end);
  while (state !== "open") {
    const isLost = state === "over";
    if (isLost && --patience < 0) return "proxy_internal_error";
    const answer = ask().catch(() => "");
    // A knock that is taken after the answer means nothing.
    const opened = end.then((last) => (last === "open" ? "" : answer));
    const code = await (isLost ? answer : Promise.race([answer, opened]));
    // Until the knock is taken, the caller's own bytes would come after it.
    if (code === OPEN) await end;
    if (code !== "") return code === OPEN ? "" : code;
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
    // `setTimeout` throws if the request has 10 000 timers already.
    return undefined;
  }
  const result = await Promise.race([promise, late.promise]);
  clearTimeout(timer);
  return result;
}
