/**
 * Connections whose bytes go through the faults of a call: to a target, inside of TLS, or to a function.
 *
 *   forward.ts ── near │ faults │ far ── target | HTTP server that answers
 */

import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import type { EgressLimits } from "../../../service-worker/routing/egress-protocol.ts";
import type { OpenCall } from "../../scenario/open-call.ts";
import type { Random } from "../../scenario/faults/random.ts";
import { linkWithFaults } from "../../scenario/faults/link.ts";
import { toError } from "../../system/error.ts";
import { type DialTarget, type DialWatch, dial } from "../connections/dial.ts";
import { splice } from "../splice.ts";
import { type TlsTerms, dialTls } from "../tls/tls.ts";
import { responseOn } from "../http/upgrade.ts";

export interface Faulted {
  open: OpenCall;
  random: Random;
}

const OF_STREAMS = new Set(["latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data"]);

export function hasStreamFaults({ faults }: OpenCall): boolean {
  return faults.some(({ type }) => OF_STREAMS.has(type));
}

/** @returns a connection that fails as one to the target would */
export function connectWithFaults(
  target: DialTarget,
  {
    terms,
    limits,
    open,
    random,
    watch,
  }: { terms: TlsTerms | undefined; limits: EgressLimits; watch: DialWatch | undefined } & Faulted,
): Duplex {
  const [near, far] = linkWithFaults({ live: open, random, onBreak() {} });
  const join = (upstream: Duplex): void => {
    upstream.on("error", (error) => near.destroy(error));
    splice(far, upstream);
  };
  near.once("close", () => far.destroy());
  if (terms === undefined) {
    const socket = dial(target, { limits, allowHalfOpen: true, watch });
    far.once("close", () => socket.destroy());
    join(socket);
  } else {
    const given = new AbortController();
    far.once("close", () => given.abort());
    dialTls(target, { terms, limits, signal: given.signal, watch }).then(join, (error: unknown) =>
      near.destroy(toError(error)),
    );
  }
  return near;
}

/** Carries out one request. `upgrade`: the connection of one that asks for another protocol. */
export type Answering = (incoming: IncomingMessage, outgoing: ServerResponse, upgrade?: Duplex) => void;

/** @returns a connection to an HTTP server that answers so */
export function connectToAnswerWithFaults(answer: Answering, { open, random }: Faulted): Duplex {
  const [near, far] = linkWithFaults({ live: open, random, onBreak() {} });
  const server = http.createServer(
    { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, insecureHTTPParser: true },
    (incoming, outgoing) => {
      outgoing.sendDate = false;
      answer(incoming, outgoing);
    },
  );
  server.on("upgrade", (incoming, socket, head) => {
    socket.unshift(head);
    const outgoing = responseOn(socket, incoming);
    outgoing.sendDate = false;
    answer(incoming, outgoing, socket);
  });
  server.emit("connection", far);
  return near;
}
