/**
 * Prints the lines that a developer sees: one for each request or connection, and the reason for each failure.
 * Collects traffic lines and prints them together, because printing each one would slow down every request.
 */

import { type Binding, bindingKey } from "./routing/table.ts";

/** Milliseconds that a line waits for others, to be printed with them. */
const GATHER = 25;

/** Milliseconds. The runtime may drop the event that waits to print. After that, the next line's event prints. */
const GIVE_UP = 1000;

let gathered: string[] = [];
let gatheringSince = 0;

/** @param ctx keeps the event alive until the line is out. A line that is a promise must not reject */
export function printTraffic(line: string | Promise<string>, ctx: Pick<ExecutionContext, "waitUntil">): void {
  if (typeof line !== "string") {
    // Gathered when it is known, because another event can't wait for a promise of this one.
    ctx.waitUntil(line.then((known) => printTraffic(known, ctx)));
    return;
  }
  gathered.push(line);
  const now = Date.now();
  if (gathered.length > 1 && now - gatheringSince < GIVE_UP) return;
  gatheringSince = now;
  ctx.waitUntil(printGathered());
}

/** For an event that ends now: it can't wait for other lines. */
export function printAtOnce(line: string): void {
  console.log(line);
}

/** Replaces control characters, except line ends: the text may quote a target, which must not control the terminal. */
export function printFailure(text: string): void {
  console.error(text.replaceAll(/(?!\n)[\p{Cc}\p{Bidi_Control}]/gu, "\u{fffd}"));
}

const warned = new Set<string>();

/** Prints a warning once for each binding and subject while the runtime lives. */
export function warnOnce(
  { workerName, bindingName, label }: Pick<Binding, "workerName" | "bindingName" | "label">,
  subject: "connect" | "port",
  text: string,
): void {
  const key = `${subject} ${bindingKey(workerName, bindingName)}`;
  if (warned.has(key)) return;
  warned.add(key);
  console.warn(`${label}  ${text} (warned once)`);
}

async function printGathered(): Promise<void> {
  await scheduler.wait(GATHER);
  const lines = gathered;
  gathered = [];
  if (lines.length > 0) console.log(lines.join("\n"));
}
