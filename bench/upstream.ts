/** Starts and stops the private services of upstream-process.ts. */

import { fork } from "node:child_process";
import { once } from "node:events";

/** Ports on 127.0.0.1. */
export interface BenchUpstream {
  http: number;
  https: number;
  /** Several ports, for thousands of connections. */
  tcp: number[];
  postgres: number;
  /** The root of `https`, as PEM. */
  ca: string;
}

export async function startUpstream(): Promise<BenchUpstream & AsyncDisposable> {
  const child = fork(`${import.meta.dirname}/upstream-process.ts`);
  const exit = once(child, "exit");
  const [upstream] = (await Promise.race([
    once(child, "message"),
    exit.then(() => Promise.reject(new Error("the upstream ended before it listened"))),
  ])) as [BenchUpstream];
  return {
    ...upstream,
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await exit;
    },
  };
}
