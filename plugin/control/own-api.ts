/**
 * The API for other languages: rules, and what was received.
 */

import { type EntryList, runCommand, toPlainEntry } from "../scenario/commands.ts";
import type { JournalEntry } from "../scenario/journal.ts";
import type { RuleSpec } from "../scenario/rule.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { type ControlAnswer, ControlError, type ControlRequest, beginStream } from "./control-request.ts";

/** The bytes of an entry, by the end of their path. */
const PARTS = {
  requests: { body: "body", response: "responseBody" },
  connections: { sent: "sent", received: "received" },
} as const;

/** @param owner of the rules that are made */
export async function answerOwn(request: ControlRequest, owner?: string): Promise<ControlAnswer | undefined> {
  const { scenario, method, path, query, readJson } = request;
  const [room = "", ...rest] = path.slice(1).split("/").map(decodeSegment);
  const who = query.get("who") ?? undefined;
  const call = query.get("call") ?? undefined;
  switch (`${method} ${[room, ...rest.map(() => "*")].join("/")}`) {
    case "POST rules":
      return { status: 201, json: await addRule(scenario, await readJson(), owner) };
    case "GET rules":
      return { status: 200, json: await runCommand(scenario, { do: "rules" }) };
    case "DELETE rules":
      scenario.removeRules(() => true);
      return { status: 204 };
    case "DELETE rules/*":
      if (!scenario.removeRules(({ id }) => id === rest[0]))
        throw new ControlError(404, `there is no rule ${JSON.stringify(rest[0])}.`);
      return { status: 204 };
    case "GET requests":
      return toAnswer(
        await runCommand(scenario, {
          do: "requests",
          ...(who !== undefined && { who }),
          ...(call !== undefined && { call }),
        }),
      );
    case "GET har": {
      const command = {
        do: "har",
        redact: query.getAll("redact"),
        ...(who !== undefined && { who }),
        ...(call !== undefined && { call }),
      } as const;
      return { status: 200, json: await runCommand(scenario, command) };
    }
    case "DELETE requests":
      scenario.journal.clear();
      return { status: 204 };
    case "GET connections":
      return toAnswer(await runCommand(scenario, { do: "connections", ...(who !== undefined && { who }) }));
    case "GET requests/*/*":
    case "GET connections/*/*":
      return await readPart(request, { room: room as keyof typeof PARTS, entryId: rest[0], part: rest[1] });
    case "GET events":
      return await streamEvents(request);
    default:
      return undefined;
  }
}

/** Says how many older ones the journal has dropped. */
export const DROPPED_HEADER = "X-Dropped-Entries";

function toAnswer(list: unknown): ControlAnswer {
  const { entries, dropped } = list as EntryList;
  return { status: 200, json: entries, headers: { [DROPPED_HEADER]: String(dropped) } };
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ControlError(400, `the path has the invalid encoding ${JSON.stringify(segment)}.`);
  }
}

function addRule(scenario: Scenario, rule: unknown, owner: string | undefined): Promise<unknown> {
  return runCommand(scenario, { do: "addRule", rule: checkRule(rule), ...(owner !== undefined && { owner }) });
}

/** A function is not JSON. */
function checkRule(rule: unknown): RuleSpec {
  for (const field of ["respondBy", "connectBy"]) {
    if (typeof rule === "object" && rule !== null && field in rule)
      throw new TypeError(
        `vpc: ${JSON.stringify(field)} is not a field of a rule. Write "respond", "fail", "to" or "faults".`,
      );
  }
  return rule as RuleSpec;
}

/** Waits for the end of the bytes. */
async function readPart(
  { scenario }: ControlRequest,
  { room, entryId, part = "" }: { room: keyof typeof PARTS; entryId: string | undefined; part: string | undefined },
): Promise<ControlAnswer | undefined> {
  const of = Object.entries<"body" | "responseBody" | "sent" | "received">(PARTS[room]).find(
    ([name]) => name === part,
  )?.[1];
  if (of === undefined) return undefined;
  const entry = scenario.journal.entries.find(({ id, type }) => String(id) === entryId && `${type}s` === room);
  if (entry === undefined)
    throw new ControlError(404, `the journal has no ${room.slice(0, -1)} ${JSON.stringify(entryId)}.`);
  const { base64 } = (await runCommand(scenario, { do: "bytes", entry: entry.id, of })) as { base64: string };
  return { status: 200, bytes: Buffer.from(base64, "base64"), contentType: "application/octet-stream" };
}

/** An event each time that a request or a connection begins, is answered or ends. */
async function streamEvents({ scenario, outgoing }: ControlRequest): Promise<ControlAnswer> {
  await scenario.observe();
  beginStream(outgoing);
  const tell = (entry: JournalEntry): void => {
    outgoing.write(`event: ${entry.type}\nid: ${entry.id}\ndata: ${JSON.stringify(toPlainEntry(entry))}\n\n`);
  };
  const { changes } = scenario.journal;
  changes.on("entry", tell);
  outgoing.once("close", () => changes.off("entry", tell));
  return "streamed";
}
