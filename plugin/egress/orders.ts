/** Carries out the orders of the service worker: `egress-protocol.ts` says what each of them means. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import {
  type CommandAnswer,
  type EgressFailure,
  type EgressOrder,
  type EgressOwnership,
  type EgressProbe,
  type EgressTable,
  type EgressVerdict,
  type NodeSocketState,
  ORDER_HEADER,
} from "../../service-worker/routing/egress-protocol.ts";
import type { VpcFunctionTarget } from "../config.ts";
import { probe } from "./connections/dial.ts";
import { classify, sendFailure, sendRawFailure } from "./egress-error.ts";
import { messageOf } from "../system/error.ts";
import { nameExchange, takeFailure } from "./http/exchange-failures.ts";
import { forward } from "./http/forward.ts";
import { answerByFunction, connectToFunction } from "./http/function-target.ts";
import type { NativeTls } from "./tls/native-tls.ts";
import type { NodeSockets } from "./node-sockets.ts";
import { isOwnPort } from "./connections/own-port.ts";
import { carryOutRequest } from "./observed/http.ts";
import { answerProceeding, endProceeding, watchCaller } from "./observed/proceed.ts";
import { attachConnection, carryOutConnection, failConnection, findProceeding } from "./observed/tcp.ts";
import { attachSocket } from "./observed/socket-tunnel.ts";
import { answerOtherProcess, connectOtherProcess } from "./observed/remote-function.ts";
import { readBody } from "./observed/replay.ts";
import { runCommand } from "../scenario/commands.ts";
import type { Scenario } from "../scenario/scenario.ts";
import type { RuleFunction } from "../scenario/rule-function.ts";
import type { StandIn } from "../stand-ins/stand-in.ts";
import type { LaneRegistry } from "./lanes.ts";
import type { Registry } from "./registry.ts";
import { listenToReset } from "./reset.ts";
import { connectToTarget } from "./splice.ts";
import { answerByStandIn } from "./http/stand-in-target.ts";
import { probeTls } from "./tls/tls.ts";
import type { TableFeeds } from "./table-feed.ts";

/** What orders refer to. */
export interface Known {
  /** The functions and the stand-ins of the vpc configs. */
  functions: Registry<VpcFunctionTarget>;
  standIns: Registry<StandIn>;
  feeds: TableFeeds;
  lanes: LaneRegistry;
  /** The scenario of each session, by the id of its feed. */
  scenarios: Map<string, Scenario>;
  /** The https targets of each runtime, by the id of its feed. */
  nativeTls: Map<string, NativeTls>;
  /** Functions of this process's test, which rules of another process's session name. */
  testFunctions: Map<string, RuleFunction & { type: "node" }>;
  /** The sockets of this process's own `connect()` calls. */
  nodeSockets: NodeSockets;
}

interface Received {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  known: Known;
  upgrade: Duplex | undefined;
}

/** Carries out what came as a request. */
export function answer({ incoming, outgoing, known, upgrade }: Received): void {
  const order = readOrder(incoming);
  if (order.op === "unreadable") return sendFailure(outgoing, order.failure);
  switch (order.op) {
    case "http": {
      const { target, limits, tls, exchangeId, isFresh = false } = order;
      if (exchangeId !== undefined) nameExchange(outgoing, exchangeId);
      if (target.type === "function") {
        return void answerByFunction(known.functions.find(target.functionId), incoming, outgoing);
      }
      if (target.type === "stand-in") {
        const asked = { scheme: target.scheme, note() {} };
        const standIn = known.standIns.find(target.standInId);
        return void answerByStandIn(standIn, { incoming, outgoing, upgrade, ...asked });
      }
      return forward({
        incoming,
        outgoing,
        target,
        limits,
        isFresh,
        ...(tls && { tls }),
        ...(upgrade && { upgrade }),
      });
    }
    case "lane":
      void known.lanes.assign(order).then((lane) => sendJson(outgoing, lane));
      return;
    case "probe":
      void answerProbe(order, outgoing);
      return;
    case "verdict": {
      const isVerified = known.nativeTls.get(order.feedId)?.isVerified(order.key) ?? false;
      return sendJson(outgoing, { isVerified } satisfies EgressVerdict);
    }
    case "failure":
      return sendJson(outgoing, { failure: takeFailure(order.exchangeId) } satisfies EgressProbe);
    case "goal":
      return sendJson(outgoing, known.scenarios.get(order.feedId)?.goals.describe(order.exchangeId) ?? null);
    case "reset":
      void listenToReset().then(
        (reset) => sendJson(outgoing, reset),
        (error: unknown) => sendFailure(outgoing, classify(error)),
      );
      return;
    case "ownership":
      void isOwnPort(order.port).then((isOwn) => sendJson(outgoing, { isOwn } satisfies EgressOwnership));
      return;
    case "table":
      return known.feeds.answer(order, outgoing, (table) => sendJson(outgoing, { table } satisfies EgressTable));
    case "observed": {
      const { call, exchangeId } = order;
      const scenario = known.scenarios.get(call.feedId);
      if (scenario === undefined) return sendFailure(outgoing, SESSION_OVER);
      nameExchange(outgoing, exchangeId);
      void carryOutRequest({ ...known, incoming, outgoing, upgrade, call, exchangeId, scenario });
      return;
    }
    case "answer":
      nameExchange(outgoing, order.exchangeId);
      return answerProceeding(order, incoming, outgoing);
    case "outcome":
      if (order.outcome.type === "threw") failConnection(order.exchangeId, order.outcome.text);
      return sendJson(outgoing, endProceeding(order));
    case "presence":
      return watchCaller(order.exchangeId, outgoing);
    case "proceed":
      return sendJson(outgoing, findProceeding(order.exchangeId) ?? null);
    case "node-gone": {
      const { socketId, isPatient } = order;
      const { isGone, whenGone } = known.nodeSockets;
      if (!isPatient) return sendJson(outgoing, { isGone: isGone(socketId) } satisfies NodeSocketState);
      return whenGone(socketId, () => sendJson(outgoing, { isGone: true } satisfies NodeSocketState));
    }
    case "node-end":
      known.nodeSockets.end(order.socketId, order.isBroken);
      return sendJson(outgoing, null);
    case "scenario":
      void answerCommand(known.scenarios.get(order.feedId), incoming).then((result) => sendJson(outgoing, result));
      return;
    case "respond-by":
      return answerOtherProcess(order, { incoming, outgoing, functions: known.testFunctions });
    case "tcp":
    case "observed-tcp":
    case "attach":
    case "attach-socket":
    case "connect-by":
    case "node-socket":
      return sendFailure(outgoing, {
        code: "proxy_internal_error",
        detail: `an order for ${order.op} came without CONNECT`,
      });
    default:
      order satisfies never;
  }
}

