/**
 * `miniflare-vpc diff`: asks the live targets again what a recording has, and shows what changed.
 */

import { existsSync } from "node:fs";
import path from "node:path";

import { formatLocation } from "../diagnostics.ts";
import type { HarModel } from "../model.ts";
import { type ChosenEnvironment, findBinding, loadChosenEnvironment } from "./chosen-environment.ts";
import { type Command, FINE, PROBLEMS } from "./command.ts";
import { CONFIG_FLAG, ENV_FLAG, JSON_FLAG, WORKER_FLAG } from "./config-flags.ts";
import { defineCommand } from "./define-command.ts";
import { printProblems } from "./print-problems.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export const diff: Command = defineCommand({
  name: "diff",
  summary: "ask the live targets what a recording has, and show what changed",
  description: `Sends the requests of a HAR file to the targets of the vpc config, one after the other, and compares the answers with the
recorded ones: status, header fields that matter, and the structure of JSON. No session needs to run.
Only GET, HEAD and OPTIONS are sent. Secrets are not in a recording, so requests are sent without them.`,
  positionals: [{ name: "file", summary: "the HAR file", completes: "file" }],
  flags: {
    "all-methods": { type: "boolean", summary: "also send POST, PUT and the others, which may change something" },
    values: { type: "boolean", summary: "compare values, too, not only the structure of JSON" },
    header: {
      type: "string",
      short: "H",
      value: "FIELD",
      isRepeated: true,
      summary: 'send this header field: "authorization: Bearer …"; repeat it for several',
    },
    binding: {
      type: "string",
      value: "NAME",
      completes: "binding",
      summary: "the binding that made the calls of which the file doesn't say it",
    },
    worker: WORKER_FLAG,
    config: CONFIG_FLAG,
    env: ENV_FLAG,
    json: JSON_FLAG,
  },
  examples: [
    { args: "users.har", summary: "what changed since it was recorded" },
    { args: 'users.har -H "authorization: Bearer $TOKEN"', summary: "with a secret, which is not in the file" },
  ],
  exitCodes: {
    0: "nothing changed",
    1: "an answer changed, a target is gone, or a config or the file has errors",
    2: "the command line is invalid, or there is no wrangler config",
  },
  async run({ flags, positionals }, terminal) {
    const file = path.resolve(terminal.cwd, positionals.file);
    if (!existsSync(file)) throw new UsageError(`there is no file ${JSON.stringify(positionals.file)}.`);
    const headers = readHeaders(flags.header);
    const environment = await loadChosenEnvironment(flags, terminal);
    if (Array.isArray(environment)) {
      printProblems(environment, flags, terminal);
      return PROBLEMS;
    }
    const asking = { file, flags, headers, through: readBinding(flags, environment) };
    const found = await ask(environment, asking, terminal);
    if ("severity" in found) {
      printProblems([found], flags, terminal);
      return PROBLEMS;
    }
    const { entries, text, toJson } = found;
    const name = formatLocation({ file }, terminal.cwd);
    terminal.print(flags.json ? JSON.stringify(toJson(name, entries), undefined, 2) : text(name, entries, terminal));
    return entries.every(({ outcome }) => outcome.type === "same" || outcome.type === "skipped") ? FINE : PROBLEMS;
  },
});

/** @throws {UsageError} */
function readHeaders(given: readonly string[]): Map<string, string> {
  return new Map(
    given.map((text) => {
      const [, name, value = ""] = /^([!#$%&'*+.^_`|~\w-]+):\s*(.*)$/.exec(text) ?? [];
      if (name === undefined) throw new UsageError(`"--header" is ${JSON.stringify(text)}, but must be "name: value".`);
      return [name.toLowerCase(), value.trim()];
    }),
  );
}

/** @returns its `bindingKey`. @throws {UsageError} */
function readBinding(
  { binding: bindingName, worker: workerName }: { binding: string | undefined; worker: string | undefined },
  environment: ChosenEnvironment,
): string | undefined {
  if (bindingName === undefined) return undefined;
  const { key } = findBinding(environment, { bindingName, workerName });
  if (environment.remoteBindings.has(key))
    throw new UsageError(`"--binding" is ${JSON.stringify(bindingName)}, which is remote, so it has no target to ask.`);
  return key;
}

interface Asking {
  file: string;
  through: string | undefined;
  flags: { "all-methods": boolean; values: boolean };
  headers: ReadonlyMap<string, string>;
}

/** What asks is loaded here, because it is slow. */
async function ask(
  environment: ChosenEnvironment,
  { file, flags, headers, through }: Asking,
  { showProgress }: Pick<Terminal, "showProgress">,
) {
  const [{ diffRecording }, { liveTargetFinder }, { matchSettings }, { formatDiff, diffToJson }] = await Promise.all([
    import("../recordings/diff/diff-recording.ts"),
    import("../recordings/diff/live-target.ts"),
    import("../recordings/match-settings.ts"),
    import("./diff-text.ts"),
  ]);
  const { HarProblem } = await import("../recordings/har-problem.ts");
  // Sockets of targets don't keep the process alive.
  const alive = setInterval(() => undefined, 1000);
  try {
    const entries = await diffRecording({
      file,
      settings: matchSettings(modelOf(environment, file) ?? {}),
      findTarget: liveTargetFinder(environment, { file, through }),
      isEveryMethod: flags["all-methods"],
      isByValue: flags.values,
      headers,
      onProgress: (done, all) => showProgress?.(`asking ${done} of ${all}`),
    });
    return { entries, text: formatDiff, toJson: diffToJson };
  } catch (error) {
    if (!(error instanceof HarProblem)) throw error;
    const { problemOf } = await import("../recordings/check-recordings.ts");
    return problemOf(error, { file, position: { file } });
  } finally {
    clearInterval(alive);
    showProgress?.("");
  }
}

/** The settings of the recording, if the vpc config names it. */
function modelOf({ standIns }: Pick<ChosenEnvironment, "standIns">, file: string): HarModel | undefined {
  return [...standIns.values()]
    .map(({ model }) => model)
    .find((model) => model.type === "har" && model.file === file) as HarModel | undefined;
}
