/** Sends a call again, edited or not. The service worker makes it, so that its binding decides as if the Worker had. */

import { randomUUID } from "node:crypto";

import type { RepeatedCall } from "../../../service-worker/routing/egress-protocol.ts";
import { isPlainObject, quote } from "../../read/quote.ts";
import { isHeader } from "../../scenario/answer.ts";
import type { JournalEntry, RequestEntry } from "../../scenario/journal.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import type { RepeatRequest } from "../traffic-view.ts";
import { refused } from "./refused.ts";

/** Milliseconds until the runtime must have begun. */
const DEADLINE = 15_000;

/**
 * @param edit a `RepeatRequest`, not checked yet
 * @returns the id of the new call, once it has begun
 * @throws {TypeError | ControlError} in words, if it can't be sent
 */
export async function repeatEntry(scenario: Scenario, entry: JournalEntry, edit: unknown): Promise<number> {
  if (entry.type === "connection") throw refused("only the Worker can lead the conversation of a connection.");
  if (entry.headers.some(([field]) => field.toLowerCase() === "upgrade"))
    throw refused("only the Worker can lead the conversation of a WebSocket.");
  const call = { repeatId: randomUUID(), bindingId: entry.asked.bindingId, ...readEdit(entry, edit) };
  const { journal } = scenario;
  return await new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      journal.changes.off("entry", look);
      settle();
    };
    const look = ({ id, repeatId }: JournalEntry): void => {
      if (repeatId === call.repeatId) end(() => resolve(id));
    };
    const timer = setTimeout(
      () => end(() => reject(refused("the runtime did not begin the call: see the terminal."))),
      DEADLINE,
    ).unref();
    journal.changes.on("entry", look);
    if (!scenario.context.repeat(call))
      end(() =>
        reject(
          refused(
            "the runtime has started anew, and has not used a binding since. Let the Worker make a call, and try again.",
          ),
        ),
      );
  });
}

/** Fields that the runtime writes itself. */
const OWN_FIELDS = new Set(["host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "expect"]);

function readEdit(entry: RequestEntry, edit: unknown): Omit<RepeatedCall, "repeatId" | "bindingId"> {
  if (!isPlainObject(edit)) throw new TypeError(`the body is ${quote(edit)}, but must be an object.`);
  const {
    method = entry.method,
    url = entry.url,
    headers = entry.headers,
    body,
  } = edit satisfies {
    [Key in keyof RepeatRequest]?: unknown;
  };
  if (typeof method !== "string" || !/^[!#$%&'*+.^_`|~\w-]+$/.test(method))
    throw new TypeError(`the method is ${quote(method)}, but must be one like "GET".`);
  if (typeof url !== "string" || !/^https?:$/.test(URL.parse(url)?.protocol ?? ""))
    throw new TypeError(`the URL is ${quote(url)}, but must begin with "http://" or "https://".`);
  const bytes = bodyBytes(entry, body);
  const isEmpty = bytes.length === 0;
  if (!isEmpty && (method === "GET" || method === "HEAD"))
    throw new TypeError(`a request with the method ${method} has no body. Remove the body, or change the method.`);
  return {
    method,
    url,
    fields: readFields(headers).filter(([field]) => !OWN_FIELDS.has(field.toLowerCase())),
    ...(!isEmpty && { body: bytes.toString("base64") }),
  };
}

function readFields(headers: unknown): [string, string][] {
  const problem = 'must be a list of pairs, such as ["accept", "text/plain"].';
  if (!Array.isArray(headers)) throw new TypeError(`the header fields are ${quote(headers)}, but ${problem}`);
  return headers.map((pair: unknown) => {
    const [field, value]: unknown[] = Array.isArray(pair) ? pair : [];
    if (typeof field !== "string" || typeof value !== "string")
      throw new TypeError(`a header field is ${quote(pair)}, but ${problem}`);
    if (!isHeader(field, value))
      throw new TypeError(`the header field ${quote(field)} can't be sent as ${quote(value)}.`);
    return [field, value];
  });
}

/** @param body a text in place of the one that was sent */
function bodyBytes({ body: sent }: RequestEntry, body: unknown): Buffer {
  if (typeof body === "string") return Buffer.from(body);
  if (body !== undefined) throw new TypeError(`the request's body is ${quote(body)}, but must be a text.`);
  if (!sent.isEnded || sent.isTruncated)
    throw refused(`the session has kept only ${sent.kept} of the ${sent.size} bytes of the request's body.`);
  return sent.bytes;
}
