/**
 * Makes `process.exit()` throw in a vpc config while it loads. Otherwise it would end the session, or end a command as
 * if there were no problem. Other code can still end the process.
 */

/** The names in stack traces of the configs that are being loaded. */
const loading = new Set<readonly string[]>();
let own: typeof process.exit | undefined;

/** @param names the names of a config in stack traces. @returns a function to call when the config is loaded */
export function refuseExit(names: readonly string[]): () => void {
  loading.add(names);
  own ??= guard(process.exit.bind(process));
  process.exit = own;
  return () => {
    loading.delete(names);
  };
}

function guard(exit: typeof process.exit): typeof process.exit {
  return (code) => {
    const called = stackOf();
    for (const names of loading) {
      if (names.some((name) => called.includes(name))) throw new Error(`it called process.exit(${code ?? ""})`);
    }
    return exit(code);
  };
}

function stackOf(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 200;
  const { stack = "" } = new Error("for its stack");
  Error.stackTraceLimit = stackTraceLimit;
  return stack;
}
