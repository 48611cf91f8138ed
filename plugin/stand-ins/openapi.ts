/**
 * Answers as an OpenAPI document says, by the mock server of the user's project, which is loaded in a thread when it is
 * first asked. A new version of the document gets a thread of its own; if that can't answer, the last good one goes on.
 */

import { EgressError } from "../egress/egress-error.ts";
import { WITHOUT_BODY } from "../scenario/answer.ts";
import { messageOf } from "../system/error.ts";
import { INSTALL_MOCK_SERVER, MOCK_SERVER, findMockServer } from "./find-mock-server.ts";
import { FilesLook } from "./files-look.ts";
import { type OpenapiThread, type ThreadAnswer, startThread } from "./openapi-thread.ts";
import type { StandIn, StandInContext, StandInPlace } from "./stand-in.ts";

/** @param place may change later */
export function makeOpenapi(
  file: string,
  { place, warn }: { place: StandInPlace; warn: (text: string) => void },
): StandIn {
  const look = new FilesLook(file);
  let current: OpenapiThread | undefined;
  let starting: Promise<void> | undefined;
  let problem = "";
  let isClosed = false;

  async function start(): Promise<void> {
    look.remember();
    try {
      const packageUrl = findMockServer(place.folder);
      if (packageUrl === undefined) throw new Error(`${MOCK_SERVER} is not installed. ${INSTALL_MOCK_SERVER}`);
      const thread = await startThread({ file, packageUrl });
      current?.close();
      current = thread;
      look.follow(thread.files);
      if (isClosed) thread.close();
      if (thread.complaints.length > 0) warn(describeComplaints(place.text, thread.complaints));
    } catch (error) {
      problem = messageOf(error);
      if (current?.isOver === false) warn(`${place.text} can't be used, so its last good version answers: ${problem}`);
    }
  }

  function failure(detail: string): EgressError {
    const { origin, text } = place;
    const hint = `Correct ${text.replace(/^openapi:/, "")}.`;
    return new EgressError({
      code: "proxy_internal_error",
      detail: `the stand-in at ${origin} can't answer: ${detail}`,
      hint,
    });
  }

  /** @throws {EgressError} if there is none */
  async function threadInForce(): Promise<OpenapiThread> {
    if (starting === undefined && (look.isOutdated() || current?.isOver === true)) {
      starting = start().finally(() => (starting = undefined));
    }
    await starting;
    if (current === undefined || current.isOver) throw failure(problem);
    return current;
  }

  async function ask(request: Request, url: URL): Promise<ThreadAnswer> {
    const { method, headers } = request;
    const body = await request.arrayBuffer();
    const thread = await threadInForce();
    const asked = { method, url: url.href, headers: [...headers], body: body.byteLength === 0 ? null : body };
    return thread.ask(asked).catch((error: unknown) => {
      throw failure(messageOf(error));
    });
  }

  async function answer(request: Request, context: StandInContext): Promise<Response> {
    const { url } = context;
    const { status, headers, body, problem: notAllowed } = await ask(request, url);
    if (notAllowed !== undefined) {
      // Without the query, which may carry a token: these lines end up in CI logs.
      const sentence = `${place.text} does not allow ${request.method} ${url.pathname}: ${notAllowed}`;
      context.note(sentence);
      warn(`${sentence}. It answered ${status}.`);
    }
    const isEmpty = request.method === "HEAD" || WITHOUT_BODY.has(status);
    return new Response(isEmpty ? null : body, { status, headers });
  }

  return Object.assign(answer, {
    close() {
      isClosed = true;
      current?.close();
    },
  });
}

/** How many of the mock server's complaints are shown. */
const SHOWN = 3;

function describeComplaints(text: string, complaints: readonly string[]): string {
  const more = complaints.length > SHOWN ? `\n    … and ${complaints.length - SHOWN} more` : "";
  const lines = complaints.slice(0, SHOWN).map((line) => `\n    ${line}`);
  return `${MOCK_SERVER} can't use all of ${text}:${lines.join("")}${more}`;
}
