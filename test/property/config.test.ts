/**
 * Config files that were good until something happened to them: each is read to its end, in bounded time, and
 * gives a table that can be used, or diagnostics a developer can act on.
 */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type Diagnostic, formatDiagnostics, hasErrors } from "../../plugin/diagnostics.ts";
import { type LoadedSession, loadSession } from "../../plugin/load.ts";
import { emptyModel, parseConfig } from "../../plugin/parse/parse-config.ts";
import { emptyDocument } from "../../plugin/read/document.ts";
import { readText } from "../../plugin/read/read-text.ts";
import { decide } from "../../service-worker/decide.ts";
import { indexTable } from "../../service-worker/route-index.ts";
import { SERVICE_ID, TUNNEL_ID, networkBinding, serviceBinding } from "../vpc-folder.ts";
import { DEADLINE, runs } from "./runs.ts";

const JSONC = `// The office, at home.
{
  "$schema": "./node_modules/miniflare-vpc/vpc.schema.json",
  "services": {
    "${SERVICE_ID}": { /* pasted */ "name": "users", "type": "http", "http_port": 8080, "https_port": null,
      "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}", "resolver_ips": ["10.0.0.53"] } },
      "tls_settings": { "cert_verification_mode": "verify_ca" } },
    "DB": { "name": "db", "type": "tcp", "tcp_port": 5432, "app_protocol": "postgresql", "target": "localhost:5432",
      "host": { "ipv4": "10.0.0.1", "ipv6": "fd00::1", "network": { "tunnel_id": "${TUNNEL_ID}" } } },
    "ORDERS": "http://localhost:3002", "GONE": "remote", "NO": { "deny": "dns_error" },
  },
  "networks": {
    "${TUNNEL_ID}": {
      "routes": {
        "users.internal": "passthrough", "*.internal:8000-8999": "worker:app", "*.internal:8080": "unix:/run/a.sock",
        "10.9.0.0/16": { "deny": "destination_ip_prohibited" }, "[fd00::/8]:80": "[::1]:8080", "10.0.1.50": "https://localhost",
      },
      "resolver_ips": ["10.0.0.53:5353"], "readTimeout": 2000,
    },
    "cf1:network": { "routes": { "0.0.0.0/0": "passthrough" } },
  },
  "connectTimeout": 1000, "workerLimit": 8, "traffic": false, "rateLimit": { "limit": 20, "period": 10 },
}`;

const TOML = `
connectTimeout = 1_000
traffic = false
rateLimit = { limit = 20 }

[services.${SERVICE_ID}]
name = "users"
type = "http"
http_port = 0x1F90
created_at = 2026-01-02T03:04:05Z
host.hostname = 'users.internal'
host.resolver_network = { tunnel_id = "${TUNNEL_ID}", resolver_ips = [
  "10.0.0.53", # theirs
] }

[services]
ORDERS = """http://localhost:3002"""

[networks."${TUNNEL_ID}"]
resolver_ips = ["10.0.0.53:5353"]

[networks."${TUNNEL_ID}".routes]
"users.internal" = "passthrough"
"*.internal:8000-8999" = "worker:app"
"10.9.0.0/16" = { deny = "dns_error" }
`;

const workers = [
  {
    workerName: "app",
    rootPath: undefined,
    bindings: [
      serviceBinding("API"),
      serviceBinding("DB", "db-id"),
      serviceBinding("ORDERS", "o"),
      networkBinding("NET"),
    ],
  },
  { workerName: "other", rootPath: undefined, bindings: [networkBinding("MESH", "cf1:network")] },
];

/** As `loadSession` reads a file, but from memory. */
function load(bytes: Uint8Array, file: string): Promise<LoadedSession> {
  return loadSession({
    workers,
    source: undefined,
    env: undefined,
    generation: 1,
    readModel: async () => {
      const { document, diagnostics } = readText(bytes, file);
      const model =
        document === undefined
          ? emptyModel(emptyDocument(file, "/"), { isReadable: false })
          : parseConfig(document, diagnostics);
      return { model, diagnostics, watch: [] };
    },
  });
}

/** Milliseconds for one file of a few kilobytes, on a machine with other things to do. */
const MAX_TIME = 5000;

