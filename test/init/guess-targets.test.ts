/** The guesses of `miniflare-vpc init`, and how it finds the ports that something listens on. */

import { expect, test } from "vitest";

import { type ComposeCandidate, guessTargets } from "../../plugin/init/guess-targets.ts";
import { isListening, listeningPorts, parseLsof } from "../../plugin/init/listening-ports.ts";
import { testOn } from "../setup/only-on.ts";
import { parseListeners } from "../../plugin/system/proc-net.ts";
import { closedPort, startTcpServer } from "../servers/tcp-server.ts";
import { pretend } from "../setup/platform.ts";

function service(serviceName: string, port: number, containerPort: number = port): ComposeCandidate {
  return { serviceName, host: "127.0.0.1", port, containerPort };
}

const guesses: [title: string, names: string[], around: Partial<Parameters<typeof guessTargets>[1]>, string[]][] = [
  [
    "if nothing is known: the usual ports, each once",
    ["USERS_API", "ORDERS"],
    {},
    ["http://localhost:3000: nothing listens there yet", "http://localhost:3001: nothing listens there yet"],
  ],
  [
    "ports in use, each once; not of wrangler, an inspector, the system, a database, or at random",
    ["USERS_API", "ORDERS", "BILLING"],
    { ports: [22, 53, 631, 4000, 5432, 8080, 8787, 9229, 40_000] },
    [
      "http://localhost:4000: something listens there now",
      "http://localhost:8080: something listens there now",
      "http://localhost:3000: nothing listens there yet",
    ],
  ],
  [
    "databases, by the binding's name",
    ["USERS_DB", "sessionCache", "EVENTS_MYSQL", "API"],
    { ports: [3000, 6379] },
    [
      "localhost:5432: the name suggests PostgreSQL; nothing listens there yet",
      "localhost:6379: the name suggests Redis; something listens there now",
      "localhost:3306: the name suggests MySQL; nothing listens there yet",
      "http://localhost:3000: something listens there now",
    ],
  ],
  [
    "compose services, by their names in singular or plural, then by their protocol",
    ["USER_SERVICE", "DB", "PAYMENT_API", "CACHE", "API"],
    {
      ports: [3001, 3002, 5433],
      composeServices: [
        service("users-api", 3001, 80),
        service("postgres", 5433, 5432),
        service("payments", 3002),
        { serviceName: "redis", host: "::1", port: 6380, containerPort: 6379 },
      ],
    },
    [
      'http://localhost:3001: the compose service "users-api" publishes it',
      'localhost:5433: the compose service "postgres" publishes it',
      'http://localhost:3002: the compose service "payments" publishes it',
      '[::1]:6380: the compose service "redis" publishes it',
      "http://localhost:3000: nothing listens there yet",
    ],
  ],
  [
    "compose services whose names resolve, by these",
    ["USERS", "DB"],
    {
      composeServices: [
        { serviceName: "users", host: "users", port: 8080, containerPort: 8080 },
        { serviceName: "postgres", host: "postgres", port: 5432, containerPort: 5432 },
      ],
    },
    [
      'http://users:8080: the compose service "users" has this name here',
      'postgres:5432: the compose service "postgres" has this name here',
    ],
  ],
];

test.each(guesses)("%s", (_, names, around, expected) => {
  const guessed = guessTargets(names, { ports: [], composeServices: [], ...around });
  expect(guessed.map(({ target, because }) => `${target}: ${because}`)).toEqual(expected);
});

test("the system lists the ports in use on loopback", async () => {
  await using loopback = await startTcpServer(() => undefined);
  const ports = await listeningPorts();
  expect(ports).toContain(loopback.port);
  expect(ports).toEqual(ports.toSorted((a, b) => a - b));
});

/** A line of `/proc/net/tcp`. */
function line(local: string, state: string): string {
  return `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000 0 1 1 0 100 0 0 10 0`;
}

testOn("linux", "it listens on 127.0.0.2", "a port of another address of loopback is not listed", async () => {
  await using other = await startTcpServer(() => undefined, { host: "127.0.0.2" });
  expect(await listeningPorts()).not.toContain(other.port);
});

test("/proc/net/tcp: listening ports of loopback, and whether localhost reaches them", () => {
  expect(
    parseListeners(
      [
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
        line("0100007F:0BB9", "0A"),
        line("00000000:1538", "0A"),
        line("3500007F:0035", "0A"),
        line("0200007F:0050", "0A"),
        line("0000000000000000FFFF00000200007F:0051", "0A"),
        line("0100007F:0BBA", "01"),
        line("0A00A8C0:0BBB", "0A"),
        line("00000000000000000000000000000000:0BBC", "0A"),
        line("00000000000000000000000001000000:0BBD", "0A"),
        line("0000000000000000FFFF00000100007F:0BBE", "0A"),
        line("000080FE000000000000000001000000:0BBF", "0A"),
        "",
      ].join("\n"),
    ).map(({ port, isAtLocalhost }) => (isAtLocalhost ? port : `not ${port}`)),
  ).toEqual([3001, 5432, "not 53", "not 80", "not 81", 3004, 3005, 3006]);
});

test("lsof: listening ports that localhost reaches", () => {
  expect(
    parseLsof(
      "p1\nf10\nn*:3000\nf11\nn127.0.0.1:3001\nn127.0.0.2:80\np2\nn[::1]:3002\nn[::]:3003\nn192.168.0.10:3004\nn[fe80::1]:3005\n",
    ),
  ).toEqual([3000, 3001, 3002, 3003]);
});

test.each<[NodeJS.Platform, string]>([
  ["darwin", "http://localhost:8080"],
  ["linux", "http://localhost:5000"],
])("AirPlay's ports are not guessed on macOS: %s", (platform, target) => {
  using _ = pretend(platform);
  expect(guessTargets(["USERS"], { ports: [5000, 7000, 8080], composeServices: [] })[0]?.target).toBe(target);
});

test.each(["127.0.0.1", "::1"])(
  "if the system can't list its ports, both addresses of localhost are dialled: %s",
  async (host) => {
    await using server = await startTcpServer(undefined, { host });
    expect(await isListening(server.port)).toBe(true);
    expect(await isListening(await closedPort())).toBe(false);
  },
);
