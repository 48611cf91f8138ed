/**
 * `miniflare-vpc check`: every problem of the wrangler configs and the vpc configs at once, and on demand
 * whether the targets answer.
 */

import path from "node:path";

import { type Diagnostic, formatDiagnostics, formatLocation, hasErrors } from "../diagnostics.ts";
import { type Command, FINE, PROBLEMS, defineCommand } from "./command.ts";
import { CONFIG_FLAG, ENV_FLAG, JSON_FLAG } from "./config-flags.ts";
import { formatAnnotations } from "./format-annotations.ts";
import { findProblems } from "./find-problems.ts";
import { type ListedTarget, listTargets } from "./list-targets.ts";
import { countOf, problemsToJson } from "./print-problems.ts";
import { probeTargets } from "./probe.ts";
import { diagnosticOf, formatProbes } from "./probe-text.ts";
import { chooseEnvironment, readProject } from "./read-project.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export const check: Command = defineCommand({
  name: "check",
  summary: "every problem of both configs at once; with --probe, which targets answer",
  description: `Reads the wrangler config and the vpc config beside it, links them as a session would, in every environment,
and prints each problem with its place and what to type instead. With --probe it dials every target, too.
Starts nothing and needs no account.`,
  positionals: [],
  flags: {
    config: CONFIG_FLAG,
    env: { ...ENV_FLAG, summary: 'only this environment of the wrangler config; "" is the top level' },
    strict: { type: "boolean", summary: "warnings are problems, too" },
    probe: { type: "boolean", summary: "dial every target and tell what answers" },
    format: {
      type: "string",
      value: "FORMAT",
      choices: ["text", "github"],
      summary: "how problems are printed; github: as annotations of GitHub Actions",
    },
    json: JSON_FLAG,
  },
  examples: [
    { args: "", summary: "all environments" },
    { args: "--env staging --strict", summary: "one environment, no warning allowed" },
    { args: "--probe", summary: "are my services up?" },
    { args: "--format github", summary: "in a workflow of GitHub Actions" },
  ],
  exitCodes: {
    0: "no problems",
    1: "problems: an error, under --strict a warning, under --probe a target that does not answer",
    2: "the command line can't be understood, or there is no wrangler config",
  },
  async run({ flags }, terminal) {
    if (flags.json && flags.format !== undefined) throw new UsageError('"--json" and "--format" exclude one another.');
    const project = readProject({ configs: flags.config, cwd: terminal.cwd });
    const chosen = flags.env === undefined ? project.environments : [chooseEnvironment(project, flags.env)];
    const { diagnostics, sessions, files } = await findProblems(project, chosen);
    const targets = flags.probe ? listTargets(sessions.map(({ table }) => table)) : [];
    const probed = await probeWithProgress(targets, terminal);
    const unanswered = probed.filter(({ outcome }) => outcome.state !== "open");

    if (flags.json) {
      const found = { ...problemsToJson(diagnostics), ...(flags.probe && { targets: probed }) };
      terminal.print(JSON.stringify(found, undefined, 2));
    } else if (flags.format === "github") {
      const root = repositoryRoot(terminal);
      const all = [...diagnostics, ...unanswered.map(diagnosticOf)];
      if (all.length > 0) terminal.print(formatAnnotations(all, root));
      terminal.print(summarize(diagnostics, files, terminal));
    } else {
      const { paint, cwd } = terminal;
      if (diagnostics.length > 0) terminal.print(formatDiagnostics(diagnostics, cwd, { limit: Infinity, paint }));
      terminal.print(summarize(diagnostics, files, terminal));
      if (flags.probe) terminal.print(`\n${formatProbes(probed, terminal)}`);
    }
    const isBroken = hasErrors(diagnostics) || (flags.strict && diagnostics.length > 0) || unanswered.length > 0;
    return isBroken ? PROBLEMS : FINE;
  },
});

async function probeWithProgress(
  targets: readonly ListedTarget[],
  { showProgress }: Terminal,
): ReturnType<typeof probeTargets> {
  if (targets.length === 0) return [];
  const show = (done: number): void => showProgress?.(`dialling targets: ${done} of ${targets.length}`);
  const interrupt = (): void => {
    showProgress?.("");
    // This listener is gone by now, so it is the end, as it would have been without one.
    process.kill(process.pid, "SIGINT");
  };
  process.once("SIGINT", interrupt);
  show(0);
  try {
    return await probeTargets(targets, show);
  } finally {
    process.removeListener("SIGINT", interrupt);
    showProgress?.("");
  }
}

/** Where GitHub Actions checked the repository out, if that holds this folder. */
function repositoryRoot({ cwd, env }: Terminal): string {
  const workspace = env["GITHUB_WORKSPACE"];
  const isInside = workspace !== undefined && !path.relative(workspace, cwd).startsWith("..");
  return isInside ? workspace : cwd;
}

function summarize(diagnostics: readonly Diagnostic[], files: readonly string[], { paint, cwd }: Terminal): string {
  const errors = countOf("error", diagnostics);
  const warnings = countOf("warning", diagnostics);
  if (errors + warnings === 0) {
    const names = files.map((file) => formatLocation({ file }, cwd)).join(", ");
    return `${paint("green", "No problems")} in ${names}.`;
  }
  const parts = [
    ...(errors === 0 ? [] : [paint("red", plural(errors, "error"))]),
    ...(warnings === 0 ? [] : [paint("yellow", plural(warnings, "warning"))]),
  ];
  return `${parts.join(" and ")}.`;
}

function plural(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
