/** Tests of one system by nature. On another one, they are listed as skipped, with the reason in the title. */

import { describe, test, type TestOptions } from "vitest";

/** `posix` is Linux and macOS. */
export type System = "linux" | "posix";

const NAMES = { linux: "Linux", posix: "Linux and macOS" } as const;

export const NO_SIGNALS = "Windows has no signals to send";
export const NO_SCRIPT = "it starts workerd by a shell script";

type Run = () => void | Promise<void>;

/** @param reason completes "only on Linux: …" @param rest what follows the title of a test: options, and what it runs */
export function testOn(
  system: System,
  reason: string,
  title: string,
  ...rest: [run: Run] | [options: TestOptions, run: Run]
): void {
  const [options, run] = rest.length === 1 ? [{}, rest[0]] : rest;
  const register = isOn(system) ? test : test.skip;
  register(titleOf(title, { system, reason }), options, run);
}

/** A group of tests. Its hooks don't run on another system. @param reason completes "only on Linux: …" */
export function describeOn(system: System, reason: string, title: string, body: () => void): void {
  const register = isOn(system) ? describe : describe.skip;
  register(titleOf(title, { system, reason }), body);
}

function isOn(system: System): boolean {
  return system === "linux" ? process.platform === "linux" : process.platform !== "win32";
}

function titleOf(title: string, { system, reason }: { system: System; reason: string }): string {
  return isOn(system) ? title : `${title} (only on ${NAMES[system]}: ${reason})`;
}
