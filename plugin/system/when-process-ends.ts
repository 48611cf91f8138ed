/**
 * Hears when this process ends in a way that a program can hear: by itself, after an uncaught error, or because of a signal.
 */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const callbacks = new Set<() => void>();

/** @param call synchronous; called at least once. @returns a function that stops it */
export function whenProcessEnds(call: () => void): () => void {
  if (callbacks.size === 0) {
    process.on("exit", callAll);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  callbacks.add(call);
  return () => {
    if (!callbacks.delete(call) || callbacks.size > 0) return;
    process.off("exit", callAll);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

function callAll(): void {
  for (const call of callbacks) call();
}

/** Who else listens decides whether the process ends. If nobody does, the signal ends it, as without a listener. */
function onSignal(signal: NodeJS.Signals): void {
  callAll();
  if (process.listenerCount(signal) > 1) return;
  process.off(signal, onSignal);
  process.kill(process.pid, signal);
}
