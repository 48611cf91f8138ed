/**
 * `connectVpc()` for tests that run in Node: finds the session, in this process or a running `miniflare-vpc dev`, and
 * directs its network.
 */

import { addressIn, createClient } from "../control/client.ts";
import { findSession } from "../control/find-session.ts";
import { findRunning, scenarioIdOf, waitForRunning } from "../scenario/running.ts";
import { TRIGGER } from "../miniflare/loader.ts";
import { portInProcess } from "./port-in-process.ts";
import { portToProcess } from "./port-to-process.ts";
import type { Port } from "./port.ts";
import { type Vpc, makeVpc } from "./vpc.ts";

export * from "../scenario/faults/make-faults.ts";
export type * from "./public-types.ts";

/**
 * A session of this process: a Miniflare that was made with `withVpc()`, or what miniflare-vpc's `getPlatformProxy`,
 * `unstable_startWorker` or `createTestHarness` returned.
 */
export interface SessionHolder {
  /** Of a Miniflare. */
  getBindings?(workerName?: string): Promise<Record<string, unknown>>;
  /** Of what `unstable_startWorker` returns. */
  ready?: PromiseLike<unknown>;
  /** Of a test harness. */
  listen?(): Promise<unknown>;
  dispose?(): Promise<void>;
}

/** A session of another process. */
export interface SessionPlace {
  /** As `miniflare-vpc dev --control` prints it. */
  url: string;
}

/**
 * Directs the network of a session. Dispose of it at the end: its rules end with it, and the journal stays.
 *
 * @param session absent: the running `miniflare-vpc dev` of the working directory, or of the nearest folder above it
 * @throws {Error} if there is no such session, {TypeError} if it doesn't load miniflare-vpc
 */
export async function connectVpc(session?: SessionHolder | SessionPlace): Promise<Vpc> {
  const port = await portTo(session);
  await port.run({ do: "attach" });
  return makeVpc(port);
}

async function portTo(session: SessionHolder | SessionPlace | undefined): Promise<Port> {
  if (session === undefined) return await portToProcess(await findSession(process.cwd()));
  if ("url" in session && typeof session.url === "string") {
    return await portToProcess(createClient(addressIn(session.url)));
  }
  return portInProcess(await findScenarioId(session as SessionHolder));
}

async function findScenarioId(holder: SessionHolder): Promise<string> {
  const known = scenarioIdOf(holder);
  await holder.ready;
  // wrangler's Worker is "ready" before its runtime is.
  if (known !== undefined && holder.ready !== undefined) await waitForRunning(known);
  // `getBindings` of a Miniflare also waits until it is ready.
  const id = known ?? (await holder.getBindings?.())?.[TRIGGER];
  if (typeof id === "string" && findRunning(id) !== undefined) return id;
  if (known !== undefined && holder.listen !== undefined)
    throw new TypeError("connectVpc(): the test harness doesn't run yet. Call its listen() first.");
  throw new TypeError(
    "connectVpc(): this session doesn't load miniflare-vpc. Pass a Miniflare that was made with withVpc(), or what miniflare-vpc's getPlatformProxy, unstable_startWorker or createTestHarness returned. It needs a VPC binding.",
  );
}
