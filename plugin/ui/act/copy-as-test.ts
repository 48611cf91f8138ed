/** Writes the line of a test that lets the network do once more what it did in a call. */

import { isUtf8 } from "node:buffer";

import type { Binding } from "../../../service-worker/routing/table.ts";
import type { ConnectionEntry, JournalEntry } from "../../scenario/journal.ts";
import type { CopyView } from "../traffic-view.ts";
import { answerOf, callOf, whoOf } from "./answer-of-call.ts";
import { writeLiteral } from "./literal.ts";
import { refused } from "./refused.ts";

/** @throws {ControlError} in words, if no rule can do it */
export function copyAsTest(entry: JournalEntry, binding: Binding | undefined): CopyView {
  const who = writeLiteral(whoOf(entry, binding));
  const on = entry.type === "request" ? `vpc.on(${who}, ${writeLiteral(callOf(entry))})` : `vpc.on(${who})`;
  if (entry.code !== undefined) return { text: `await ${on}.fail(${writeLiteral(entry.code)});` };
  if (entry.type === "request") return { text: `await ${on}.respond(${writeLiteral(answerOf(entry))});` };
  return { text: `await ${on}.connect(async ({ writable }) => {\n${originOf(entry)}});` };
}

/** Says what the target said, without waiting for the Worker. */
function originOf({ received }: ConnectionEntry): string {
  if (!received.isEnded) throw refused("the connection is still open.");
  if (received.isTruncated)
    throw refused(`the session has kept only ${received.kept} of the ${received.size} bytes that the target sent.`);
  const { bytes } = received;
  const content = isUtf8(bytes)
    ? `new TextEncoder().encode(${writeLiteral(bytes.toString())})`
    : `Uint8Array.from(atob(${writeLiteral(bytes.toString("base64"))}), (char) => char.charCodeAt(0))`;
  return `  const writer = writable.getWriter();
  await writer.write(${content});
  await writer.close();
`;
}
