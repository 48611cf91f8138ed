/**
 * How a caller learns that its `connect()` has connected. A native `connect` to a Worker resolves `opened` immediately,
 * whatever happens behind it. So the caller writes one byte ahead of its own. The handler takes the byte when the target is
 * connected, which resolves the write. There is no byte the other way, because a stream that was read from can't become the
 * body of a `Response`.
 *
 *   caller ── knock ──▶ handler ── dial ──▶ target
 *          ◀─ taken ──┘    └─ or the connection ends: connect-failures.ts says why
 */

import { readStart } from "./read-start.ts";

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
