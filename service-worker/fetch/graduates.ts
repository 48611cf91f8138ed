/**
 * Which https targets have graduated from the egress proxy to workerd's own client, which prints a native stack if it
 * refuses a certificate. So the proxy goes first, and is asked whether the roots that workerd has would do as well.
 *
 *   first response through the proxy ── verified? ─ yes ─▶ graduate ── a connection is lost ──▶ the proxy first, again
 *                                               │                   └─ TLS fails ───┐
 *                                               └─ no ──▶ refused until the restart ◀┘  (the proxy, then a lane)
 */

import { askVerdict } from "../egress.ts";
import type { Call, ServiceWorkerEnv } from "../env.ts";
import type { TargetKey } from "../routing/forward-target.ts";

/** Absent: the proxy goes first. `askedAt`: it was asked then, in milliseconds, and has not answered yet. */
const standings = new Map<TargetKey, "graduate" | "refused" | { askedAt: number }>();

/** Milliseconds after which the proxy is asked again: the runtime ends the question if the caller is gone. */
const PATIENCE = 5000;

/** @returns the target's own service, if there is one and it may be used */
export function directService(target: TargetKey, env: ServiceWorkerEnv): Fetcher | undefined {
  return isSecure(target) && standings.get(target) !== "graduate" ? undefined : env[target];
}

/** Whether that is undecided. Until then the egress proxy serves the target, and it gets no lane. */
export function mayGraduate(target: TargetKey, env: ServiceWorkerEnv): boolean {
  if (!isSecure(target)) return false;
  const standing = standings.get(target);
  return typeof standing !== "string" && env[target] !== undefined;
}

/** Call it when the egress proxy has brought a response of such a target. Delays nothing. */
export function considerGraduation(target: TargetKey, { env, ctx }: Pick<Call, "env" | "ctx">): void {
  const standing = standings.get(target);
  if (typeof standing === "string" || (standing && Date.now() - standing.askedAt < PATIENCE)) return;
  standings.set(target, { askedAt: Date.now() });
  ctx.waitUntil(graduate(target, env));
}

async function graduate(target: TargetKey, env: ServiceWorkerEnv): Promise<void> {
  try {
    standings.set(target, (await askVerdict(env, target)) ? "graduate" : "refused");
  } catch {
    standings.delete(target);
  }
}

/** Call it when the target's own service has failed. */
export function noteLoss(target: TargetKey, error: unknown): void {
  if (!isSecure(target)) return;
  if (isRefusal(error)) standings.set(target, "refused");
  // It may come back with another certificate.
  else if (standings.get(target) === "graduate") standings.delete(target);
}

/** workerd hides the cause of a failed handshake, and prints it with a stack. A lost connection has a message of its own. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("internal error");
}

function isSecure(target: TargetKey): boolean {
  return target.startsWith("https:");
}