async function check(bytes: Uint8Array, file: string): Promise<void> {
  const started = performance.now();
  const { table, diagnostics } = await load(bytes, file);
  const formatted = formatDiagnostics(diagnostics);
  expect(performance.now() - started).toBeLessThan(MAX_TIME);

  const lines = new TextDecoder().decode(bytes).split("\n");
  for (const diagnostic of diagnostics) expectUseful(diagnostic, { lines, bytes });
  // oxlint-disable-next-line no-control-regex
  expect(formatted).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);

  // Complete also when there are errors: every binding has an answer.
  const index = indexTable(JSON.parse(JSON.stringify(table)) as typeof table);
  for (const { workerName, bindings } of workers) {
    for (const { bindingName } of bindings) {
      const key = `${workerName}/${bindingName}`;
      if (!Object.hasOwn(table.bindings, key)) continue;
      for (const host of ["users.internal", "10.9.1.1", "fd00::1", "__proto__", ""]) {
        expect(decide(index, key, { scheme: "http", host, port: 8080 }).type).toMatch(/^(forward|refuse)$/);
      }
    }
  }
  if (hasErrors(diagnostics)) return;
  // Nothing is left to check at run time.
  for (const { routes } of table.networks)
    for (const { target } of routes) expect(target.type).toEqual(expect.any(String));
}

function expectUseful(
  { text, notes, code, file, line, column }: Diagnostic,
  { lines, bytes }: { lines: string[]; bytes: Uint8Array },
): void {
  const said = [text, ...notes].join("\n");
  expect(code).toMatch(/^[a-z0-9-]+$/);
  expect(text.trim()).not.toBe("");
  // Unless the file itself says so.
  for (const slip of ["undefined", "[object ", "function"]) {
    if (!new TextDecoder().decode(bytes).includes(slip)) expect(said).not.toContain(slip);
  }
  expect(file).not.toBe("");
  if (line === undefined) return;
  expect(line).toBeGreaterThanOrEqual(1);
  expect(line).toBeLessThanOrEqual(lines.length + 1);
  expect(column).toBeGreaterThanOrEqual(1);
  expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 2);
}

/** What an editor, a merge or a cat on the keyboard does to a file. */
const edit = fc.oneof(
  fc.record({ kind: fc.constant("delete" as const), at: fc.nat(), length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant("repeat" as const), at: fc.nat(), length: fc.integer({ min: 1, max: 200 }) }),
  fc.record({
    kind: fc.constant("move" as const),
    at: fc.nat(),
    length: fc.integer({ min: 1, max: 80 }),
    to: fc.nat(),
  }),
  fc.record({
    kind: fc.constant("insert" as const),
    at: fc.nat(),
    text: fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.string({ unit: "binary", maxLength: 3 }),
      fc.constantFrom(
        ...Array.from("{}[]\",:='#/*\\\n\t"),
        '""',
        "null",
        "[[",
        "]]",
        "1e999",
        "-0",
        "\\u0000",
        "\u202e",
        "__proto__",
        "<<<<<<< HEAD\n",
        "'''",
        '"""',
        "inf",
        "2026-13-01",
      ),
    ),
  }),
);

type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function apply(text: string, edit: Edit): string {
  const at = edit.at % (text.length + 1);
  switch (edit.kind) {
    case "delete":
      return text.slice(0, at) + text.slice(at + edit.length);
    case "repeat":
      return text.slice(0, at + edit.length) + text.slice(at);
    case "move": {
      const rest = text.slice(0, at) + text.slice(at + edit.length);
      const to = edit.to % (rest.length + 1);
      return rest.slice(0, to) + text.slice(at, at + edit.length) + rest.slice(to);
    }
    case "insert":
      return text.slice(0, at) + edit.text + text.slice(at);
    default:
      return edit satisfies never;
  }
}

/** Any value in any place of the config, or another key for what is there. */
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(
    null,
    true,
    "",
    "remote",
    "localhost:0",
    "worker:",
    "unix:",
    "http://[",
    "passthrough",
    [],
    {},
    -1,
    1.5,
    Number.MAX_VALUE,
    65_536,
  ),
  fc.constantFrom({ deny: "dns_error" }, { deny: 1 }, { routes: null }, { "users.internal": "localhost:1" }),
);
const change = fc.record({
  at: fc.nat(),
  key: fc.option(
    fc.oneof(fc.string(), fc.constantFrom("__proto__", "toString", "", "routes", "*.internal", "10.0.0.0/8")),
  ),
  value,
});

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;
type Json = Record<string, unknown> | unknown[];

