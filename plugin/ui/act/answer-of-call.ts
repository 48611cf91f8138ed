/** What a call was asked and answered, as a rule of a test says it. */

import { isUtf8 } from "node:buffer";

import { formatEndpoint, isProblem, parseHost } from "../../../service-worker/routing/address.ts";
import type { Binding } from "../../../service-worker/routing/table.ts";
import { type Field, firstValue } from "../../egress/http/headers.ts";
import { decodeBody } from "../../recordings/decode-body.ts";
import type { PlainAnswer } from "../../scenario/answer.ts";
import type { CallPattern } from "../../scenario/call.ts";
import type { JournalEntry, RequestEntry } from "../../scenario/journal.ts";
import { messageOf } from "../../system/error.ts";
import { refused } from "./refused.ts";

/** A service's calls are meant by its binding, a network's by their destination. */
export function whoOf(entry: JournalEntry, binding: Binding | undefined): string {
  if (binding?.kind === "service") return entry.binding;
  if (entry.type === "connection") return entry.address;
  const { hostname, port } = new URL(entry.url);
  const host = parseHost(hostname);
  if (isProblem(host)) return entry.binding;
  return port === "" ? host.text : formatEndpoint(host.text, Number(port));
}

/** Exactly this path and query. `GET /users/7`, or an object if there is a query. */
export function callOf({ method, url }: RequestEntry): string | CallPattern {
  const { pathname, searchParams } = new URL(url);
  // URLPattern's syntax (https://urlpattern.spec.whatwg.org/#tokenizing).
  const path = pathname.replaceAll(/[\\:*+?(){}]/g, String.raw`\$&`);
  if (searchParams.size === 0) return `${method} ${path}`;
  return { method, path, query: Object.fromEntries(searchParams) };
}

/** Fields that follow from the body, or are for one connection or one moment only. */
const NOT_SAID = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "date",
  "keep-alive",
  "transfer-encoding",
]);
const TEXT_TYPE = "text/plain;charset=utf-8";

/**
 * @returns the same answer: its status, fields, and body as JSON, text or bytes
 * @throws {ControlError} in words, if no rule can give it
 */
export function answerOf(entry: RequestEntry): PlainAnswer {
  const { status, response, responseBody, method } = entry;
  if (status === undefined || response === undefined) throw refused("the call has no answer.");
  if (status < 200 || status > 599) throw refused(`a rule can't answer with the status ${status}.`);
  if (!responseBody.isEnded) throw refused("the answer has not ended yet.");
  if (responseBody.isTruncated)
    throw refused(
      `the session has kept only ${responseBody.kept} of the ${responseBody.size} bytes of the answer's body.`,
    );
  const { headers } = response;
  const content = decode(responseBody.bytes, headers);
  const type = firstValue(headers, "content-type") ?? "";
  const body = method === "HEAD" || content.length === 0 ? {} : bodyOf(content, type);
  const said = saidFields(headers, impliedType(body));
  return {
    ...(status !== 200 && { status }),
    ...(Object.keys(said).length > 0 && { headers: said }),
    ...body,
  };
}

function decode(bytes: Buffer, headers: readonly Field[]): Buffer {
  try {
    return decodeBody(bytes, firstValue(headers, "content-encoding") ?? "");
  } catch (error) {
    throw refused(`the answer's body can't be read: ${messageOf(error)}.`);
  }
}

type AnswerBody = Pick<PlainAnswer, "json" | "text" | "bytes">;

function bodyOf(content: Buffer, type: string): AnswerBody {
  if (!isUtf8(content)) return { bytes: content.toString("base64") };
  const text = content.toString();
  if (!/[/+]json\b/i.test(type)) return { text };
  // Digits that a number can't hold stay as they were written.
  if (/\d{16}/.test(text)) return { text };
  try {
    return { json: JSON.parse(text) };
  } catch {
    return { text };
  }
}

/** What a rule says without being told. */
function impliedType({ json, text, bytes }: AnswerBody): string | undefined {
  if (json !== undefined) return "application/json";
  if (text !== undefined) return TEXT_TYPE;
  return bytes === undefined ? undefined : "application/octet-stream";
}

/** Fields of one name stay apart: a comma may be part of a value, as in a cookie's `Expires` (RFC 9110 §5.3). */
function saidFields(headers: readonly Field[], implied: string | undefined): NonNullable<PlainAnswer["headers"]> {
  const said = new Map<string, string[]>();
  for (const [field, value] of headers) {
    const name = field.toLowerCase();
    const isImplied = name === "content-type" && value.toLowerCase().replaceAll(" ", "") === implied;
    if (!NOT_SAID.has(name) && !isImplied) said.set(name, [...(said.get(name) ?? []), value]);
  }
  return Object.fromEntries(
    [...said].map(([name, values]): [string, string | string[]] => {
      const [only = ""] = values;
      return [name, values.length === 1 ? only : values];
    }),
  );
}
