/** Runs this package's command, or wrangler, as a user would, and waits for their output. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout } from "node:timers/promises";

import { type TemporaryProject, quietEnvironment, REPOSITORY } from "./temporary-project.ts";

export const MINIFLARE_VPC: string = path.join(REPOSITORY, "dist/cli.js");
export const WRANGLER: string = path.join(REPOSITORY, "node_modules/wrangler/bin/wrangler.js");

export interface Run extends AsyncDisposable {
  /** Everything printed so far, on both streams. */
  output(): string;
  /** Resolves once the output matches. @throws if the process ends or time runs out before that */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** @returns the exit code, or the signal that ended it */
  ended(): Promise<number | NodeJS.Signals | null>;
  signal(name: NodeJS.Signals): void;
}

/** Milliseconds; wrangler takes several seconds to start on a loaded machine. */
const DEADLINE = 40_000;
const POLL_INTERVAL = 20;

/** @param script a JavaScript file */
export function run(
  script: string,
  args: readonly string[],
  { project, env = {} }: { project: TemporaryProject; env?: NodeJS.ProcessEnv },
): Run {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: project.folder,
    env: { ...quietEnvironment(project.folder), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // Its own process group, so that nothing it starts can outlive the test. On Windows, this would open a window.
    detached: process.platform !== "win32",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const end = once(child, "close");
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;

  return {
    output: () => output,
    async printed(pattern) {
      const deadline = Date.now() + DEADLINE;
      for (;;) {
        const found = pattern.exec(output);
        if (found !== null) return found;
        if (hasEnded() || Date.now() > deadline) throw new Error(`${pattern} was not printed, but:\n${output}`);
        await setTimeout(POLL_INTERVAL);
      }
    },
    async ended() {
      await end;
      return child.exitCode ?? child.signalCode;
    },
    signal: (name) => child.kill(name),
    async [Symbol.asyncDispose]() {
      if (!hasEnded()) child.kill("SIGTERM");
      const giveUp = new AbortController();
      setTimeout(DEADLINE / 4, undefined, { signal: giveUp.signal }).then(
        () => killGroup(child.pid),
        () => {},
      );
      await end;
      giveUp.abort();
    },
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  if (process.platform === "win32") spawnSync("taskkill", ["/T", "/F", "/PID", String(pid)]);
  else process.kill(-pid, "SIGKILL");
}

export interface Server extends Run {
  url: string;
  /** The body of the response. If the status isn't 2xx, the status comes first. */
  get(path: string): Promise<string>;
}

/** Resolves when the Worker accepts requests. */
export async function serve(
  script: string,
  args: readonly string[],
  options: { project: TemporaryProject; env?: NodeJS.ProcessEnv },
): Promise<Server> {
  const running = run(script, [...args, "--port", "0", "--inspector-port", "0"], options);
  try {
    const [, url = ""] = await running.printed(/Ready on (http:\/\/\S+)/);
    return {
      ...running,
      url,
      async get(path) {
        const response = await fetch(new URL(path, url));
        const body = await response.text();
        return response.ok ? body : `${response.status} ${body}`;
      },
    };
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
}
