/**
 * `miniflare-vpc explain`: where one `fetch()` or `connect()` of a Worker goes, and why. Reads configs and asks
 * the run time's own `decide`; opens no connection.
 */

import { isProblem, parseEndpoint } from "../../service-worker/address.ts";
import { splitEndpoint } from "../../service-worker/address-text.ts";
import { type Asked, type Explanation, explain as explainDecision } from "../../service-worker/explain.ts";
import { indexTable } from "../../service-worker/route-index.ts";
import { knownTargets } from "../services.ts";
import { type Command, FINE, PROBLEMS, defineCommand } from "./command.ts";
import { CONFIG_FLAG, ENV_FLAG, JSON_FLAG, WORKER_FLAG } from "./config-flags.ts";
import { describeExplanation, explanationToJson } from "./explain-text.ts";
import { type OpenSession, findBinding, openSession } from "./open-session.ts";
import { printProblems } from "./print-problems.ts";
import { UsageError } from "./usage-error.ts";

export const explain: Command = defineCommand({
  name: "explain",
  summary: "where a request or connection of a Worker goes, step by step",
  description: `Asks what env.BINDING.fetch(url) or env.BINDING.connect("host:port") would do, without doing it: which entry
of the vpc config counts, which of its routes wins and why the others lose, and what the target would see.
The answer is the run time's own. Nothing is dialled: "miniflare-vpc check --probe" does that.`,
  positionals: [
    { name: "binding", summary: "the binding's name in the wrangler config", completes: "binding" },
    { name: "destination", summary: 'the URL of a fetch(), or the "host:port" of a connect()' },
  ],
  flags: { config: CONFIG_FLAG, env: ENV_FLAG, worker: WORKER_FLAG, json: JSON_FLAG },
  examples: [
    { args: "USERS https://users.internal/users/1", summary: "a fetch()" },
    { args: "PRIVATE db.internal:5432", summary: "a connect()" },
    { args: "PRIVATE '[fd00::1]:6379' --env staging", summary: "in an environment" },
  ],
  exitCodes: {
    0: "it leads to a target",
    1: "it is refused, or a config has errors",
    2: "the command line can't be understood, or there is no wrangler config",
  },
  async run({ flags, positionals }, terminal) {
    const asked = parseAsked(positionals.destination);
    const session = await openSession(flags, terminal);
    if (Array.isArray(session)) {
      printProblems(session, flags, terminal);
      return PROBLEMS;
    }
    const binding = findBinding(session, { bindingName: positionals.binding, workerName: flags.worker });
    const isRemote = session.remoteBindings.has(binding.key);
    const explanation = isRemote ? undefined : explainIn(session, binding.key, asked);
    const subject = { binding, asked, explanation };
    if (flags.json) terminal.print(JSON.stringify(explanationToJson(subject), undefined, 2));
    else terminal.print(describeExplanation(subject, terminal));
    return explanation?.decision.type === "refuse" ? PROBLEMS : FINE;
  },
});

export function explainIn({ table }: Pick<OpenSession, "table">, bindingId: string, asked: Asked): Explanation {
  return explainDecision(asked, { index: indexTable(table), bindingId, known: knownTargets(table) });
}

/** @throws {UsageError} for what the Worker itself would get a TypeError for */
export function parseAsked(text: string): Asked {
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(text)) {
    if (!URL.canParse(text)) throw new UsageError(`${JSON.stringify(text)} is not a URL.`);
    const url = new URL(text);
    if (url.protocol === "http:" || url.protocol === "https:") return { op: "fetch", url };
    throw new UsageError(
      `the URL's scheme is ${JSON.stringify(url.protocol)}, but fetch() takes "http:" and "https:". For connect(), write host:port.`,
    );
  }
  const parts = splitEndpoint(text);
  if (isProblem(parts)) {
    throw new UsageError(
      `the address ${JSON.stringify(text)} ${parts.problem}. Write "host:port" for a connect(), or a whole URL for a fetch().`,
    );
  }
  const endpoint = parseEndpoint(text);
  if (isProblem(endpoint)) throw new UsageError(`the address ${JSON.stringify(text)} ${endpoint.problem}.`);
  return { op: "connect", ...endpoint };
}
