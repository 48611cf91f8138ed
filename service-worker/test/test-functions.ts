/**
 * The functions of a vitest test that answer observed calls. They run in the test's isolate. A Durable Object holds their
 * stubs, because nothing else can use a stub in another request than the one that brought it.
 *
 *   test ── TestDoor.addFunction(stub) ──▶ TestFunctions ◀── fetchFunction | connectFunction ── observed call
 */

import { DurableObject } from "cloudflare:workers";
import type { EgressProceed, ObservedCall } from "../routing/egress-protocol.ts";
import type { Call, ServiceWorkerEnv } from "../env.ts";
import type { SentConnection, SentRequest, TestAnswer, TestFunction, TestLife, TestSocket } from "./test-function.ts";
import { sendToEgress } from "../egress.ts";
import { ProxyError } from "../proxy-error.ts";
import { acceptTestSocket } from "./test-socket.ts";
import { ThrownByTarget } from "../thrown-by-target.ts";

type To = EgressProceed["to"] & { type: "stub" };

export class TestFunctions extends DurableObject<ServiceWorkerEnv> {
  readonly #kept = new Map<string, KeptFunction>();

  keep(functionId: string, given: TestFunction): void {
    const { promise: dropped, resolve: drop } = Promise.withResolvers<undefined>();
    this.#kept.set(functionId, { call: given.dup(), dropped, drop: () => drop(undefined) });
  }

  /** Ends the rules and functions of a test when it is gone. */
  watch(owner: string, life: TestLife): void {
    void this.#follow(owner, life.dup());
  }

  async #follow(owner: string, life: TestLife): Promise<void> {
    const isThere = (): Promise<boolean> =>
      life("now").then(
        () => true,
        () => false,
      );
    // The runtime may also cancel a call because nothing seems to come of it.
    while (await isThere()) await life("until the end").catch(() => undefined);
    this.drop([...this.#kept.keys()].filter((functionId) => functionId.startsWith(`${owner}/`)));
    // The session may end too.
    await sendCommand(JSON.stringify({ do: "leave", owner }), this.env).catch(() => undefined);
  }

  drop(functionIds: readonly string[]): void {
    for (const functionId of functionIds) {
      const kept = this.#kept.get(functionId);
      kept?.drop();
      kept?.call[Symbol.dispose]();
      this.#kept.delete(functionId);
    }
  }

  /** @returns undefined if the test is over, or ends before the function answers */
  async call(functionId: string, context: SentRequest | SentConnection): Promise<TestAnswer> {
    const kept = this.#kept.get(functionId);
    return kept && (await Promise.race([kept.call(context), kept.dropped]));
  }
}

interface KeptFunction {
  call: TestFunction;
  /** Resolves when the test no longer wants it, or is gone. */
  dropped: Promise<undefined>;
  drop: () => void;
}

/** @throws {ThrownByTarget | ProxyError} */
export async function fetchFunction(
  request: Request,
  { functionId, params }: To,
  { env, ctx, call }: Pick<Call, "env" | "ctx"> & { call: ObservedCall },
): Promise<Response> {
  const binding = env.TABLE.bindings[call.bindingId]?.bindingName ?? "";
  const answer = await callFunction(functionId, { request, params, binding, url: request.url }, env);
  return "upgrade" in answer ? acceptTestSocket(answer.upgrade, ctx) : answer.response;
}

/** @returns the function's end. @throws {ProxyError} if the test is over */
export async function connectFunction(
  { functionId }: To,
  { address, env, exchangeId }: { address: string; env: ServiceWorkerEnv; exchangeId: string },
): Promise<{ socket: Pick<Socket, "readable" | "writable">; leave?: undefined }> {
  const { readable: body, writable } = new IdentityTransformStream();
  const request = new Request("http://connection/", { method: "POST", body });
  const answer = await callFunction(functionId, { request, address, exchangeId }, env);
  const readable = "response" in answer ? answer.response.body : null;
  if (readable === null) throw new Error("miniflare-vpc: a test's function plays no connection");
  return { socket: { readable, writable } };
}

async function callFunction(
  functionId: string,
  context: SentRequest | SentConnection,
  env: ServiceWorkerEnv,
): Promise<{ response: Response } | { upgrade: TestSocket }> {
  const answer = await functionsOf(env).call(functionId, context);
  if (answer === undefined) {
    throw new ProxyError("connection_terminated", {
      reason: "the test of the rule's function is over, or vpc.reset() was called",
    });
  }
  if ("thrown" in answer) throw new ThrownByTarget(answer.thrown);
  return answer;
}

/** @param command JSON, as `plugin/scenario/commands.ts` takes it. @returns a `CommandAnswer` as JSON */
export function sendCommand(command: string, env: ServiceWorkerEnv): Promise<Response> {
  const request = new Request("http://egress/", { method: "POST", body: command });
  return sendToEgress(request, env, { op: "scenario", feedId: env.FEED_ID });
}

export function functionsOf({ FUNCTIONS }: ServiceWorkerEnv): ReturnType<ServiceWorkerEnv["FUNCTIONS"]["get"]> {
  return FUNCTIONS.get(FUNCTIONS.idFromName(""));
}
