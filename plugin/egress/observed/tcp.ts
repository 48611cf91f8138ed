/**
 * Carries out an observed connection: asks the scenario what happens to it, keeps it in the journal, and lets its faults
 * act on its bytes.
 *
 *   service worker ◀── socket │ journal, faults │ upstream ──▶ target, function, or a Worker that the service worker calls
 */

import type { Duplex } from "node:stream";

import { formatEndpoint } from "../../../service-worker/routing/address.ts";
import { placeTarget } from "../../../service-worker/routing/decide.ts";
import {
  type EgressFailure,
  type EgressProceed,
  type EgressTarget,
  ESTABLISHED,
  MUST_PROCEED,
  type ObservedCall,
} from "../../../service-worker/routing/egress-protocol.ts";
import { tcpWayOf } from "../../../service-worker/routing/transport.ts";
import { pipeWithFaults } from "../../scenario/faults/fault-pipe.ts";
import type { VpcFunctionTarget } from "../../config.ts";
import { Capture } from "../../scenario/capture.ts";
import type { ConnectionEntry } from "../../scenario/journal.ts";
import type { OpenCall } from "../../scenario/open-call.ts";
import type { Scenario, Verdict } from "../../scenario/scenario.ts";
import type { AskedFor } from "../../scenario/who.ts";
import { maskLogin } from "../../hyperdrive/mask-login.ts";
import { messageOf } from "../../system/error.ts";
import { sendRawFailure } from "../egress-error.ts";
import { ignoreFailuresOf, keepFailureOf, peekFailure } from "../http/exchange-failures.ts";
import { brokenByFunction, connectToFunction } from "../http/function-target.ts";
import type { Registry } from "../registry.ts";
import { beginEntry, actingFaults, bindingOf, failureOfFaults, linkOf, noteFailure, noteVerdict } from "./call.ts";
import { enterTarget } from "./loop-guard.ts";
import { connectToRemoteFunction } from "./remote-function.ts";
import { type Joining, connectToTarget } from "../splice.ts";
import { type TcpWatch, watchConnection } from "./watch-call.ts";

export interface ObservedConnection {
  socket: Duplex;
  call: ObservedCall;
  exchangeId: string;
  scenario: Scenario;
  functions: Registry<VpcFunctionTarget>;
}

interface Begun extends Joining {
  /** Absent: nobody watches closely. */
  watch: TcpWatch | undefined;
  asked: AskedFor;
  entry: ConnectionEntry;
  open: OpenCall;
}

interface Proceeding extends Joining {
  socket: Duplex;
  entry: ConnectionEntry;
  proceed: EgressProceed;
  isAttached: boolean;
}

/** Connections whose origin is in workerd, by exchange id. */
const proceeding = new Map<string, Proceeding>();

/** Never rejects. */
export async function carryOutConnection(connection: ObservedConnection): Promise<void> {
  const { socket, call, scenario } = connection;
  try {
    const begun = begin(connection);
    const { open, entry, refuse } = begun;
    const verdict = await scenario.judge({ asked: begun.asked }, call);
    if (socket.destroyed) return;
    begun.watch?.mark("decided");
    noteVerdict(connection, { verdict, entry, open });
    const failure = failureOfFaults(actingFaults(open, { verdict, call }));
    if (failure === undefined) serve(connection, begun, verdict);
    else refuse(socket, failure);
  } catch (error) {
    sendRawFailure(socket, { code: "proxy_internal_error", detail: messageOf(error) });
  }
}

function begin({ socket, call, exchangeId, scenario }: ObservedConnection): Begun {
  const { journal, random } = scenario;
  const { host, port } = call.destination;
  const entry: ConnectionEntry = {
    ...beginEntry(scenario, call),
    type: "connection",
    address: formatEndpoint(host, port),
    sent: new Capture(),
    received: new Capture(),
  };
  journal.add(entry);
  const watch = watchConnection(entry, journal);
  const { asked } = entry;
  const open = scenario.open({ asked }, call);
  const keep = (failure: EgressFailure): void => {
    keepFailureOf(exchangeId, failure);
    noteFailure(entry, failure);
  };
  const refuse = (refused: Duplex, failure: EgressFailure): void => {
    keep(failure);
    journal.note(entry);
    sendRawFailure(refused, failure);
  };
  open.onEnd((failure) => refuse(socket, failure));
  socket.once("close", () => {
    const failure = peekFailure(exchangeId);
    if (failure !== undefined) noteFailure(entry, failure);
    entry.duration = Date.now() - entry.startedAt;
    entry.sent.end();
    entry.received.end();
    open.close();
    journal.note(entry);
  });
  journal.note(entry);
  return {
    asked,
    entry,
    open,
    watch,
    refuse,
    join(one, upstream) {
      open.onEnd((failure) => {
        keep(failure);
        one.destroy();
        upstream.destroy();
      });
      const options = {
        live: open,
        random,
        onBreak(failure: EgressFailure, how: "close" | "reset") {
          // The Worker sees a close as an end, but not that of a connection that is cut.
          if (how === "reset" || open.faults.some(({ type }) => type === "down")) keep(failure);
          else ignoreFailuresOf(exchangeId);
        },
      };
      const hear = (from: "worker" | "target") => (chunk: Buffer) => {
        const kept = from === "worker" && call.hidesLogin === true ? maskLogin(chunk) : chunk;
        watch?.piece(from, kept);
        journal.capture(from === "worker" ? entry.sent : entry.received, kept);
      };
      pipeWithFaults(one, upstream, { ...options, stream: "upstream", onRead: hear("worker") });
      pipeWithFaults(upstream, one, { ...options, stream: "downstream", onWrite: hear("target") });
      journal.note(entry);
    },
  };
}

