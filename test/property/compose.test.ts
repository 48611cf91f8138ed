/** Randomly broken compose files: each is read in bounded time, and results in usable routes or useful diagnostics. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";

import { networkOf } from "../setup/network-table.ts";
import { changed, changesOf, edited, editsOf, flipped, flips } from "./broken-files.ts";
import { COMPOSE_FILES as GOOD, type ComposeName, checkCompose as check } from "./compose-folder.ts";
import { DEADLINE, runs } from "./runs.ts";

const edits = editsOf([
  ...Array.from("{}[],:-#&*!|>%@`?\r\0\u0085\u2028\uFEFF"),
  "\r\n",
  ": ",
  "- ",
  "  ",
  "\n---\n",
  "\n...\n",
  "%YAML 1.1\n---\n",
  "<<: *ports\n",
  "<<: ",
  "&host ",
  "*host",
  "*gone ",
  "!reset ",
  "!override ",
  "!!binary ",
  "!!set ",
  "!!int ",
  "!<tag:x> ",
  "!!merge ",
  "? [a, b]\n: c\n",
  "? *host : ",
  "? ",
  "|+2\n",
  ">-\n",
  "~",
  ".nan",
  "-.inf",
  "0x1F",
  "1e999",
  "99999999999999999999999",
  "2026-01-02T03:04:05Z",
  "yes",
  "$",
  "$$",
  "${",
  "${A:-b}",
  "${A:-${B:-${C}}}",
  "${A:?}",
  "${DB_PORT:+$A}",
  "\\x00",
  "\\ud800",
  "export ",
  "=",
]);

const changes = changesOf({
  values: [
    "${A:-b}",
    "${",
    "5432:5432",
    "db",
    "http://[",
    "compose.yaml",
    "./inner/compose.yaml",
    "\0",
    { service: "db" },
    { service: "web", file: "compose.yaml" },
    { path: "compose.yaml", env_file: "." },
    { target: 1, published: "1-3" },
    { back: { aliases: "a" } },
  ],
  keys: ["<<", "services", "ports", "extends", "include", "networks", "profiles", "env_file", "ipv4_address", "file"],
});

const names = fc.constantFrom(...(Object.keys(GOOD) as ComposeName[]).slice(1));
const yamlNames = fc.constantFrom<ComposeName[]>(
  "compose.yaml",
  "compose.yaml",
  "inner/compose.yaml",
  "more.yaml",
  "common.yaml",
);

const odd = fc.oneof(
  fc.constantFrom(
    "",
    "0",
    "-1",
    "65535",
    "65536",
    "080",
    "0x50",
    "8_0",
    "8e1",
    "80.0",
    " 80",
    "80-",
    "-80",
    "http",
    "$A",
  ),
  fc.nat(70_000).map(String),
  fc.tuple(fc.nat(66_000), fc.nat(20)).map(([from, more]) => `${from}-${from + more}`),
);
const address = fc.constantFrom(
  "127.0.0.1",
  "0.0.0.0",
  "::",
  "::1",
  "[::1]",
  "[::1",
  "fe80::1%eth0",
  "127.1",
  "localhost",
  "256.0.0.1",
  "",
);
const protocol = fc.constantFrom("tcp", "udp", "sctp", "TCP", "", "tcp/", "http");
const shortPort = fc
  .tuple(fc.option(address), fc.option(odd), odd, fc.option(protocol))
  .map(([ip, published, target, kind]) => {
    const ports = [ip, published, target].filter((part) => part !== null).join(":");
    return kind === null ? ports : `${ports}/${kind}`;
  });
const longPort = fc.record(
  {
    target: fc.oneof(odd, fc.integer(), fc.double(), fc.jsonValue({ maxDepth: 1 })),
    published: fc.oneof(odd, fc.integer(), fc.jsonValue({ maxDepth: 1 })),
    host_ip: fc.oneof(address, fc.jsonValue({ maxDepth: 1 })),
    protocol: fc.oneof(protocol, fc.jsonValue({ maxDepth: 1 })),
    mode: fc.constant("host"),
  },
  { requiredKeys: [] },
);

describe("compose files", { timeout: DEADLINE }, () => {
  test("are valid without changes", async () => {
    const { diagnostics, table } = await check({});
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(networkOf(table, "app/NET")?.routes.map(({ text }) => text)).toEqual(
      expect.arrayContaining(["own.internal", "shop-db:5432", "web:80", "web:60", "alias:70", "late:81", "inner:6379"]),
    );
  });

  test("with random edits of a text", async () => {
    await fc.assert(
      fc.asyncProperty(names, edits, async (name, given) => {
        await expect(check({ [name]: given.reduce(edited, GOOD[name]) })).resolves.toBeDefined();
      }),
      runs(150),
    );
  });

  test("with the line endings, tabs or encoding of another system", async () => {
    await fc.assert(
      fc.asyncProperty(
        names,
        edits,
        fc.constantFrom<((text: string) => string | Uint8Array)[]>(
          (text) => `\uFEFF${text}`,
          (text) => text.replaceAll("\n", "\r\n"),
          (text) => `\uFEFF${text.replaceAll("\n", "\r\n")}`,
          (text) => text.replaceAll("\n", "\r"),
          (text) => text.replaceAll("  ", "\t"),
          (text) => Buffer.from(text, "utf16le"),
        ),
        async (name, given, save) => {
          await expect(check({ [name]: save(given.slice(1).reduce(edited, GOOD[name])) })).resolves.toBeDefined();
        },
      ),
      runs(60),
    );
  });

  test("with random changes of bytes", async () => {
    await fc.assert(
      fc.asyncProperty(names, flips, async (name, bytes) => {
        await expect(check({ [name]: flipped(GOOD[name], bytes) })).resolves.toBeDefined();
      }),
      runs(60),
    );
  });

  test("with other values in some places", async () => {
    await fc.assert(
      fc.asyncProperty(yamlNames, changes, fc.boolean(), async (name, given, isJson) => {
        const data = given.reduce<unknown>(changed, parse(GOOD[name], { merge: true }));
        await expect(check({ [name]: isJson ? JSON.stringify(data) : stringify(data) })).resolves.toBeDefined();
      }),
      runs(150),
    );
  });

  test("cut off or repeated", async () => {
    await fc.assert(
      fc.asyncProperty(names, fc.nat(), fc.nat(10), async (name, end, times) => {
        await expect(
          check({ [name]: GOOD[name].repeat(times).slice(0, end % (GOOD[name].length * times + 1)) }),
        ).resolves.toBeDefined();
      }),
      runs(50),
    );
  });
});

/** Joins `count` pieces, each made from its number. */
function many(count: number, piece: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => piece(index)).join("");
}

