/** Requests for a stand-in: called with a web Request, and for an upgrade given the connection. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import type { Scheme } from "../../../service-worker/routing/table.ts";
import type { StandIn, StandInContext } from "../../stand-ins/stand-in.ts";
import { sendFailure } from "../egress-error.ts";
import { answerByFunction, failureOf, toWebRequest } from "./function-target.ts";
import { formatHead } from "./headers.ts";

export interface AskedStandIn extends Pick<StandInContext, "note"> {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  /** The connection of a request for an upgrade. */
  upgrade: Duplex | undefined;
  /** Of the URL. */
  scheme: Scheme;
}

/** Never rejects. @param standIn undefined if the vpc config no longer has it */
export async function answerByStandIn(standIn: StandIn | undefined, asked: AskedStandIn): Promise<void> {
  const { incoming, outgoing, upgrade } = asked;
  if (upgrade !== undefined && standIn?.upgrade !== undefined) return upgradeByStandIn(standIn, { ...asked, upgrade });
  return answerByFunction(standIn && ((request) => standIn(request, contextFor(request, asked))), incoming, outgoing);
}

export function contextFor(request: Request, { scheme, note }: Pick<AskedStandIn, "scheme" | "note">): StandInContext {
  const url = new URL(request.url);
  url.protocol = scheme;
  return { url, note };
}

async function upgradeByStandIn(standIn: StandIn, asked: AskedStandIn & { upgrade: Duplex }): Promise<void> {
  const { incoming, outgoing, upgrade } = asked;
  const request = toWebRequest(incoming, { body: null, signal: new AbortController().signal });
  if (!(request instanceof Request)) return sendFailure(outgoing, request);
  try {
    const answered = await standIn.upgrade?.(request, contextFor(request, asked));
    if (answered === undefined || answered instanceof Response)
      return await answerByFunction(() => answered as Response, incoming, outgoing);
    const head = formatHead("HTTP/1.1 101 Switching Protocols", answered.fields);
    if (outgoing.destroyed || outgoing.socket === null) return;
    if (head === undefined) throw new Error("the stand-in's 101 has a control character in it");
    outgoing.detachSocket(outgoing.socket);
    upgrade.write(head);
    answered.play(upgrade);
  } catch (error) {
    if (!outgoing.destroyed) sendFailure(outgoing, failureOf(error));
  }
}
