/** What `diff` prints. */

import { escapeControls } from "../diagnostics.ts";
import type { DiffedEntry } from "../recordings/diff/diff-recording.ts";
import type { Change } from "../recordings/diff/compare-answers.ts";
import type { Terminal } from "./terminal.ts";

/** @param name the file, as it is shown */
export function formatDiff(name: string, entries: readonly DiffedEntry[], { paint }: Pick<Terminal, "paint">): string {
  const lines = entries.flatMap((entry): string[] => {
    const { method, url, target, outcome } = entry;
    const head = escapeControls(`${method} ${url}${target === undefined ? "" : ` → ${target}`}`);
    switch (outcome.type) {
      case "changed":
        return [
          `${paint("yellow", "changed")}  ${head}`,
          ...outcome.changes.map((change) => escapeControls(`    ${formatChange(change)}`)),
        ];
      case "gone":
        return [`${paint("red", "gone")}     ${head}`, escapeControls(`    ${outcome.reason}`)];
      case "same":
      case "skipped":
        return [];
      default:
        return outcome satisfies never;
    }
  });
  return [...lines, ...summarize(name, entries)].join("\n");
}

function formatChange({ part, name, change }: Change): string {
  if (part === "status") return `status ${change}`;
  if (part === "header") return `${name}: ${change}`;
  return name === undefined || name === "" ? `body ${change}` : `body ${name} ${change}`;
}

function summarize(name: string, entries: readonly DiffedEntry[]): string[] {
  const count = (type: DiffedEntry["outcome"]["type"]): number =>
    entries.filter(({ outcome }) => outcome.type === type).length;
  const [changed, gone, skipped] = [count("changed"), count("gone"), count("skipped")];
  const asked = entries.length - skipped;
  return [
    `${name}: ${describeResult({ asked, changed, gone })}.`,
    ...describeSkipped(entries),
    ...describeSecrets(entries),
  ];
}

/** `gone`: of those that were asked, how many have no answer. */
function describeResult({ asked, changed, gone }: { asked: number; changed: number; gone: number }): string {
  if (changed + gone === 0) return `${asked} ${asked === 1 ? "answer is" : "answers are"} as recorded`;
  if (gone === 0) return `${changed} of ${asked} ${asked === 1 ? "answer" : "answers"} changed`;
  if (gone === asked) return asked === 1 ? "the request got no answer" : `none of ${asked} requests got an answer`;
  const unanswered = `${gone} of ${asked} requests got no answer`;
  const others = asked - gone;
  if (changed > 0) return `${unanswered}, and ${changed} of ${others} ${others === 1 ? "answer" : "answers"} changed`;
  return `${unanswered}; ${others === 1 ? "the other is" : `the other ${others} are`} as recorded`;
}

const WORDS = {
  method: '{} with other methods; "--all-methods" sends them, too',
  websocket: "{} to a WebSocket",
  secret: "{} with a secret in the URL or body, which is not in the recording",
  body: "{} whose body is not in the recording",
  "stand-in": "{} that a stand-in answers",
};

function describeSkipped(entries: readonly DiffedEntry[]): string[] {
  const skipped = entries.flatMap(({ outcome }) => (outcome.type === "skipped" ? [outcome.because] : []));
  if (skipped.length === 0) return [];
  const groups = Map.groupBy(skipped, (because) => because);
  const list = [...groups].map(([because, all]) => WORDS[because].replace("{}", String(all.length)));
  return [`Not sent: ${list.join("; ")}.`];
}

function describeSecrets(entries: readonly DiffedEntry[]): string[] {
  const names = new Set(entries.flatMap(({ sentWithout = [] }) => sentWithout));
  if (names.size === 0) return [];
  return [
    `Sent without ${[...names].join(", ")}, which ${names.size === 1 ? "is" : "are"} secret in the recording: give it with --header.`,
  ];
}

/** What `diff --json` prints. */
export interface DiffJson {
  file: string;
  same: number;
  changed: number;
  gone: number;
  skipped: number;
  entries: readonly DiffedEntry[];
}

export function diffToJson(name: string, entries: readonly DiffedEntry[]): DiffJson {
  const count = (type: DiffedEntry["outcome"]["type"]): number =>
    entries.filter(({ outcome }) => outcome.type === type).length;
  return {
    file: name,
    same: count("same"),
    changed: count("changed"),
    gone: count("gone"),
    skipped: count("skipped"),
    entries,
  };
}
