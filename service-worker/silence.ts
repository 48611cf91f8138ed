/**
 * Reports a target that keeps a call waiting: prints a line after a while, and another if the caller gives up.
 */

import { printAtOnce, printFailure } from "./traffic.ts";

/** Milliseconds. */
const SILENT_FOR = 5000;

/** Milliseconds. Before that, nobody listens for the caller's abort: a listener takes a twentieth of a small request's time. */
const SHORT = 50;

export interface Waiting {
  /** Binding and request. Called only when a line is printed. */
  describe: () => string;
  /** Called when the wait is no longer a short one. */
  prepare: () => void;
  /** The target, as a person writes it. */
  target: () => string;
  /** Aborted when the caller gives up. */
  signal: () => AbortSignal;
  /** Whether a line is printed for a caller that gives up early. If the target is silent, it always is. */
  traffic: boolean;
}

/** @returns a function to call when the wait is over */
export function reportSilence({ describe, prepare, target, signal, traffic }: Waiting): () => void {
  let caller: AbortSignal | undefined;
  let isSilent = false;
  const started = Date.now();
  const givenUp = (): void => {
    if (!isSilent && !traffic) return;
    // Giving up early is normal. After a long silence, the caller may not know why it has no answer.
    const print = isSilent ? printFailure : printAtOnce;
    print(`${describe()} → ${target()}  given up by its caller after ${Date.now() - started} ms`);
  };
  let timer = setTimeout(() => {
    prepare();
    caller = signal();
    caller.addEventListener("abort", givenUp);
    timer = setTimeout(() => {
      isSilent = true;
      printFailure(`${describe()}  waiting for ${target()} for ${SILENT_FOR / 1000} s`);
    }, SILENT_FOR - SHORT);
  }, SHORT);
  return () => {
    clearTimeout(timer);
    caller?.removeEventListener("abort", givenUp);
  };
}
