/**
 * `miniflare-vpc check`: reports every problem in the wrangler configs and the vpc configs at once, and with
 * `--probe` whether the targets answer.
 */

import { type Diagnostic, formatDiagnostics, formatLocation, hasErrors } from "../diagnostics.ts";
import { type Command, FINE, PROBLEMS } from "./command.ts";
import { defineCommand } from "./define-command.ts";
import { CONFIG_FLAG, ENV_FLAG, JSON_FLAG } from "./config-flags.ts";
import { formatAnnotations } from "./format-annotations.ts";
import { findProblems } from "./find-problems.ts";
import { type ListedTarget, listTargets } from "./list-targets.ts";
import { countOf, problemsToJson } from "./print-problems.ts";
import type { Probed } from "./probe.ts";
import { diagnosticOf, formatProbes } from "./probe-text.ts";
import { chooseEnvironment, readProject } from "./read-project.ts";
import { isInside } from "../system/is-inside.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export const check: Command = defineCommand({
  name: "check",
  summary: "report every problem in both configs; with --probe, dial every target",
  description: `Reads the wrangler config and the vpc config next to it, in every environment, as dev does.
Prints each problem with its place and what to type instead. With --probe, it also dials every target.
It starts nothing and needs no account.`,
  positionals: [],
  flags: {
    config: CONFIG_FLAG,
    env: { ...ENV_FLAG, summary: 'only this environment of the wrangler config; "" is the top level' },
    strict: { type: "boolean", summary: "treat warnings as problems" },
    probe: { type: "boolean", summary: "dial every target and report which ones answer" },
    format: {
      type: "string",
      value: "FORMAT",
      choices: ["text", "github"],
      summary: "how to print problems; github prints GitHub Actions annotations",
    },
    json: JSON_FLAG,
  },
  examples: [
    { args: "", summary: "all environments" },
    { args: "--env staging --strict", summary: "one environment; warnings are problems" },
    { args: "--probe", summary: "which of my services are up?" },
    { args: "--format github", summary: "in a GitHub Actions workflow" },
  ],
  exitCodes: {
    0: "no problems",
    1: "an error; with --strict also a warning; with --probe also a target that does not answer",
    2: "the command line is invalid, or there is no wrangler config",
  },
  async run({ flags }, terminal) {
    if (flags.json && flags.format !== undefined)
      throw new UsageError('"--json" and "--format" cannot be used together.');
    const project = readProject({ configs: flags.config, cwd: terminal.cwd, env: flags.env });
    const chosen = flags.env === undefined ? project.environments : [chooseEnvironment(project, flags.env)];
    const { diagnostics, tables, files } = await findProblems(project, chosen);
    const targets = flags.probe ? listTargets(tables.map(({ table }) => table)) : [];
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

async function probeWithProgress(targets: readonly ListedTarget[], { showProgress }: Terminal): Promise<Probed[]> {
  if (targets.length === 0) return [];
  // Loads Node's HTTP client, which takes longer than a check without it.
  const { probeTargets } = await import("./probe.ts");
  const show = (done: number): void => showProgress?.(`dialling targets: ${done} of ${targets.length}`);
  const interrupt = (): void => {
    showProgress?.("");
    // `once` removed this listener, so the signal now ends the process, as it would have without a listener.
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

/** The checkout of the repository in GitHub Actions, if it contains this folder. */
function repositoryRoot({ cwd, env }: Terminal): string {
  const workspace = env["GITHUB_WORKSPACE"];
  return workspace !== undefined && isInside(workspace, cwd) ? workspace : cwd;
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
