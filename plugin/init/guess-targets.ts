/**
 * Where a VPC Service may be on this machine: by its binding's name, the compose services, and the ports that
 * somebody listens on. Pure; a guess says what it rests on.
 */

export interface Guess {
  /** As written into the vpc config. */
  target: string;
  /** What it rests on, as a sentence without its end. */
  because: string;
}

export interface Surroundings {
  /** Ports that somebody listens on. */
  ports: readonly number[];
  /** Those that publish a port. */
  composeServices: readonly ComposeCandidate[];
}

export interface ComposeCandidate {
  serviceName: string;
  /** As dialled, such as `127.0.0.1`. */
  host: string;
  /** On this machine. */
  port: number;
  /** In the container. */
  containerPort: number;
}

/** What speaks no HTTP, by the words in a binding's name. */
const PROTOCOLS: { words: string[]; port: number; what: string }[] = [
  { words: ["postgres", "postgresql", "pg", "db", "database", "sql"], port: 5432, what: "PostgreSQL" },
  { words: ["mysql", "mariadb"], port: 3306, what: "MySQL" },
  { words: ["redis", "valkey", "cache"], port: 6379, what: "Redis" },
  { words: ["mongo", "mongodb"], port: 27_017, what: "MongoDB" },
  { words: ["rabbitmq", "rabbit", "amqp", "queue"], port: 5672, what: "AMQP" },
  { words: ["mqtt", "mosquitto"], port: 1883, what: "MQTT" },
  { words: ["nats"], port: 4222, what: "NATS" },
  { words: ["kafka"], port: 9092, what: "Kafka" },
  { words: ["memcached", "memcache"], port: 11_211, what: "memcached" },
];

/** Of wrangler and of Node's inspector. */
const TOOLS = new Set([8787, 8788, 9229, 9230]);
/** Further up the system hands ports out at random, to debuggers and editors above all. */
const FIRST_EPHEMERAL = 32_768;
const FIRST_UNPRIVILEGED = 1024;
const WEB = new Set([80, 443]);
/** What is dialled by default where nothing is known. */
const FIRST_FREE = 3000;

/** Words that say nothing about which service it is. */
const NOISE = new Set(["vpc", "service", "svc", "api", "binding", "private", "internal", "server", "app", "main"]);

/** @param bindingNames in the order of the wrangler config; each port is guessed once */
export function guessTargets(bindingNames: readonly string[], { ports, composeServices }: Surroundings): Guess[] {
  const free = new Set(ports.filter(isHttpLike));
  const guesses = bindingNames.map((name) => byName(name, { ports, composeServices }));
  // What a name already speaks for is nobody else's.
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

function byName(bindingName: string, { ports, composeServices }: Surroundings): Guess | undefined {
  const words = wordsOf(bindingName);
  const protocol = PROTOCOLS.find((candidate) => candidate.words.some((word) => words.has(word)));
  const scored = composeServices
    .map((service) => ({ service, score: scoreOf(service, { words, port: protocol?.port }) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score);
  const [best] = scored;
  if (best !== undefined) {
    const { host, port, containerPort, serviceName } = best.service;
    const isHttp = !PROTOCOLS.some((candidate) => candidate.port === containerPort);
    const name = host === "127.0.0.1" ? "localhost" : host.includes(":") ? `[${host}]` : host;
    return {
      target: `${isHttp ? "http://" : ""}${name}:${port}`,
      because: `the compose service ${JSON.stringify(serviceName)} publishes it`,
    };
  }
  if (protocol === undefined) return undefined;
  const { port, what } = protocol;
  const state = ports.includes(port) ? "something listens there now" : "nothing listens there yet";
  return { target: `localhost:${port}`, because: `${what}, by the name; ${state}` };
}

function scoreOf(
  { serviceName, containerPort }: ComposeCandidate,
  { words, port }: { words: ReadonlySet<string>; port: number | undefined },
): number {
  const shared = [...wordsOf(serviceName)].filter((word) => words.has(word) && !NOISE.has(word));
  return shared.length * 2 + (port === containerPort ? 1 : 0);
}

/** `USERS_API`, `users-api` and `usersApi` are `users` and `api`; one `user` is as good as several. */
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
  const isProtocol = PROTOCOLS.some((candidate) => candidate.port === port);
  return port >= FIRST_UNPRIVILEGED && port < FIRST_EPHEMERAL && !isProtocol && !TOOLS.has(port);
}
