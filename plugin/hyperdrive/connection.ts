/**
 * One connection of a Hyperdrive binding: asks `decide` where it goes, and lets the egress proxy make it, as the service
 * worker does for `connect()`. Prints the same lines. Decides nothing itself.
 *
 *   user's Worker ── workerd ──▶ inbound │ decide │ ── order ──▶ egress proxy ──▶ database
 */

import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";

import { ConnectionLines } from "../../service-worker/routing/connection-lines.ts";
import { type Decision, type Destination, decide } from "../../service-worker/routing/decide.ts";
import { describeFailure, wordsOf } from "../../service-worker/routing/describe-failure.ts";
import type { EgressFailure, EgressOrder } from "../../service-worker/routing/egress-protocol.ts";
import { describeCall, goalOf } from "../../service-worker/routing/observed-call.ts";
import { type RateWindows, countInWindow } from "../../service-worker/routing/rate-window.ts";
import type { IndexedTable } from "../../service-worker/routing/route-index.ts";
import { tcpWayOf } from "../../service-worker/routing/transport.ts";
import { dial } from "../egress/connections/dial.ts";
import { classify } from "../egress/egress-error.ts";
import { keepFailureOf, takeFailure } from "../egress/http/exchange-failures.ts";
import { enterTarget } from "../egress/observed/loop-guard.ts";
import { fieldsFor, placeOfRemote } from "../egress/observed/remote-function.ts";
import { sendConnect } from "../egress/send-connect.ts";
import type { EgressProxy } from "../egress/server.ts";
import { splice } from "../egress/splice.ts";
import { DEFAULT_SETTINGS, type DatabaseLogin } from "../model.ts";
import { destinationOfDatabase, nameDatabase } from "./database.ts";
import { refusalFor } from "./refusal.ts";

export interface DoorContext {
  egress: Pick<EgressProxy, "address" | "secret" | "scenarios">;
  /** Of the session. */
  feedId: string;
  /** The table in force. */
  index: () => IndexedTable;
  /** The calls of each binding, for its rate limit. */
  windows: RateWindows;
  log: { info: (line: string) => void; error: (error: Error) => void };
}

/** The binding whose connection it is. */
export interface DoorOf {
  /** A `bindingKey` of the table. */
  bindingId: string;
  scheme: DatabaseLogin["scheme"];
}

/** Never rejects. */
export async function receiveConnection(inbound: Socket, door: DoorOf, context: DoorContext): Promise<void> {
  const { bindingId, scheme } = door;
  const index = context.index();
  const destination = destinationOfDatabase(index.table.bindings[bindingId], scheme);
  const decision = decide(index, bindingId, destination);
  const asked = nameDatabase(decision);
  const call = new HyperdriveCall({ inbound, decision, asked, context });
  try {
    const isObserved = index.table.isObserved === true;
    const failure =
      overRate(decision, { bindingId, windows: context.windows }) ??
      (isObserved
        ? await call.carryOut(observedOrder(decision, { call, bindingId, destination }))
        : await connectAsDecided(decision, call));
    if (failure !== undefined) call.refuse(failure, scheme);
  } catch (error) {
    if (!inbound.destroyed) call.refuse(classify(error), scheme);
  }
}

/** @returns why the connection is one too many */
function overRate(
  decision: Decision,
  { bindingId, windows }: { bindingId: string; windows: RateWindows },
): EgressFailure | undefined {
  if (decision.type === "refuse") return undefined;
  const { rateLimit } = decision.limits;
  const reason = rateLimit && countInWindow(windows, bindingId, rateLimit);
  return reason === undefined
    ? undefined
    : { code: "rate_limited", detail: reason, hint: 'Open fewer connections, or raise "rateLimit".' };
}

type ConnectOrder = EgressOrder & { op: "tcp" | "observed-tcp" };

/** A rule of the session may also answer what the table refuses. */
function observedOrder(
  decision: Decision,
  { call, ...asked }: { call: HyperdriveCall; bindingId: string; destination: Destination },
): ConnectOrder {
  const { exchangeId, feedId } = call;
  return { op: "observed-tcp", call: describeCall(decision, { ...asked, feedId }), exchangeId };
}