function serve(connection: ObservedConnection, begun: Begun, verdict: Verdict): void {
  const { socket, call } = connection;
  const { entry, refuse } = begun;
  switch (verdict.type) {
    case "fail":
      return refuse(socket, verdict.failure);
    case "answer": {
      const { answer, params } = verdict;
      switch (answer.type) {
        case "stub":
          return proceedWithConnection(connection, begun, { type: "stub", functionId: answer.functionId, params });
        case "remote":
          return connectToRemoteFunction(
            socket,
            { remote: answer, address: entry.address, exchangeId: connection.exchangeId },
            begun,
          );
        case "node": {
          const { connect } = answer;
          if (connect === undefined)
            return refuse(socket, {
              code: "destination_unavailable",
              detail: "the rule's function answers fetch() only",
            });
          return connectToFunction({ connect: async (duplex) => void (await connect(duplex, entry.address)) }, socket, {
            exchangeId: connection.exchangeId,
            ...begun,
          });
        }
        case "answer":
          throw new Error("an answer as data is for HTTP only");
        default:
          return answer satisfies never;
      }
    }
    case "to": {
      const to = placeTarget(verdict.target, call.destination);
      if (to.type === "deny") return refuse(socket, { code: to.code, detail: to.reason ?? "the rule denies it" });
      const { limits, tls } = call;
      const way = tcpWayOf({ to, limits, tls, binding: linkOf(bindingOf(connection.scenario, call)) });
      if (way.type === "worker") return proceedWithConnection(connection, begun, way.to);
      return connectTo(connection, begun, way.target);
    }
    case "as-configured": {
      const { to } = call;
      if (to === undefined) throw new Error("a refused call has no target");
      if (to.type === "worker") return proceedWithConnection(connection, begun, to);
      return connectTo(connection, begun, to.target);
    }
    default:
      return verdict satisfies never;
  }
}

function connectTo(
  { socket, call, exchangeId, functions }: ObservedConnection,
  { join, refuse, watch }: Pick<Begun, "join" | "refuse" | "watch">,
  target: EgressTarget,
): void {
  const { limits } = call;
  const joining = { join, refuse };
  if (target.type === "stand-in") throw new Error("a stand-in takes no connections");
  if (target.type === "function")
    connectToFunction(functions.find(target.functionId), socket, { exchangeId, ...joining });
  else {
    const { leave, checked } = enterTarget(target, limits.workerLimit);
    socket.once("close", leave);
    const connect = (): void => connectToTarget(socket, target, { limits, exchangeId, watch, ...joining });
    const connectUnless = (loop: EgressFailure | undefined): void => {
      if (loop !== undefined) refuse(socket, loop);
      else if (!socket.destroyed) connect();
    };
    if (checked === undefined) connect();
    else void checked.then(connectUnless);
  }
}

function proceedWithConnection(
  { socket, exchangeId, call: { limits } }: ObservedConnection,
  { join, refuse, entry }: Begun,
  to: EgressProceed["to"],
): void {
  proceeding.set(exchangeId, { socket, entry, join, refuse, proceed: { to, limits }, isAttached: false });
  socket.once("close", () => proceeding.delete(exchangeId));
  socket.write(MUST_PROCEED);
}

/** Answers a `proceed` order. */
export function findProceeding(exchangeId: string): EgressProceed | undefined {
  return proceeding.get(exchangeId)?.proceed;
}

/** Carries out an `attach` order: `upstream` is the Worker's end. */
export function attachConnection(exchangeId: string, upstream: Duplex): void {
  const known = proceeding.get(exchangeId);
  if (known === undefined || known.isAttached)
    return sendRawFailure(upstream, { code: "connection_terminated", detail: "the connection was ended" });
  known.isAttached = true;
  const { socket, join } = known;
  upstream.write(ESTABLISHED);
  socket.write(ESTABLISHED);
  join(socket, upstream);
}

/** The function that plays the origin has thrown. What it sent before still arrives, and its end is then no clean one. */
export function failConnection(exchangeId: string, text: string): void {
  const known = proceeding.get(exchangeId);
  if (known === undefined) return;
  const failure = brokenByFunction(text);
  keepFailureOf(exchangeId, failure);
  noteFailure(known.entry, failure);
}