/** Each place of a JSON value that can hold another one. */
function placesIn(node: unknown): { parent: Json; key: string | number }[] {
  if (typeof node !== "object" || node === null) return [];
  const entries: [string | number, unknown][] = Array.isArray(node) ? [...node.entries()] : Object.entries(node);
  return entries.flatMap(([key, child]) => [{ parent: node as Json, key }].concat(placesIn(child)));
}

function changed(source: unknown, { at, key, value }: Change): unknown {
  const root = structuredClone(source);
  const places = placesIn(root);
  const place = places[at % Math.max(places.length, 1)];
  if (place === undefined) return value;
  if (key !== null && !Array.isArray(place.parent)) {
    Object.defineProperty(place.parent, key, { value, enumerable: true, configurable: true, writable: true });
  } else Reflect.set(place.parent, place.key, value);
  return root;
}

const asData: unknown = await loadAsData();

async function loadAsData(): Promise<unknown> {
  const { document } = readText(Buffer.from(JSONC), "/vpc.jsonc");
  return JSON.parse(JSON.stringify(document?.value));
}

describe("a config that was good", { timeout: DEADLINE }, () => {
  test.each([
    ["JSONC", JSONC, "/vpc.jsonc"],
    ["TOML", TOML, "/vpc.toml"],
  ])("%s: is good", async (_, text, file) => {
    const { diagnostics } = await load(Buffer.from(text), file);
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    await check(Buffer.from(text), file);
  });

  test.each([
    ["JSONC", JSONC, "/vpc.jsonc", 700],
    ["TOML", TOML, "/vpc.toml", 700],
  ])("%s: until its text was edited", async (_, text, file, count) => {
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        await expect(check(Buffer.from(edits.reduce(apply, text)), file)).resolves.toBeUndefined();
      }),
      runs(count),
    );
  });

  test.each([
    ["JSONC", JSONC, "/vpc.jsonc"],
    ["TOML", TOML, "/vpc.toml"],
  ])("%s: until its octets were", async (_, text, file) => {
    const flip = fc.record({ at: fc.nat(), octet: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 3 }), async (flips) => {
        const bytes = Buffer.from(text);
        for (const { at, octet } of flips) bytes[at % bytes.length] = octet;
        await expect(check(bytes, file)).resolves.toBeUndefined();
      }),
      runs(300),
    );
  });

  test("until something else stood in one of its places", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(0, 2),
        async (changes, indent) => {
          const text = JSON.stringify(changes.reduce<unknown>(changed, asData), undefined, indent);
          await expect(check(Buffer.from(text), "/vpc.json")).resolves.toBeUndefined();
        },
      ),
      runs(1000),
    );
  });

  test("until it ended too early, or held itself many times over", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<[string, string]>([JSONC, "/vpc.jsonc"], [TOML, "/vpc.toml"]),
        fc.nat(),
        fc.nat(20),
        async ([text, file], end, times) => {
          const cut = text.repeat(times).slice(0, end % (text.length * times + 1));
          await expect(check(Buffer.from(cut), file)).resolves.toBeUndefined();
        },
      ),
      runs(100),
    );
  });

  test.each([
    ["brackets", "/vpc.json", "[".repeat(100_000)],
    ["braces", "/vpc.json", '{"a":'.repeat(100_000)],
    ["nested tables", "/vpc.toml", `a = ${"[".repeat(100_000)}`],
    ["a long dotted key", "/vpc.toml", `${"a.".repeat(50_000)}a = 1`],
    ["a long comment", "/vpc.jsonc", `/*${"*".repeat(1_000_000)}`],
    ["a long text", "/vpc.json", `"${'\\"'.repeat(500_000)}`],
    [
      "many routes of one kind",
      "/vpc.json",
      JSON.stringify({
        networks: {
          NET: {
            routes: Object.fromEntries(
              Array.from({ length: 5000 }, (_, i) => [`a:${i + 1}-${65_535 - i}`, "localhost"]),
            ),
          },
        },
      }),
    ],
    [
      "many unknown keys",
      "/vpc.json",
      JSON.stringify(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`servics${i}`, i]))),
    ],
  ])("deep and long ones: %s", async (_, file, text) => {
    await expect(check(Buffer.from(text), file)).resolves.toBeUndefined();
  });
});
