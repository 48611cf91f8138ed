/** Makes all that the page shows of one call from its entry in the journal. */

import { isProblem, parseEndpoint } from "../../service-worker/routing/address.ts";
import { PROXY_ERRORS, isProxyErrorCode } from "../../service-worker/routing/error-codes.ts";
import type { Asked } from "../../service-worker/routing/explain.ts";
import type { Binding, RoutingTable } from "../../service-worker/routing/table.ts";
import { askForDatabase } from "../hyperdrive/database.ts";
import { explainIn } from "../commands/explain.ts";
import { type ExplainedCall, explainInRows } from "../commands/explain-text.ts";
import { type CallDetail, timingsOf } from "../scenario/call-detail.ts";
import type { Capture } from "../scenario/capture.ts";
import type { JournalEntry } from "../scenario/journal.ts";
import { nameRule } from "../scenario/goals.ts";
import { decodeContent } from "./decode-content.ts";
import { describeEffect } from "./in-force.ts";
import { nameStatements } from "./name-statement.ts";
import { toRow } from "./rows.ts";
import type { BytesView, CallView, ConversationView, DecisionView, ErrorView, PieceView } from "./traffic-view.ts";

/** @param table that was in force when the call began */
export function viewCall(entry: JournalEntry, table: RoutingTable): CallView {
  const explained = explainEntry(entry, table);
  const error = viewError(entry, explained);
  return {
    row: toRow(entry),
    ...(explained && { decision: viewDecision(explained, entry) }),
    ...(error && { error }),
    ...viewMessages(entry),
    ...viewSteps(entry),
  };
}

function explainEntry(entry: JournalEntry, table: RoutingTable): ExplainedCall | undefined {
  const { bindingId } = entry.asked;
  const binding = table.bindings[bindingId];
  const asked = isDatabase(binding) ? askForDatabase(binding) : askedIn(entry);
  if (binding === undefined || asked === undefined) return undefined;
  return { binding: describeBinding(binding), asked, explanation: explainIn({ table }, bindingId, asked) };
}

function isDatabase(binding: Binding | undefined): boolean {
  return binding?.kind === "service" && binding.isHyperdrive === true;
}

function askedIn(entry: JournalEntry): Asked | undefined {
  if (entry.type === "request") return { op: "fetch", url: new URL(entry.url) };
  const endpoint = parseEndpoint(entry.address);
  return isProblem(endpoint) ? undefined : { op: "connect", ...endpoint };
}

function describeBinding(binding: Binding): ExplainedCall["binding"] {
  const { bindingName, workerName } = binding;
  switch (binding.kind) {
    case "service":
      return {
        bindingName,
        workerName,
        bindingType: binding.isHyperdrive ? "hyperdrive" : "vpc-service",
        id: binding.serviceId,
      };
    case "network":
      return { bindingName, workerName, bindingType: "vpc-network", id: binding.networkId };
    case "unlinked":
      return { bindingName, workerName, bindingType: binding.bindingType, id: binding.id };
    default:
      return binding satisfies never;
  }
}

function viewDecision(explained: ExplainedCall, { goal }: JournalEntry): DecisionView {
  const { heading, rows } = explainInRows(explained, (_, text) => text);
  const steps = rows.map(([label, ...lines]) => ({ label, lines }));
  if (goal?.rule === undefined) return { heading, steps };
  const decided = `${nameRule(goal.rule)} ${describeEffect(goal.rule.effect)}`;
  return {
    heading,
    steps: [{ label: "rule", lines: [decided, "Without it, the vpc config would have decided:"] }, ...steps],
  };
}

function viewError(
  { code, reason, nearest, rule }: JournalEntry,
  explained: ExplainedCall | undefined,
): ErrorView | undefined {
  if (code === undefined || !isProxyErrorCode(code)) return undefined;
  const decision = explained?.explanation?.decision;
  const { group, summary, hint } = PROXY_ERRORS[code];
  const isDecided = rule === undefined && decision?.type === "refuse" && decision.code === code;
  return {
    code,
    group,
    summary,
    ...(reason !== undefined && { reason }),
    // A refusal knows the line to add.
    hint: isDecided ? decision.hint : hint,
    ...(nearest !== undefined && { nearest }),
  };
}

type Messages = Pick<CallView, "request" | "response" | "sent" | "received" | "conversation" | "statements">;

function viewMessages(entry: JournalEntry): Messages {
  if (entry.type === "connection") {
    const { sent, received, detail } = entry;
    const statements = nameStatements(sent.bytes, received.bytes);
    return {
      ...(statements && { statements }),
      sent: viewBytes(sent),
      received: viewBytes(received),
      ...(detail && { conversation: viewConversation(detail.chunks, detail.chunksDropped) }),
    };
  }
  const { headers, body, responseBody, detail, status } = entry;
  // The head that accepts a WebSocket is no answer for rules and tests.
  const response = entry.response ?? (status === 101 ? detail?.response : undefined);
  return {
    request: { headers, body: viewBytes(body) },
    ...(response && {
      response: {
        headers: response.headers,
        body: viewBytes(responseBody),
        ...(detail?.statusText && { statusText: detail.statusText }),
      },
    }),
    ...(detail?.messages && { conversation: viewConversation(detail.messages, detail.messagesDropped) }),
  };
}

/** Pieces that are sent to the page. */
const MAX_SHOWN = 2000;

function viewConversation(pieces: readonly PieceView[], dropped = 0): ConversationView {
  const shown = pieces.slice(0, MAX_SHOWN);
  return { pieces: shown, more: pieces.length - shown.length + dropped };
}

function viewSteps({ detail, duration }: JournalEntry): Pick<CallView, "timing" | "connection"> {
  if (detail === undefined) return {};
  const { at, connection }: CallDetail = detail;
  const until = duration ?? Math.max(0, ...Object.values(at));
  return {
    timing: { at, phases: timingsOf(detail, until), until, isOver: duration !== undefined },
    ...(connection && { connection }),
  };
}

function viewBytes({ size, kept, isEnded }: Capture): BytesView {
  return { size, kept, isEnded };
}

/**
 * The bytes that are kept until now.
 *
 * @returns undefined if a call of this kind has no such part
 */
export function bytesOfPart(entry: JournalEntry, part: string): Buffer | undefined {
  if (entry.type === "connection") return { sent: entry.sent, received: entry.received }[part]?.bytes;
  switch (part) {
    case "request":
      return decodeContent(entry.body.bytes, entry.headers);
    case "response":
      return decodeContent(entry.responseBody.bytes, entry.response?.headers ?? []);
    case "messages":
      return entry.detail?.messageBytes?.bytes;
    default:
      return undefined;
  }
}