const ported = (ports: string): string => `services: { a: { ports: [${ports}] } }`;

test.each<[string, string, ComposeName?]>([
  ["brackets", "[".repeat(5000)],
  ["braces", "{ a: ".repeat(5000)],
  ["lists of lists", "- ".repeat(5000)],
  ["keys of keys", "? ".repeat(5000)],
  ["mappings of mappings", many(1500, (i) => `${" ".repeat(i)}a:\n`)],
  ["variables of variables", `services: { a: { image: '${"${A:-".repeat(10_000)}${"}".repeat(10_000)}' } }`],
  ["many variables", `services: { a: { image: '${"$A".repeat(20_000)}' } }`],
  ["many keys", `x:\n${many(20_000, (i) => ` k${i}: 1\n`)}`],
  ["many services", `services:\n${many(2000, (i) => ` k${i}: {}\n`)}`],
  [
    "merges of merges",
    `x: &x0 { a: 1 }\n${many(30, (i) => `x${i}: &x${i + 1} { <<: [*x${i}, *x${i}] }\n`)}services: *x30`,
  ],
  [
    "keys that are aliases",
    `x: &x0 []\n${many(30, (i) => `x${i}: &x${i + 1} [*x${i}, *x${i}]\n`)}? [*x30, *x30]\n: *x30\n`,
  ],
  ["many documents", "---\nservices: { a: { ports: ['1:1'] } }\n".repeat(1000)],
  ["many invalid ports", ported("x,".repeat(3000))],
  ["many ranges", ported(many(5000, (i) => `"${i + 1}-${i + 6000}:${i + 1}-${i + 6000}",`))],
  ["ranges of different numbers", ported(many(200, (i) => `"1-${65_534 - i}:2-${65_535 - i}",`))],
  ["services that extend the next", `services:\n${many(400, (i) => ` k${i}: { extends: k${i + 1} }\n`)} k400: {}`],
  ["a long name", `services: { ${"a".repeat(100_000)}: { ports: ["1:1"] } }`],
  ["a long tag", "!".repeat(100_000)],
  ["a long path", `include: ["${"a".repeat(100_000)}"]`],
  ["a long port", ported(`"${"1:".repeat(50_000)}", "${"1-".repeat(50_000)}"`)],
  ["invalid lines", "!\n".repeat(5000), ".env"],
  ["unclosed quotes", "A='\\'\n".repeat(10_000), ".env"],
  ["many lines", many(10_000, (i) => `A${i}=1\n`), ".env"],
  ["values of values", `A0=aaaaaaaaaa\n${many(40, (i) => `A${i + 1}=$A${i}$A${i}\n`)}`, ".env"],
])("large and deeply nested files: %s", async (_, text, name = "compose.yaml") => {
  const { diagnostics } = await check({ [name]: text });
  for (const { text: said, notes } of diagnostics) expect([said, ...notes].join("").length).toBeLessThan(10_000);
});

describe("a service with one port", { timeout: DEADLINE }, () => {
  test.each<[string, fc.Arbitrary<unknown>]>([
    ["short", shortPort],
    ["long", longPort],
    ["any", fc.jsonValue({ maxDepth: 2 })],
  ])("in the %s syntax: it has a route, or a diagnostic reports it", async (_, port) => {
    await fc.assert(
      fc.asyncProperty(port, fc.boolean(), async (written, isJson) => {
        const data = { services: { one: { ports: [written] } } };
        const { table, diagnostics } = await check({
          "compose.yaml": isJson ? JSON.stringify(data) : stringify(data),
          "over.yaml": "",
        });
        const isRouted = networkOf(table, "app/NET")?.routes.some(({ text }) => text.startsWith("one:"));
        expect([isRouted, diagnostics.length]).not.toEqual([false, 0]);
      }),
      runs(60),
    );
  });
});
