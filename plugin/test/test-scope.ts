/**
 * Which test some code belongs to, so that code that goes on after its test has timed out doesn't direct the network of the
 * next one. Known where the setup file is used; elsewhere no test is ever over.
 */

import type { AsyncLocalStorage } from "node:async_hooks";

import type { ScenarioCommand } from "../scenario/commands.ts";
import type { Port } from "./port.ts";

export interface TestScope {
  isOver: boolean;
}

/** On the global, because the setup file is bundled on its own. The storage itself is of Node or of workerd. */
const KEY = Symbol.for("miniflare-vpc.test-scope");

interface Holder {
  [KEY]?: AsyncLocalStorage<TestScope>;
}

export function keepScopes(scopes: AsyncLocalStorage<TestScope>): void {
  (globalThis as Holder)[KEY] = scopes;
}

function isTestOver(): boolean {
  return (globalThis as Holder)[KEY]?.getStore()?.isOver === true;
}

/** What a test may do after its end: tidy up. */
const AFTER: ReadonlySet<ScenarioCommand["do"]> = new Set(["removeRule", "leave"]);

/** Refuses what a test that is over says. A reset comes after everything that was said before it. */
export function withinTest(port: Port): Port {
  const pending = new Set<Promise<unknown>>();
  const act = async <Result>(run: () => Promise<Result>): Promise<Result> => {
    refuseLate();
    const acting = run();
    pending.add(acting);
    try {
      return await acting;
    } finally {
      pending.delete(acting);
    }
  };
  return {
    owner: port.owner,
    close: () => port.close(),
    addRespond: (respond) => act(() => port.addRespond(respond)),
    addConnect: (connect) => act(() => port.addConnect(connect)),
    async run(command) {
      if (AFTER.has(command.do)) return port.run(command);
      if (command.do === "addRule" || command.do === "strict" || command.do === "seed")
        return act(() => port.run(command));
      refuseLate();
      if (command.do === "reset") await Promise.allSettled(pending);
      return port.run(command);
    },
  };
}

/** @throws {Error} in words */
function refuseLate(): void {
  if (!isTestOver()) return;
  throw new Error(
    "vpc: this comes from a test that is over, and the network now belongs to the next one. The test ran into its timeout, or doesn't await all that it does.",
  );
}
