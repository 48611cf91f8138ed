/** Answers with data of the vpc config: the first answer whose call matches. */

import type { ProxyErrorCode } from "../../service-worker/routing/error-codes.ts";
import { EgressError } from "../egress/egress-error.ts";
import type { RespondModel } from "../model.ts";
import { adviceOnFile, readAnswerFile } from "../scenario/answer-file.ts";
import { type PlainAnswer, toResponse } from "../scenario/answer.ts";
import { type CallBody, type CallMatcher, type RequestHead, makeBody, makeMatcher } from "../scenario/call.ts";
import { nearestOf } from "../scenario/nearest-call.ts";
import { messageOf } from "../system/error.ts";
import type { StandIn, StandInPlace } from "./stand-in.ts";

interface Candidate {
  matcher: CallMatcher;
  answer: PlainAnswer;
}

/** @param place may change later */
export function makeRespond({ answers }: RespondModel, place: StandInPlace): StandIn {
  const candidates = answers.map(({ call, answer }) => ({ matcher: makeMatcher(call), answer }));
  return async (request, { url }) => {
    const head: RequestHead = { method: request.method, url, headers: request.headers };
    // Always: the journal has the body only if somebody reads it.
    const body = makeBody(await request.text());
    for (const { matcher, answer } of candidates) {
      const params = matcher.matchHead(head);
      if (params === undefined || (matcher.needsBody && !matcher.matchBody(body))) continue;
      return await answerWith(answer, { params, head, ...place });
    }
    throw new EgressError(refusal(candidates, { head, body, ...place }));
  };
}

async function answerWith(
  answer: PlainAnswer,
  { params, head, folder, origin }: StandInPlace & { params: Record<string, string>; head: RequestHead },
): Promise<Response> {
  const failWith = (error: unknown, { code, hint }: { code: ProxyErrorCode; hint: string }): never => {
    const detail = `the stand-in at ${origin} can't answer ${head.method} ${head.url.pathname}: ${messageOf(error)}`;
    throw new EgressError({ code, detail, hint });
  };
  const readFile = (file: string): Promise<Buffer<ArrayBuffer>> =>
    readAnswerFile(folder, file).catch((error: unknown) =>
      failWith(error, { code: "destination_unavailable", hint: adviceOnFile(file) }),
    );
  try {
    return await toResponse(answer, { params, readFile });
  } catch (error) {
    if (error instanceof EgressError) throw error;
    return failWith(error, { code: "proxy_internal_error", hint: 'Correct its "respond".' });
  }
}

function refusal(
  candidates: readonly Candidate[],
  { head, body, origin }: { head: RequestHead; body: CallBody; origin: string },
): EgressError["failure"] {
  const nearest = nearestOf(
    candidates.map(({ matcher }) => {
      const differences = matcher.compareHead(head);
      if (differences.length === 0) differences.push(...matcher.compareBody(body));
      return { text: matcher.text, differences };
    }),
  );
  const { method, url } = head;
  return {
    code: "destination_not_found",
    detail: `the stand-in at ${origin} has no answer to ${method} ${url.pathname}${nearest === undefined ? "" : `. The nearest is ${nearest}`}`,
    hint: `Add { "when": "${method} ${url.pathname}", ${method === "HEAD" ? '"status": 200' : '"json": …'} } to its "respond".`,
    ...(nearest !== undefined && { nearest }),
  };
}