/** @returns why there is no connection */
async function connectAsDecided(decision: Decision, call: HyperdriveCall): Promise<EgressFailure | undefined> {
  if (decision.type === "refuse") {
    const { code, reason, hint } = decision;
    return { code, detail: reason, hint };
  }
  const { limits } = decision;
  const way = tcpWayOf(decision);
  if (way.type === "worker") throw new Error("decide() leads no Hyperdrive binding to a Worker");
  const { leave, checked } = enterTarget(way.target, limits.workerLimit);
  call.whenOver(leave);
  const loop = await checked;
  return loop ?? (await call.carryOut({ op: "tcp", target: way.target, limits, exchangeId: call.exchangeId }));
}

interface CallOptions {
  inbound: Socket;
  decision: Decision;
  /** For the lines. */
  asked: string;
  context: DoorContext;
}

/** What is printed about a connection, and how it ends. */
class HyperdriveCall {
  readonly exchangeId = `hyperdrive/${randomUUID()}`;
  readonly feedId: string;
  readonly #options: CallOptions;
  readonly #lines: ConnectionLines | undefined;
  #goneAt: number | undefined;

  constructor(options: CallOptions) {
    const { inbound, decision, context } = options;
    this.#options = options;
    this.feedId = context.feedId;
    inbound.on("error", () => inbound.destroy());
    inbound.once("close", () => (this.#goneAt = Date.now()));
    if (decision.binding.traffic) {
      const print = async (line: string | Promise<string>): Promise<void> => context.log.info(await line);
      this.#lines = new ConnectionLines({ goneAt: () => this.#goneAt, print: (line) => void print(line) });
    }
  }

  /** Where the connection goes, for the terminal. */
  #goal(): ReturnType<typeof goalOf> {
    const { context, decision } = this.#options;
    const goals = context.egress.scenarios.get(this.feedId)?.goals;
    return goals?.describe(this.exchangeId) ?? goalOf(decision);
  }

  whenOver(callback: () => void): void {
    this.#options.inbound.once("close", callback);
  }

  /** Lets the egress proxy connect. @returns why there is no connection. @throws an error for `classify` */
  async carryOut(order: ConnectOrder): Promise<EgressFailure | undefined> {
    const { decision, asked, context } = this.#options;
    this.#lines?.begin({ what: `${decision.binding.label}  ${asked}`, goal: () => this.#goal().text });
    const upstream = dial(placeOfRemote(context.egress), { limits: DEFAULT_SETTINGS.limits, allowHalfOpen: true });
    this.whenOver(() => upstream.destroy());
    upstream.on("error", () => upstream.destroy());
    const fields = fieldsFor(context.egress, order);
    const failure = await sendConnect(upstream, { fields, far: "the egress proxy" });
    if (failure === undefined) this.#join(upstream);
    else upstream.destroy();
    return failure;
  }

  refuse(failure: EgressFailure, scheme: DatabaseLogin["scheme"]): void {
    const { inbound, decision, asked, context } = this.#options;
    this.#lines?.fail();
    keepFailureOf(this.exchangeId, failure);
    const words = wordsOf(failure);
    context.log.error(plainError(describeFailure(words, { decision, asked, goal: this.#goal() })));
    // What the client has sent must be read, or the answer would be lost.
    inbound.resume();
    inbound.end(refusalFor(scheme, words.message));
  }

  #join(upstream: Socket): void {
    const { inbound } = this.#options;
    const lines = this.#lines;
    lines?.open();
    inbound.on("data", (chunk) => lines && (lines.sent += chunk.length));
    upstream.on("data", (chunk) => lines && (lines.received += chunk.length));
    upstream.once("end", () => {
      // The Unix socket of the egress proxy ends in the same way if the database has reset the connection.
      if (takeFailure(this.exchangeId) !== null) inbound.destroy();
    });
    inbound.once("close", () => lines?.over());
    upstream.once("close", () => lines?.targetEnded());
    splice(inbound, upstream);
  }
}

/** A stack says nothing about the user's database. Control characters are replaced: the text may quote a target. */
function plainError(text: string): Error {
  const error = new Error(text.replaceAll(/(?!\n)[\p{Cc}\p{Bidi_Control}]/gu, "\u{fffd}"));
  error.stack = error.message;
  return error;
}
