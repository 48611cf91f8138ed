/**
 * The terminal's lines for one connection: one when it ends, one while it is open if it lives long, and one if the target
 * stays silent. Prints nothing itself, and keeps no process alive.
 */

/** Milliseconds. A connection that is open for this long gets an extra line before its last one. */
const LONG = 1000;
/** Milliseconds after which a target that has sent nothing gets a line. */
const SILENT = 5000;

export interface LinesOptions {
  /** When the caller closed its socket or its event ended; milliseconds since the epoch. */
  goneAt: () => number | undefined;
  print: (line: string | Promise<string>) => void;
}

type Timer = ReturnType<typeof setTimeout> & { unref?: () => void };

export class ConnectionLines {
  sent = 0;
  received = 0;
  /** The directions that had more bytes than were counted. */
  readonly uncounted: Set<"sent" | "received"> = new Set();
  readonly #started: number = Date.now();
  readonly #options: LinesOptions;
  readonly #timers: Timer[] = [];
  #isOver = false;
  #what = "";
  #goal: () => string | Promise<string> = () => "";

  constructor(options: LinesOptions) {
    this.#options = options;
  }

  /** Call it when there is something to dial. @param goal where the connection goes, asked for each line; never rejects */
  begin({ what, goal }: { what: string; goal: () => string | Promise<string> }): void {
    this.#what = what;
    this.#goal = goal;
    this.#after(SILENT, () => {
      if (this.received === 0) this.#print((target) => `waiting for ${target} for ${SILENT / 1000} s`);
    });
  }

  /** Call it when the target has accepted. */
  open(): void {
    if (this.#options.goneAt() !== undefined) this.#printResult(`given up by its caller after ${this.#waited()}`);
    else this.#after(LONG, () => this.#printResult("open"));
  }

  /** Call it when there is no connection. */
  fail(): void {
    if (this.#options.goneAt() !== undefined) this.#printResult(`given up by its caller after ${this.#waited()}`);
    this.#stop();
  }

  /** The caller may never close its socket, so the connection counts as over after a while. */
  targetEnded(): void {
    this.#after(LONG, () => this.over());
  }

  over(): void {
    if (this.#isOver) return;
    this.#stop();
    this.#printResult(`↑ ${this.#size("sent")} ↓ ${this.#size("received")}  ${this.#age()}`);
  }

  #size(direction: "sent" | "received"): string {
    return `${this.uncounted.has(direction) ? "more than " : ""}${formatBytes(this[direction])}`;
  }

  #stop(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    this.#isOver = true;
  }

  #after(delay: number, then: () => void): void {
    if (this.#isOver) return;
    const timer: Timer = setTimeout(then, delay);
    // Node's timers would keep its process alive.
    timer.unref?.();
    this.#timers.push(timer);
  }

  #age(): string {
    return `${Date.now() - this.#started} ms`;
  }

  /** How long the caller waited. */
  #waited(): string {
    return `${(this.#options.goneAt() ?? Date.now()) - this.#started} ms`;
  }

  #printResult(result: string): void {
    this.#print(() => result);
  }

  #print(describe: (target: string) => string): void {
    const format = (goal: string): string => `${this.#what}${goal && ` → ${goal}`}  ${describe(goal || "a rule")}`;
    const goal = this.#goal();
    this.#options.print(typeof goal === "string" ? format(goal) : goal.then(format));
  }
}

/** `6 B`, `1.2 kB`, `64 MB`; powers of 1000. */
function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? "TB"}`;
}
