/** Observed requests for a stand-in. */

import type { IncomingMessage } from "node:http";

import type { Scheme } from "../../../service-worker/routing/table.ts";
import type { RequestEntry } from "../../scenario/journal.ts";
import type { Fallback, StandIn } from "../../stand-ins/stand-in.ts";
import { toWebRequest } from "../http/function-target.ts";
import { answerByStandIn, contextFor } from "../http/stand-in-target.ts";
import type { Answering } from "./faulted-connection.ts";

/** @param standIn undefined if the vpc config no longer has it. @param options `scheme`: of the URL */
export function answerFrom(
  standIn: StandIn | undefined,
  { entry, scheme }: { entry: RequestEntry; scheme: Scheme },
): Answering {
  const note = (reason: string): void => void Object.assign(entry, { reason });
  return (incoming, outgoing, upgrade) => void answerByStandIn(standIn, { incoming, outgoing, upgrade, scheme, note });
}

export function hasFallback(standIn: StandIn): standIn is StandIn & { fallback: Fallback } {
  return standIn.fallback !== undefined;
}

/** @returns whether the stand-in itself has an answer, or a failure to report */
export async function isAnsweredBy(
  fallback: Fallback,
  { body, again }: { body: Buffer; again: () => IncomingMessage },
  { scheme }: { scheme: Scheme },
): Promise<boolean> {
  const content = body.length === 0 ? null : new Response(new Uint8Array(body)).body;
  const request = toWebRequest(again(), { body: content, signal: new AbortController().signal });
  return !(request instanceof Request) || fallback.isAnswered(request, contextFor(request, { scheme, note() {} }));
}
