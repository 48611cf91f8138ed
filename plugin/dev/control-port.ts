/**
 * Reads `--control [PORT]`, the variable with its token, and the flags of the traffic page. Checks them before wrangler starts.
 */

import { once } from "node:events";
import net from "node:net";

import { TOKEN_VARIABLE } from "../control/control-options.ts";
import { UsageError } from "../commands/usage-error.ts";
import { MAX_PORT } from "../parse/port-ranges.ts";
import { hasCode, messageOf } from "../system/error.ts";
import { listenOnLoopback } from "../system/listen.ts";
import type { UiRequest } from "../ui/ui-choice.ts";
import type { UiArgs } from "../wrangler-config/dev-args.ts";

/** Toxiproxy's. */
const DEFAULT_PORT = 8474;
const MIN_TOKEN = 16;

/**
 * @param text what follows `--control`; "" if nothing does; undefined without the flag
 * @throws {UsageError} if it is not a port, or the token is too short
 */
export function readControlPort(text: string | undefined, env: NodeJS.ProcessEnv): number | undefined {
  if (text === undefined) return undefined;
  const port = text === "" ? DEFAULT_PORT : Number(text);
  if (!/^\d*$/.test(text) || port > MAX_PORT) {
    throw new UsageError(
      `"--control" can't be ${JSON.stringify(text)}. Write a port from 0 to ${MAX_PORT}, or none for ${DEFAULT_PORT}.`,
    );
  }
  const token = env[TOKEN_VARIABLE];
  if (token !== undefined && !new RegExp(`^[\\w.~-]{${MIN_TOKEN},}$`).test(token)) {
    throw new UsageError(
      `${TOKEN_VARIABLE} must have at least ${MIN_TOKEN} characters, each a letter, a digit or one of "-._~". Without it, the token is random.`,
    );
  }
  return port;
}

/** @throws {UsageError} if the port is none */
export function readUi({ isOn, port: text }: UiArgs): UiRequest {
  if (isOn === false) return false;
  if (text === undefined) return isOn ?? "default";
  if (!/^\d+$/.test(text) || Number(text) > MAX_PORT)
    throw new UsageError(`"--ui-port" can't be ${JSON.stringify(text)}. Write a port from 0 to ${MAX_PORT}.`);
  return { port: Number(text) };
}

/** @returns why the port can't be used */
export async function whyTaken(port: number, flag: "--control" | "--ui-port"): Promise<string | undefined> {
  const server = net.createServer();
  try {
    await listenOnLoopback(server, port);
    server.close();
    await once(server, "close");
    return undefined;
  } catch (error) {
    const why = hasCode(error, "EADDRINUSE") ? "another program uses it" : messageOf(error);
    return `can't listen on port ${port} for ${flag}: ${why}. Choose another one with ${flag} PORT`;
  }
}
