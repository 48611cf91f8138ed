/**
 * Relays what a target answers to the Worker: 1xx, the response with its trailers, and the connection of an upgrade.
 * `forward.ts` sends the request.
 */

import type { IncomingMessage, InformationEvent, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import type { EgressFailure } from "../../../service-worker/routing/egress-protocol.ts";
import { UNASKED_UPGRADE } from "../../../service-worker/routing/error-codes.ts";
import { messageOf } from "../../system/error.ts";
import { endLike, endsWithConnection, flushHead, inChunks, isBodiless } from "./body-framing.ts";
import { describeOversize, sendFailure } from "../egress-error.ts";
import type { Exchange } from "./exchange.ts";
import { RESPONSE_PRIVATE, findOversize, formatHead, relayedFields } from "./headers.ts";
import { noteUnframed } from "../lanes.ts";
import { splice } from "../splice.ts";
import { describeMismatch } from "./upgrade.ts";

const NONE_PRIVATE: ReadonlySet<string> = new Set();

export function relayInterim(interim: InformationEvent, outgoing: ServerResponse): void {
  if (interim.statusCode === 100) outgoing.writeContinue();
  else {
    // A 1xx that can't be relayed may be dropped (RFC 9110 §15.2).
    const head = formatResponseHead(interim);
    if (head !== undefined) outgoing.socket?.write(head);
  }
}

interface Progress {
  isContinued: boolean;
  hasFailed: () => boolean;
}

/** @param response a 101 that doesn't switch to another protocol */
export function describeSwitch({ incoming, upgrade }: Exchange, response: IncomingMessage): EgressFailure {
  const detail = describeMismatch(incoming, response);
  return upgrade !== undefined && detail !== undefined ? { code: "http_upgrade_failed", detail } : UNASKED;
}

export function relayResponse(
  response: IncomingMessage,
  { incoming, outgoing, proxy, target }: Exchange,
  { isContinued, hasFailed }: Progress,
): void {
  // Node closes the connection after an answer that came instead of "100 Continue", so its "Connection: close" must stay.
  const isLast = !outgoing.shouldKeepAlive || (incoming.headers.expect !== undefined && !isContinued);
  if (!isLast) outgoing.removeHeader("connection");
  try {
    // When the target closes its connection, workerd's stays open: it may still be uploading.
    const received = relayedFields(response.rawHeaders, proxy === undefined ? RESPONSE_PRIVATE : NONE_PRIVATE);
    const oversize = findOversize(received);
    if (oversize !== undefined) return sendFailure(outgoing, describeOversize(oversize));
    const fields = (isBodiless(incoming, response.statusCode) ? received : inChunks(received)).filter(
      ([fieldName, value]) => fieldName.toLowerCase() !== "connection" || !(isLast || /\bclose\b/i.test(value)),
    );
    outgoing.writeHead(response.statusCode ?? 0, response.statusMessage ?? "", fields.flat());
  } catch (error) {
    sendFailure(outgoing, { code: "http_protocol_error", detail: messageOf(error) });
    return;
  }
  if (endsWithConnection(incoming, response)) noteUnframed(target);
  flushHead(outgoing);
  response.once("end", () => {
    // If only the connection's end marks the end of a body, Node reports a reset as an end.
    if (!hasFailed()) endLike(response, outgoing);
  });
  response.pipe(outgoing, { end: false });
}

export function relayUpgrade(response: IncomingMessage, socket: Duplex, exchange: Exchange & { head: Buffer }): void {
  const { incoming, outgoing, upgrade, head, watch } = exchange;
  if (upgrade === undefined || outgoing.socket === null) {
    socket.destroy();
    return sendFailure(outgoing, UNASKED);
  }
  const mismatch = describeMismatch(incoming, response);
  if (mismatch !== undefined) {
    socket.destroy();
    return sendFailure(outgoing, { code: "http_upgrade_failed", detail: mismatch });
  }
  const accepted = formatResponseHead(response);
  if (accepted === undefined) {
    socket.destroy();
    return sendFailure(outgoing, {
      code: "http_upgrade_failed",
      detail: "its 101 has a control character, or too many fields",
    });
  }
  watch?.answered(response);
  outgoing.detachSocket(outgoing.socket);
  upgrade.write(accepted);
  socket.unshift(head);
  socket.allowHalfOpen = true;
  splice(upgrade, socket);
  watch?.upgraded(upgrade, socket, response);
}

const UNASKED: EgressFailure = { code: "http_protocol_error", detail: UNASKED_UPGRADE };

function formatResponseHead({ statusCode, statusMessage, rawHeaders }: Head): Buffer | undefined {
  return formatHead(`HTTP/1.1 ${statusCode} ${statusMessage}`, relayedFields(rawHeaders, RESPONSE_PRIVATE));
}

type Head = Pick<InformationEvent, "rawHeaders"> & Partial<Pick<IncomingMessage, "statusCode" | "statusMessage">>;
