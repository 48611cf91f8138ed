/**
 * The lines a developer sees: one a request or connection, and the reason of each failure. Traffic
 * lines are gathered and printed together, since printing one by one costs more than a request does.
 */

/** Milliseconds that a line may wait for others. */
const GATHER = 25;

/** Milliseconds after which whoever was to print is taken for gone: the runtime may drop an event. */
const GIVE_UP = 1000;

let gathered: string[] = [];
let gatheringSince = 0;

/** @param ctx keeps the event alive until the line is out */
export function printTraffic(line: string, ctx: Pick<ExecutionContext, "waitUntil">): void {
  gathered.push(line);
  const now = Date.now();
  if (gathered.length > 1 && now - gatheringSince < GIVE_UP) return;
  gatheringSince = now;
  ctx.waitUntil(printGathered());
}

/** What a target said may be in it, and shall not move the terminal's cursor. */
export function printFailure(text: string): void {
  console.error(text.replaceAll(/(?!\n)[\p{Cc}\p{Bidi_Control}]/gu, "\u{fffd}"));
}

export function printWarning(text: string): void {
  console.warn(text);
}

async function printGathered(): Promise<void> {
  await scheduler.wait(GATHER);
  const lines = gathered;
  gathered = [];
  if (lines.length > 0) console.log(lines.join("\n"));
}

/** `6 B`, `1.2 kB`, `64 MB`; powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? "TB"}`;
}
