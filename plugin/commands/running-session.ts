/** Lets a command direct the running session of its folder. */

import type { ControlClient } from "../control/client.ts";
import type { Exit } from "../dev/run-wrangler.ts";
import { messageOf } from "../system/error.ts";
import { PROBLEMS } from "./command.ts";
import type { Terminal } from "./terminal.ts";

/** Ends with 1 if there is no session, or it refuses what it is asked. */
export async function inSession(
  { cwd, printError }: Terminal,
  work: (client: ControlClient) => Promise<Exit>,
): Promise<Exit> {
  // Node's HTTP client is slow to load.
  const { NoSessionError, findSession } = await import("../control/find-session.ts");
  try {
    return await work(await findSession(cwd));
  } catch (error) {
    const isForUser = error instanceof NoSessionError || error instanceof TypeError;
    if (!isForUser) throw error;
    printError(`miniflare-vpc: ${messageOf(error).replace(/^vpc(?:\.on\(\))?: /, "")}`);
    return PROBLEMS;
  }
}
