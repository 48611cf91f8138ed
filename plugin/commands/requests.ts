/** `miniflare-vpc requests`: prints what the running session was asked. */

import { statSync } from "node:fs";
import path from "node:path";

import type { ControlClient } from "../control/client.ts";
import type { EntryList } from "../scenario/commands.ts";
import { escapeControls } from "../diagnostics.ts";
import type { Har } from "../recordings/har.ts";
import { messageOf } from "../system/error.ts";
import { replaceFile } from "../system/replace-file.ts";
import { type Command, FINE } from "./command.ts";
import { JSON_FLAG } from "./config-flags.ts";
import { defineCommand } from "./define-command.ts";
import { inSession } from "./running-session.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export const requests: Command = defineCommand({
  name: "requests",
  summary: "print the requests and connections that the running session has seen",
  description: `Prints the journal of the running miniflare-vpc dev of this folder, or of the nearest one above it: one line for each request
and connection, the oldest first, with what decided and what came back. The journal begins with the first command or test
that uses it; with --record, a recording that is made or has a fallback, or faults in the vpc config, it begins at the start.
It keeps the last 10000.`,
  positionals: [],
  flags: {
    follow: { type: "boolean", short: "f", summary: "go on, and print each one when it is over" },
    json: JSON_FLAG,
    har: {
      type: "string",
      value: "FILE",
      summary: "write the requests to this HAR file instead, without their secrets",
    },
  },
  examples: [
    { args: "--follow", summary: "watch them" },
    { args: "--har users.har", summary: "for a browser's network panel" },
    { args: "--json", summary: "with header fields and bodies; with --follow, one JSON text a line" },
  ],
  exitCodes: {
    0: "they are printed, or written",
    1: "there is no session in this folder, or the file can't be written",
    2: "the command line is invalid",
  },
  run: ({ flags }, terminal) =>
    inSession(terminal, async (client) => {
      checkHarFlag(flags, terminal);
      if (flags.har !== undefined) return await writeHarOf(client, flags.har, terminal);
      if (flags.follow) {
        await follow(client, flags, terminal);
        return FINE;
      }
      const { entries, dropped } = await journalOf(client);
      if (dropped > 0)
        terminal.printError(
          `The journal is full: it has dropped ${dropped} older ${dropped === 1 ? "call" : "calls"}.`,
        );
      if (flags.json) terminal.print(JSON.stringify(entries, undefined, 2));
      else if (entries.length > 0) terminal.print(entries.map(formatEntry).join("\n"));
      else terminal.printError("The journal is empty. It keeps what comes from now on.");
      return FINE;
    }),
});

/** @throws {UsageError} */
function checkHarFlag(
  { har: file, json, follow }: { har: string | undefined; json: boolean; follow: boolean },
  { cwd }: Pick<Terminal, "cwd">,
): void {
  if (file === undefined) return;
  const other = json ? "--json" : follow ? "--follow" : undefined;
  if (other !== undefined) throw new UsageError(`"--har" and "${other}" cannot be used together.`);
  const folder = path.dirname(path.resolve(cwd, file));
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(`"--har" is ${JSON.stringify(file)}, but there is no folder ${JSON.stringify(folder)}.`);
}

async function writeHarOf(client: ControlClient, file: string, terminal: Terminal): Promise<number> {
  const { log } = (await client.run({ do: "har" })) as Har;
  try {
    replaceFile(path.resolve(terminal.cwd, file), [JSON.stringify({ log }, undefined, 2), "\n"]);
  } catch (error) {
    terminal.printError(`miniflare-vpc requests: can't write ${file}: ${messageOf(error)}.`);
    return 1;
  }
  const count = log.entries.length === 1 ? "1 request" : `${log.entries.length} requests`;
  terminal.printError(`Wrote ${count} to ${file}.${log.comment === undefined ? "" : ` ${log.comment}`}`);
  return FINE;
}

/** The part of an entry that a line shows. */
interface Entry {
  id: number;
  type: "request" | "connection";
  binding: string;
  method?: string;
  url?: string;
  address?: string;
  /** Empty if the call was refused. */
  goal?: string;
  status?: number;
  code?: string;
  reason?: string;
  sent?: { size: number };
  received?: { size: number };
  duration?: number;
}

/** In the order of their arrival. `dropped`: older ones that no longer fit. */
async function journalOf(client: ControlClient): Promise<EntryList<Entry>> {
  const [ofHttp, ofTcp] = (await Promise.all([client.run({ do: "requests" }), client.run({ do: "connections" })])) as [
    EntryList<Entry>,
    EntryList<Entry>,
  ];
  const entries = [...ofHttp.entries, ...ofTcp.entries].toSorted((one, other) => one.id - other.id);
  return { entries, dropped: ofTcp.dropped };
}

/** Until the session ends. */
async function follow(client: ControlClient, { json }: { json: boolean }, terminal: Terminal): Promise<void> {
  const printed = new Set<number>();
  const print = (entry: Entry): void => {
    if (entry.duration === undefined || printed.has(entry.id)) return;
    printed.add(entry.id);
    terminal.print(json ? JSON.stringify(entry) : formatEntry(entry));
  };
  const events = await client.events("/events");
  // What is over before the events began.
  for (const entry of (await journalOf(client)).entries) print(entry);
  for await (const entry of events) print(entry as Entry);
}

/** Like a traffic line: without the query, which may hold a secret. */
function formatEntry(entry: Entry): string {
  const { type, binding, method, url, address, goal, status, code, reason, sent, received, duration } = entry;
  const what = type === "request" ? `${method} ${withoutQuery(url)}` : `connect ${address}`;
  const bytes = type === "connection" ? [`sent ${sent?.size} B, received ${received?.size} B`] : [];
  const result = code ?? status ?? reason;
  const parts = [
    binding,
    `${what}${goal ? ` → ${goal}` : ""}`,
    ...(result === undefined ? [] : [String(result)]),
    ...bytes,
    duration === undefined ? "not over yet" : `${Math.round(duration)} ms`,
  ];
  return escapeControls(parts.join("  "));
}

function withoutQuery(url = ""): string {
  return url.replace(/[?#].*$/s, "");
}
