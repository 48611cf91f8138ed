/** Randomly broken config files: each is read in bounded time, and results in a usable table or useful diagnostics. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type LoadedTable, loadTable } from "../../plugin/load.ts";
import { emptyModel, parseConfig } from "../../plugin/parse/parse-config.ts";
import { emptyDocument } from "../../plugin/read/document.ts";
import { readText } from "../../plugin/read/read-text.ts";
import { SERVICE_ID, TUNNEL_ID, networkBinding, serviceBinding } from "../setup/vpc-folder.ts";
import { changed, changesOf, edited, editsOf, expectUsable, flipped, flips } from "./broken-files.ts";
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
        "users.internal": "passthrough", "*.internal:8000-8999": "worker:app", "*.internal:8080": "unix:${process.platform === "win32" ? "//./pipe/a" : "/run/a.sock"}",
        "10.9.0.0/16": { "deny": "destination_ip_prohibited" }, "[fd00::/8]:80": "[::1]:8080", "10.0.1.50": "https://localhost",
        "own.internal:443": { "target": "localhost:8443", "tls_settings": { "cert_verification_mode": "disabled" }, "ca": [], "readTimeout": 5 },
      },
      "resolver_ips": ["10.0.0.53:5353"], "readTimeout": 2000,
    },
    "cf1:network": { "routes": { "0.0.0.0/0": "passthrough", "*:443": "passthrough", "*": { "deny": "http_request_denied" } } },
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
"own.internal:443" = { target = "localhost:8443", readTimeout = 5, tls_settings.cert_verification_mode = "verify_ca" }
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

/** As `loadTable` reads a file, but from memory. */
function load(bytes: Uint8Array, file: string): Promise<LoadedTable> {
  return loadTable({
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

async function check(content: string | Uint8Array, file: string): Promise<void> {
  const bytes = Buffer.from(content);
  await expectUsable({
    load: () => load(bytes, file),
    files: new Map([[file, bytes]]),
    hosts: ["users.internal", "own.internal", "10.9.1.1", "fd00::1", "__proto__", ""],
  });
}

const edits = editsOf([
  ...Array.from("{}[],:=#/*\\"),
  '""',
  "null",
  "[[",
  "]]",
  "1e999",
  "-0",
  "\\u0000",
  "'''",
  '"""',
  "inf",
  "2026-13-01",
]);

const changes = changesOf({
  values: [
    "remote",
    "localhost:0",
    "worker:",
    "unix:",
    "http://[",
    "passthrough",
    { deny: "dns_error" },
    { deny: 1 },
    { routes: null },
    { "users.internal": "localhost:1" },
    { target: "localhost:1", readTimeout: 5 },
    { target: "localhost:1", deny: "dns_error", rateLimit: 1 },
  ],
  keys: ["routes", "*.internal", "10.0.0.0/8"],
});

const asData: unknown = await loadAsData();

async function loadAsData(): Promise<unknown> {
  const { document } = readText(Buffer.from(JSONC), "/vpc.jsonc");
  return JSON.parse(JSON.stringify(document?.value));
}

describe("a config", { timeout: DEADLINE }, () => {
  test.each([
    ["JSONC", JSONC, "/vpc.jsonc"],
    ["TOML", TOML, "/vpc.toml"],
  ])("%s: is valid without changes", async (_, text, file) => {
    const { diagnostics } = await load(Buffer.from(text), file);
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    await check(text, file);
  });

  test.each([
    ["JSONC", JSONC, "/vpc.jsonc", 700],
    ["TOML", TOML, "/vpc.toml", 700],
  ])("%s: with random edits of its text", async (_, text, file, count) => {
    await fc.assert(
      fc.asyncProperty(edits, async (given) => {
        await expect(check(given.reduce(edited, text), file)).resolves.toBeUndefined();
      }),
      runs(count),
    );
  });

  test.each([
    ["JSONC", JSONC, "/vpc.jsonc"],
    ["TOML", TOML, "/vpc.toml"],
  ])("%s: with random changes of bytes", async (_, text, file) => {
    await fc.assert(
      fc.asyncProperty(flips, async (bytes) => {
        await expect(check(flipped(text, bytes), file)).resolves.toBeUndefined();
      }),
      runs(300),
    );
  });

  test("with other values in some places", async () => {
    await fc.assert(
      fc.asyncProperty(changes, fc.constantFrom(0, 2), async (given, indent) => {
        const text = JSON.stringify(given.reduce<unknown>(changed, asData), undefined, indent);
        await expect(check(text, "/vpc.json")).resolves.toBeUndefined();
      }),
      runs(1000),
    );
  });

  test("cut off or repeated", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<[string, string]>([JSONC, "/vpc.jsonc"], [TOML, "/vpc.toml"]),
        fc.nat(),
        fc.nat(20),
        async ([text, file], end, times) => {
          const cut = text.repeat(times).slice(0, end % (text.length * times + 1));
          await expect(check(cut, file)).resolves.toBeUndefined();
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
      "many routes of one host",
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
  ])("large and deeply nested: %s", async (_, file, text) => {
    await expect(check(text, file)).resolves.toBeUndefined();
  });
});
