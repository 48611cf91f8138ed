/** Formats the answers of probed targets as lines for people and as diagnostics. */

import path from "node:path";

import { type Diagnostic, escapeControls } from "../diagnostics.ts";
import type { Probed } from "./probe.ts";
import type { Terminal } from "./terminal.ts";

export function formatProbes(probed: readonly Probed[], { paint }: Pick<Terminal, "paint">): string {
  if (probed.length === 0) return "There is no target to dial: no target is a fixed address or a Unix socket.";
  const widest = (cellOf: (each: Probed) => string): number => Math.max(...probed.map((each) => cellOf(each).length));
  const widths = { target: widest(({ target }) => target), time: widest(formatTime) };
  const lines = probed.map((each) => {
    const { target, outcome, origins } = each;
    const state = paint(outcome.state === "open" ? "green" : "red", outcome.state.padEnd("timed out".length));
    const details = [...describeAnswer(each), ...describeCertificate(each)].join(", ");
    const more = origins.length > 1 ? ` and ${origins.length - 1} more` : "";
    const head = `${escapeControls(target.padEnd(widths.target))}  ${state}  ${formatTime(each).padStart(widths.time)}`;
    return `    ${head}  ${escapeControls(`${details === "" ? "" : `${details}  `}(${origins[0]}${more})`)}`;
  });
  const silent = probed.filter(({ outcome }) => outcome.state !== "open").length;
  const summary = silent === 0 ? "Every target answers." : `No answer from ${silent} of ${probed.length} targets.`;
  return `targets\n${lines.join("\n")}\n${summary}`;
}

function formatTime({ time }: Probed): string {
  return `${time} ms`;
}

function describeAnswer({ outcome }: Probed): string[] {
  if (outcome.state !== "open") return [outcome.detail];
  return [outcome.status === undefined ? "TCP only" : `HTTP ${outcome.status}`];
}

function describeCertificate({ certificate }: Probed): string[] {
  if (certificate === undefined) return [];
  const { subject, expires } = certificate;
  const day = expires.slice(0, "2026-01-01".length);
  return [`certificate of ${subject}, ${Date.parse(expires) < Date.now() ? "expired" : "expires"} ${day}`];
}

/** The diagnostic for a target that does not answer, at the first line that leads to it. */
export function diagnosticOf({ target, outcome, origins: [origin = ""] }: Probed): Diagnostic {
  const [, file = origin, line, column] = /^(.*?)(?::(\d+):(\d+))?$/.exec(origin) ?? [];
  const why = outcome.state === "open" ? "" : `: ${outcome.detail}`;
  return {
    severity: "error",
    code: "target-does-not-answer",
    text: `the target ${target} does not answer${why}`,
    file: path.resolve(file),
    ...(line !== undefined && { line: Number(line) }),
    ...(column !== undefined && { column: Number(column) }),
    notes: [outcome.state === "failed" ? "Correct the target, or the service that listens there." : START],
  };
}

const START = "Start the service, or change the target if it listens elsewhere.";
