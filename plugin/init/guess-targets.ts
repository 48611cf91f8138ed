/**
 * Guesses the address of a VPC Service on this machine from its binding's name, the compose services and the ports
 * in use. Pure. Each guess has a reason.
 */

import { bracketHost, isProblem, parseHost } from "../../service-worker/routing/address.ts";
import type { ComposeDatabase } from "./compose-database.ts";
import { SCHEME_PORTS } from "../parse/scheme-ports.ts";

export interface Guess {
  /** As written into the vpc config. */
  target: string;
  /** The reason: a sentence without a full stop. */
  because: string;
}

export interface Surroundings {
  /** Ports that something listens on. */
  ports: readonly number[];
  /** Only services with a port that is known. */
  composeServices: readonly ComposeCandidate[];
}

export interface ComposeCandidate {
  serviceName: string;
  /** The address to dial, such as `127.0.0.1`. */
  host: string;
  /** At that address. */
  port: number;
  /** In the container. */
  containerPort: number;
  /** The database that it runs, if it is one. */
  database?: ComposeDatabase;
}

/** Of a Hyperdrive binding. */
export interface DatabaseGuess extends Guess, ComposeDatabase {}

/** Protocols other than HTTP, by the words in a binding's name. */
const PROTOCOLS: { words: string[]; port: number; what: string }[] = [
  { words: ["postgres", "postgresql", "pg", "db", "database", "sql"], port: SCHEME_PORTS.postgres, what: "PostgreSQL" },
  { words: ["mysql", "mariadb"], port: SCHEME_PORTS.mysql, what: "MySQL" },
  { words: ["redis", "valkey", "cache"], port: SCHEME_PORTS.redis, what: "Redis" },
  { words: ["mongo", "mongodb"], port: SCHEME_PORTS.mongodb, what: "MongoDB" },
  { words: ["rabbitmq", "rabbit", "amqp", "queue"], port: SCHEME_PORTS.amqp, what: "AMQP" },
  { words: ["mqtt", "mosquitto"], port: SCHEME_PORTS.mqtt, what: "MQTT" },
  { words: ["nats"], port: SCHEME_PORTS.nats, what: "NATS" },
  { words: ["kafka"], port: SCHEME_PORTS.kafka, what: "Kafka" },
  { words: ["memcached", "memcache"], port: SCHEME_PORTS.memcached, what: "memcached" },
];

/** The ports of wrangler and of Node's inspector. */
const TOOLS = new Set([8787, 8788, 9229, 9230]);
/** The ports of macOS's AirPlay receiver. */
const AIRPLAY = new Set([5000, 7000]);
/** From here on, the system assigns ports at random, mostly to debuggers and editors. */
const FIRST_EPHEMERAL = 32_768;
const FIRST_UNPRIVILEGED = 1024;
const WEB = new Set([80, 443]);
/** The first port to guess if nothing is known. */
const FIRST_FREE = 3000;

/** Words that don't identify a service. */
const NOISE = new Set(["vpc", "service", "svc", "api", "binding", "private", "internal", "server", "app", "main"]);

/** @param bindingNames in the order of the wrangler config; each port is guessed once */
export function guessTargets(bindingNames: readonly string[], { ports, composeServices }: Surroundings): Guess[] {
  const free = new Set(ports.filter(isHttpLike));
  const guesses = bindingNames.map((name) => byName(name, { ports, composeServices }));
  // A port that a name points to is not guessed for another binding.
  const taken = new Set([
    ...composeServices.map(({ port }) => port),
    ...guesses.map((guess) => Number(guess?.target.split(":").at(-1))),
  ]);
  let next = FIRST_FREE;
  return guesses.map((guess) => {
    if (guess !== undefined) return guess;
    const open = [...free].find((port) => !taken.has(port));
    if (open !== undefined) {
      taken.add(open);
      return { target: `http://localhost:${open}`, because: "something listens there now" };
    }
    while (taken.has(next)) next++;
    taken.add(next);
    return { target: `http://localhost:${next}`, because: "nothing listens there yet" };
  });
}