async function answerProbe(order: EgressOrder & { op: "probe" }, outgoing: ServerResponse): Promise<void> {
  sendJson(outgoing, { failure: await probeInFull(order) } satisfies EgressProbe);
}

async function probeInFull({ target, limits, tls }: EgressOrder & { op: "probe" }): Promise<EgressFailure | null> {
  if (target.type === "function" || target.type === "stand-in") return null;
  return tls === undefined ? probe(target, { limits }) : probeTls(target, { limits, tls });
}

function sendJson(outgoing: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  outgoing.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) }).end(body);
}

/** Carries out what came as CONNECT. */
export function connect(incoming: IncomingMessage, socket: Duplex, known: Known): void {
  const { functions, scenarios, testFunctions } = known;
  const order = readOrder(incoming);
  if (order.op === "unreadable") return sendRawFailure(socket, order.failure);
  if (order.op === "attach") return attachConnection(order.exchangeId, socket);
  if (order.op === "attach-socket") return attachSocket(order.exchangeId, socket);
  if (order.op === "node-socket") return known.nodeSockets.attach(order.socketId, socket);
  if (order.op === "connect-by") return connectOtherProcess(order, socket, testFunctions);
  if (order.op === "observed-tcp") {
    const { call, exchangeId } = order;
    const scenario = scenarios.get(call.feedId);
    if (scenario === undefined) return sendRawFailure(socket, SESSION_OVER);
    void carryOutConnection({ socket, call, exchangeId, scenario, functions });
    return;
  }
  if (order.op !== "tcp") {
    const detail = `an order for ${order.op} came with CONNECT`;
    return sendRawFailure(socket, { code: "proxy_internal_error", detail });
  }
  const { target, limits, exchangeId } = order;
  if (target.type === "function") connectToFunction(functions.find(target.functionId), socket, { exchangeId });
  else connectToTarget(socket, target, { limits, exchangeId });
}

const SESSION_OVER: EgressFailure = { code: "proxy_internal_error", detail: "the session of this call has ended" };

/** Never rejects. */
async function answerCommand(scenario: Scenario | undefined, incoming: IncomingMessage): Promise<CommandAnswer> {
  if (scenario === undefined) return { error: SESSION_OVER.detail };
  try {
    return { result: await runCommand(scenario, JSON.parse((await readBody(incoming)).toString())) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

function readOrder(incoming: IncomingMessage): EgressOrder | { op: "unreadable"; failure: EgressFailure } {
  try {
    // A client that knows the secret also knows the protocol, so the shape isn't checked.
    return JSON.parse(Buffer.from(String(incoming.headers[ORDER_HEADER]), "latin1").toString()) as EgressOrder;
  } catch (error) {
    const failure: EgressFailure = { code: "proxy_internal_error", detail: `unreadable order: ${messageOf(error)}` };
    return { op: "unreadable", failure };
  }
}
