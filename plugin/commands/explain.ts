/**
 * `miniflare-vpc explain`: shows where one `fetch()` or `connect()` of a Worker goes, and why. Reads configs and
 * calls the `decide` that also runs at run time. Opens no connection.
 */

import { isProblem, parseEndpoint } from "../../service-worker/routing/address.ts";
import { splitEndpoint } from "../../service-worker/routing/address-text.ts";
import { type Asked, type Explanation, explain } from "../../service-worker/routing/explain.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import { portOfScheme } from "../parse/scheme-ports.ts";
import { splitScheme } from "../parse/split-address.ts";
import { knownSecureTargets } from "../miniflare/known-secure-targets.ts";
import { knownTargets } from "../miniflare/known-targets.ts";
import { type Command, FINE, PROBLEMS } from "./command.ts";
import { defineCommand } from "./define-command.ts";
import { CONFIG_FLAG, ENV_FLAG, JSON_FLAG, WORKER_FLAG } from "./config-flags.ts";
import { explanationToJson } from "./explain-json.ts";
import { describeExplanation } from "./explain-text.ts";
import { askForDatabase } from "../hyperdrive/database.ts";
import {
  type ChosenEnvironment,
  type EnvironmentBinding,
  findBinding,
  loadChosenEnvironment,
} from "./chosen-environment.ts";
import { printProblems } from "./print-problems.ts";
import { UsageError } from "./usage-error.ts";

export const explainCommand: Command = defineCommand({
  name: "explain",
  summary: "show where a request or connection of a Worker goes, step by step",
  description: `Shows what env.BINDING.fetch(url) or env.BINDING.connect("host:port") would do, without doing it: which entry
of the vpc config is used, which of its routes wins and why the others lose, and what the target would see. A Hyperdrive
binding leads to one database, so it takes no destination.
dev decides with the same code. explain dials nothing: "miniflare-vpc check --probe" does that.`,
  positionals: [
    { name: "binding", summary: "the name of the binding in the wrangler config", completes: "binding" },
    { name: "destination", summary: 'the URL of a fetch(), or the "host:port" of a connect()', isOptional: true },
  ],
  flags: { config: CONFIG_FLAG, env: ENV_FLAG, worker: WORKER_FLAG, json: JSON_FLAG },
  examples: [
    { args: "USERS https://users.internal/users/1", summary: "a fetch()" },
    { args: "PRIVATE db.internal:5432", summary: "a connect()" },
    { args: "PRIVATE '[fd00::1]:6379' --env staging", summary: "in an environment" },
    { args: "DB", summary: "the database of a Hyperdrive binding" },
  ],
  exitCodes: {
    0: "the call reaches a target",
    1: "the call is refused, or a config has errors",
    2: "the command line is invalid, or there is no wrangler config",
  },
  async run({ flags, positionals }, terminal) {
    const { destination } = positionals;
    const environment = await loadChosenEnvironment(flags, terminal);
    if (Array.isArray(environment)) {
      printProblems(environment, flags, terminal);
      return PROBLEMS;
    }
    const binding = findBinding(environment, { bindingName: positionals.binding, workerName: flags.worker });
    const asked = askedOf(binding, destination, environment);
    const isElsewhere = environment.remoteBindings.has(binding.key) || binding.ownString !== undefined;
    const explanation = isElsewhere ? undefined : explainIn(environment, binding.key, asked);
    const subject = { binding, asked, explanation, login: environment.logins.get(binding.key) };
    if (flags.json) terminal.print(JSON.stringify(explanationToJson(subject), undefined, 2));
    else terminal.print(describeExplanation(subject, terminal));
    return explanation?.decision.type === "refuse" ? PROBLEMS : FINE;
  },
});

export function explainIn({ table }: Pick<ChosenEnvironment, "table">, bindingId: string, asked: Asked): Explanation {
  const known = new Set([...knownTargets(table).keys(), ...knownSecureTargets(table).keys()]);
  return explain(asked, { index: indexTable(table), bindingId, known });
}

/** @throws {UsageError} if the binding needs a destination and has none, or the other way round */
function askedOf(
  { bindingName, bindingType, key }: EnvironmentBinding,
  destination: string | undefined,
  { table }: ChosenEnvironment,
): Asked {
  if (bindingType !== "hyperdrive") {
    if (destination !== undefined) return parseAsked(destination);
    throw new UsageError('<destination> is missing: the URL of a fetch(), or the "host:port" of a connect().');
  }
  if (destination !== undefined) {
    throw new UsageError(
      `${JSON.stringify(bindingName)} is a Hyperdrive binding, which leads to one database. Type "miniflare-vpc explain ${bindingName}".`,
    );
  }
  return askForDatabase(table.bindings[key]);
}

/** @throws {UsageError} where the Worker itself would get a TypeError */
export function parseAsked(text: string): Asked {
  const split = splitScheme(text);
  if (split?.rest.startsWith("//")) {
    const scheme = split.scheme.toLowerCase();
    if (scheme !== "http" && scheme !== "https") {
      const isWebSocket = scheme === "ws" || scheme === "wss";
      const advice = isWebSocket
        ? `For a WebSocket, write "${scheme.replace("ws", "http")}:${split.rest}".`
        : `For a connect(), write "${addressIn(scheme, split.rest.slice(2))}".`;
      throw new UsageError(`the URL's scheme is "${scheme}:", but fetch() takes "http:" and "https:". ${advice}`);
    }
    if (!URL.canParse(text)) throw new UsageError(`${JSON.stringify(text)} is not a URL.`);
    const url = new URL(text);
    refusePattern(url.hostname, text);
    return { op: "fetch", url };
  }
  const parts = splitEndpoint(text);
  if (isProblem(parts)) {
    throw new UsageError(
      `the address ${JSON.stringify(text)} ${parts.problem}. Write "host:port" for a connect(), or a whole URL for a fetch().`,
    );
  }
  const endpoint = parseEndpoint(text);
  if (isProblem(endpoint)) throw new UsageError(`the address ${JSON.stringify(text)} ${endpoint.problem}.`);
  refusePattern(endpoint.host.text, text);
  return { op: "connect", ...endpoint };
}

/** A route may be for many hosts, but a call has one. @throws {UsageError} */
function refusePattern(host: string, text: string): void {
  if (!host.includes("*")) return;
  const example = text.replace(/(?:\*|%2a)\.?/gi, (star) => (star.endsWith(".") ? "www." : "www.example.com"));
  throw new UsageError(
    `${JSON.stringify(text)} has a "*", as a route may have it, but a Worker asks for one host. Type one, such as ${JSON.stringify(example)}.`,
  );
}

/** The address that a client would dial for a URL such as `postgres://user:password@host/database`. */
function addressIn(scheme: string, rest: string): string {
  // Some clients take several hosts.
  const [host = ""] = rest
    .replace(/[/?#].*$/s, "")
    .replace(/^.*@/s, "")
    .replace(/:$/, "")
    .split(",");
  if (host === "") return "host:port";
  const hasPort = host.includes(":") && !host.endsWith("]");
  return hasPort ? host : `${host}:${portOfScheme(scheme) ?? "port"}`;
}