/**
 * Guesses the database of a Hyperdrive binding: an address without a scheme, and who logs in there. A database of the
 * compose file counts even if no name is like the binding's; PostgreSQL if nothing says which.
 */
export function guessDatabase(bindingName: string, { ports, composeServices }: Surroundings): DatabaseGuess {
  const words = wordsOf(bindingName);
  const named = PROTOCOLS.find((protocol) => protocol.words.some((word) => words.has(word)))?.what;
  const wanted = /mysql|maria/i.test(bindingName) ? "mysql" : undefined;
  const [best] = composeServices
    .flatMap((service) => {
      const { database } = service;
      if (database === undefined || (wanted !== undefined && database.scheme !== wanted)) return [];
      return [{ service, database, score: scoreOf(service, { words, port: SCHEME_PORTS.postgres }) }];
    })
    .toSorted((a, b) => b.score - a.score);
  if (best !== undefined) {
    return { target: addressOf(best.service), because: reasonFor(best.service), ...best.database };
  }
  const scheme = wanted ?? "postgresql";
  const [port, what] = scheme === "mysql" ? [SCHEME_PORTS.mysql, "MySQL"] : [SCHEME_PORTS.postgres, "PostgreSQL"];
  const why = wanted !== undefined || named === what ? `the name suggests ${what}` : `${what}'s port`;
  const because = `${why}; ${stateOf(port, ports)}`;
  return { target: `localhost:${port}`, because, scheme, database: "app", user: "app" };
}

function byName(bindingName: string, { ports, composeServices }: Surroundings): Guess | undefined {
  const words = wordsOf(bindingName);
  const protocol = PROTOCOLS.find((candidate) => candidate.words.some((word) => words.has(word)));
  const scored = composeServices
    .map((service) => ({ service, score: scoreOf(service, { words, port: protocol?.port }) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score);
  const [best] = scored;
  if (best !== undefined) {
    const { containerPort, database } = best.service;
    const isHttp = database === undefined && !PROTOCOLS.some((candidate) => candidate.port === containerPort);
    return { target: `${isHttp ? "http://" : ""}${addressOf(best.service)}`, because: reasonFor(best.service) };
  }
  if (protocol === undefined) return undefined;
  const { port, what } = protocol;
  return { target: `localhost:${port}`, because: `the name suggests ${what}; ${stateOf(port, ports)}` };
}

function stateOf(port: number, ports: readonly number[]): string {
  return ports.includes(port) ? "something listens there now" : "nothing listens there yet";
}

/** `host:port`. */
function addressOf({ host, port }: ComposeCandidate): string {
  return `${host === "127.0.0.1" ? "localhost" : bracketHost(host)}:${port}`;
}

function reasonFor({ host, serviceName }: ComposeCandidate): string {
  const how = isName(host) ? "has this name here" : "publishes it";
  return `the compose service ${JSON.stringify(serviceName)} ${how}`;
}

/** From inside of its network, a service is reached by its name. */
function isName(host: string): boolean {
  const parsed = parseHost(host);
  return !isProblem(parsed) && parsed.type === "name";
}

function scoreOf(
  { serviceName, containerPort }: ComposeCandidate,
  { words, port }: { words: ReadonlySet<string>; port: number | undefined },
): number {
  const shared = [...wordsOf(serviceName)].filter((word) => words.has(word) && !NOISE.has(word));
  return shared.length * 2 + (port === containerPort ? 1 : 0);
}

/** `USERS_API`, `users-api` and `usersApi` are all `user` and `api`: singular and plural are the same. */
function wordsOf(name: string): Set<string> {
  const words = name
    .replaceAll(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u);
  return new Set(words.filter((word) => word !== "").map((word) => (word.length > 3 ? word.replace(/s$/, "") : word)));
}

/** Whether a port may be a developer's own web server. */
export function isHttpLike(port: number): boolean {
  if (WEB.has(port)) return true;
  if (process.platform === "darwin" && AIRPLAY.has(port)) return false;
  const isProtocol = PROTOCOLS.some((candidate) => candidate.port === port);
  return port >= FIRST_UNPRIVILEGED && port < FIRST_EPHEMERAL && !isProtocol && !TOOLS.has(port);
}
