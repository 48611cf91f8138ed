/**
 * Functions of rules in another process: the process of the test, which is not that of the session.
 *
 *   egress proxy of the session ── order ──▶ egress proxy of the test's process ──▶ the test's function
 */

import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { Duplex, PassThrough } from "node:stream";
import { json } from "node:stream/consumers";

import {
  ESTABLISHED,
  type EgressOrder,
  type EgressProbe,
  ORDER_HEADER,
  SECRET_HEADER,
  type EgressFailure,
  toHeader,
} from "../../../service-worker/routing/egress-protocol.ts";
import { DEFAULT_SETTINGS } from "../../model.ts";
import type { RuleFunction } from "../../scenario/rule-function.ts";
import { type DialTarget, dial } from "../connections/dial.ts";
import { EgressError, classify } from "../egress-error.ts";
import { keepFailureOf } from "../http/exchange-failures.ts";
import { answerByFunction, connectToFunction } from "../http/function-target.ts";
import type { Field } from "../http/headers.ts";
import { sendConnect } from "../send-connect.ts";
import type { Joining } from "../splice.ts";
import { callRuleFunction } from "./rule-answer.ts";

type Remote = RuleFunction & { type: "remote" };

/** Where an egress proxy listens. */
export function placeOfRemote({ address }: { address: string }): DialTarget {
  if (address.startsWith("unix:")) return { type: "unix", path: address.slice("unix:".length) };
  const [host = "", port] = address.split(":");
  return { type: "address", host, port: Number(port) };
}

type FunctionOrder = EgressOrder & { op: "respond-by" | "connect-by" };

/** What an egress proxy needs to be told. */
export function fieldsFor({ secret }: { secret: string }, order: EgressOrder): Field[] {
  return [
    [SECRET_HEADER, secret],
    [ORDER_HEADER, toHeader(order)],
  ];
}

type NodeFunctions = ReadonlyMap<string, RuleFunction & { type: "node" }>;

/** Carries out a `respond-by` order. */
export function answerOtherProcess(
  { functionId, params, binding, url }: FunctionOrder & { op: "respond-by" },
  { incoming, outgoing, functions }: { incoming: IncomingMessage; outgoing: ServerResponse; functions: NodeFunctions },
): void {
  const found = functions.get(functionId);
  const given = { params, binding, url: new URL(url), folder: process.cwd() };
  void answerByFunction(found && callRuleFunction(found, given), incoming, outgoing);
}

/** Carries out a `connect-by` order. */
export function connectOtherProcess(
  { functionId, address, exchangeId }: FunctionOrder & { op: "connect-by" },
  socket: Duplex,
  functions: NodeFunctions,
): void {
  const connect = functions.get(functionId)?.connect;
  const target = connect && { connect: async (duplex: Duplex) => void (await connect(duplex, address)) };
  connectToFunction(target, socket, { exchangeId });
}

export function connectToRemoteFunction(
  socket: Duplex,
  { remote, address, exchangeId }: { remote: Remote; address: string; exchangeId: string },
  { join, refuse }: Joining,
): void {
  const upstream = dial(placeOfRemote(remote), { limits: DEFAULT_SETTINGS.limits, allowHalfOpen: true });
  socket.once("close", () => upstream.destroy());
  const fields = fieldsFor(remote, { op: "connect-by", functionId: remote.functionId, address, exchangeId });
  void sendConnect(upstream, { fields, far: "the rule's function" })
    .catch(classify)
    .then((failure) => {
      if (failure === undefined) {
        socket.write(ESTABLISHED);
        return join(socket, withCheckedEnd(upstream, { remote, exchangeId }));
      }
      upstream.destroy();
      return refuse(socket, failure);
    });
}

/** The end of a Unix socket says nothing about why it came, so the other process is asked. */
function withCheckedEnd(upstream: Duplex, { remote, exchangeId }: { remote: Remote; exchangeId: string }): Duplex {
  const readable = new PassThrough();
  upstream.pipe(readable, { end: false });
  const finish = async (): Promise<void> => {
    const failure = await askFailureOf(remote, exchangeId);
    if (failure === null) return void readable.end();
    keepFailureOf(exchangeId, failure);
    readable.destroy(new EgressError(failure));
  };
  upstream.once("end", () => void finish());
  upstream.once("error", (error) => readable.destroy(error));
  return Duplex.from({ writable: upstream, readable });
}

async function askFailureOf(remote: Remote, exchangeId: string): Promise<EgressFailure | null> {
  const fields = fieldsFor(remote, { op: "failure", exchangeId });
  const place = placeOfRemote(remote);
  const where = place.type === "unix" ? { socketPath: place.path } : { host: place.host, port: place.port };
  try {
    const request = http.get({ ...where, headers: Object.fromEntries(fields), agent: false });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const { failure } = (await json(response)) as EgressProbe;
    return failure;
  } catch {
    return { code: "connection_terminated", detail: "the process of the rule's function has ended" };
  }
}
