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

export interface Wait {
  /** Call it when the wait is over. */
  end: () => void;
  /** Calls back if the wait lasts for so many milliseconds, unless it was cancelled. A short wait sets no timer for it. */
  after: (delay: number, then: () => void) => { cancel: () => void };
}

export function reportSilence({ describe, prepare, target, signal, traffic }: Waiting): Wait {
  let caller: AbortSignal | undefined;
  let isSilent = false;
  let start: (() => void) | undefined;
  let later: number | null = null;
  const started = Date.now();
  const givenUp = (): void => {
    if (!isSilent && !traffic) return;
    // Giving up early is normal. After a long silence, the caller may not know why it has no answer.
    const print = isSilent ? printFailure : printAtOnce;
    print(`${describe()} → ${target()}  given up by its caller after ${Date.now() - started} ms`);
  };
  let timer = setTimeout(() => {
    start?.();
    prepare();
    caller = signal();
    caller.addEventListener("abort", givenUp);
    timer = setTimeout(() => {
      isSilent = true;
      printFailure(`${describe()}  waiting for ${target()} for ${SILENT_FOR / 1000} s`);
    }, SILENT_FOR - SHORT);
  }, SHORT);
  return {
    end() {
      clearTimeout(timer);
      clearTimeout(later);
      caller?.removeEventListener("abort", givenUp);
    },
    after(delay, then) {
      if (delay <= SHORT) later = setTimeout(then, delay);
      else start = () => (later = setTimeout(then, delay - SHORT));
      return {
        cancel() {
          start = undefined;
          clearTimeout(later);
        },
      };
    },
  };
}
