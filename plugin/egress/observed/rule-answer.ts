/**
 * Answers with what a rule says: as a function of the vpc config's kind, or, if it is data, without one.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { finished } from "node:stream/promises";

import type { VpcFunction } from "../../config.ts";
import { adviceOnFile, readAnswerFile } from "../../scenario/answer-file.ts";
import {
  type AnswerContext,
  type PlainAnswer,
  checkAnswer,
  isResponse,
  renderAnswer,
  toResponse,
} from "../../scenario/answer.ts";
import type { PathParams } from "../../scenario/call-path.ts";
import type { RuleFunction } from "../../scenario/rule-function.ts";
import { messageOf } from "../../system/error.ts";
import { hasBody, isBodiless } from "../http/body-framing.ts";
import { EgressError, sendFailure } from "../egress-error.ts";

interface Place {
  /** The named groups of the call's path. */
  params: PathParams;
  /** The base of a relative path. */
  folder: string;
}

/** For what a function returns: it throws, as the function may. */
function contextOf({ params, folder }: Place): AnswerContext {
  return { params, readFile: (file) => readAnswerFile(folder, file) };
}

/** For the rule's own answer: a missing file fails the call, as one of the vpc config does. */
function ownContextOf({ params, folder }: Place): AnswerContext {
  const readFile: AnswerContext["readFile"] = (file) =>
    readAnswerFile(folder, file).catch((error: unknown) => {
      const detail = `the rule can't answer: ${messageOf(error)}`;
      throw new EgressError({ code: "destination_unavailable", detail, hint: adviceOnFile(file) });
    });
  return { params, readFile };
}

interface AnswerOptions extends Place {
  binding: string;
  url: URL;
}

export function callRuleFunction(
  answer: RuleFunction & { type: "answer" | "node" },
  { params, binding, url, folder }: AnswerOptions,
): VpcFunction {
  return async (request) => {
    if (answer.type === "answer") {
      // The journal has the body only if somebody reads it.
      await request.arrayBuffer();
      return toResponse(answer.answer, ownContextOf({ params, folder }));
    }
    if (answer.respond === undefined) throw new TypeError("the rule's function answers connect() only");
    const returned: unknown = await answer.respond({ request, params, binding, url });
    return isResponse(returned) ? returned : toResponse(checkAnswer(returned), contextOf({ params, folder }));
  };
}

/** Sends data without a web Request and Response, which would take longer (bench/rules.ts). Never rejects. */
export async function sendAnswer(
  answer: PlainAnswer,
  { incoming, outgoing, params, folder }: { incoming: IncomingMessage; outgoing: ServerResponse } & Place,
): Promise<void> {
  try {
    // The journal has the body only if somebody reads it, and hears only these events.
    if (hasBody(incoming))
      await finished(
        incoming.on("data", () => {}),
        { writable: false },
      );
    const { status, headers, body } = await renderAnswer(answer, ownContextOf({ params, folder }));
    if (outgoing.destroyed) return;
    const bytes = Buffer.from(body ?? "");
    const length = status === 204 || status === 304 ? [] : ["content-length", String(bytes.length)];
    outgoing.writeHead(status, "", [...[...headers].flat(), ...length]);
    outgoing.end(isBodiless(incoming, status) ? undefined : bytes);
  } catch (error) {
    if (error instanceof EgressError) {
      if (!outgoing.destroyed) sendFailure(outgoing, error.failure);
      return;
    }
    const detail = `the rule's answer failed: ${messageOf(error)}`;
    if (!outgoing.destroyed) {
      sendFailure(outgoing, {
        code: "proxy_internal_error",
        detail,
        hint: "Correct the answer.",
        thrown: messageOf(error),
      });
    }
  }
}
