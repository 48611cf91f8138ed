/** The private services of upstream-process.ts, for as long as they are needed. */

import { fork } from "node:child_process";
import { once } from "node:events";

/** Ports on 127.0.0.1. */
export interface Upstream {
  http: number;
  https: number;
  /** Several, for connections that are made by the thousand. */
  tcp: number[];
  postgres: number;
  /** The root of `https`, as PEM. */
  ca: string;
}

export async function startUpstream(): Promise<Upstream & AsyncDisposable> {
  const child = fork(`${import.meta.dirname}/upstream-process.ts`);
  const exit = once(child, "exit");
  const [upstream] = (await Promise.race([
    once(child, "message"),
    exit.then(() => Promise.reject(new Error("the upstream ended before it listened"))),
  ])) as [Upstream];
  return {
    ...upstream,
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await exit;
    },
  };
}
