/** A config is data: reading it runs no code, writes nothing and quotes no other files. Only a `vpc.config.*` is a program. */

import { existsSync } from "node:fs";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { startHttpOrigin, ok } from "../servers/http-origin.ts";
import { createCallFolder } from "../commands/call.ts";
import { TUNNEL_ID, type VpcFolder, createFolder, networkBinding } from "../setup/vpc-folder.ts";

const WRANGLER = `{ "name": "app", "compatibility_date": "2026-01-01", "vpc_networks": [{ "binding": "NET", "tunnel_id": "${TUNNEL_ID}" }] }`;

/** A program that writes a file. */
const PROGRAM = `import { writeFileSync } from "node:fs";
import path from "node:path";
writeFileSync(path.join(import.meta.dirname, "ran"), "");
export default { networks: { NET: { routes: {} } } };`;

const SPELLS = [
  "${process.exit(1)}",
  "$(touch ran)",
  "`touch ran`",
  "<%= process.exit() %>",
  "{{constructor.constructor('process.exit()')()}}",
  "!!js/function 'function () { process.exit() }'",
  "javascript:process.exit()",
  "data:text/javascript,process.exit()",
  "node:child_process",
  "../../../../../etc/passwd",
  "file:///etc/passwd",
];

/** In the folder or the working directory. */
function hasRun({ folder }: VpcFolder): boolean {
  return existsSync(path.join(folder, "ran")) || existsSync("ran");
}

describe("text formats", () => {
  test.each(["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"])(
    "%s is an ordinary key",
    async (key) => {
      const entry = `{ "polluted": true, "routes": { "${key}": "localhost:1" } }`;
      const json = `{ "${key}": ${entry}, "networks": { "${key}": ${entry}, "NET": ${entry} }, "services": { "${key}": ${entry} } }`;
      const toml = `["${key}"]\npolluted = true\n[networks."${key}"]\npolluted = true\n[networks."${key}"."${key}"]\npolluted = true\n`;
      for (const [name, text] of [
        ["vpc.json", json],
        ["vpc.toml", toml],
      ] as const) {
        await using vpc = await createFolder({ [name]: text });
        const { diagnostics } = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
        expect(diagnostics.some(({ severity }) => severity === "error")).toBe(true);
        expect(Reflect.get({}, "polluted")).toBeUndefined();
        expect(Reflect.get(Object, "polluted")).toBeUndefined();
      }
    },
  );

  test.each(SPELLS)("%s is text", async (spell) => {
    const text = JSON.stringify(spell);
    const json = `{ "$schema": ${text}, ${text}: ${text}, "ca": [${text}], "services": { ${text}: ${text} },
      "networks": { "NET": { "routes": { ${text}: ${text}, "a.internal": ${text} } } } }`;
    await using vpc = await createFolder({ "vpc.json": json });
    await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    expect(hasRun(vpc)).toBe(false);
  });

  test.each(SPELLS)("%s is text in a compose file, an .env file and an import", async (spell) => {
    const text = JSON.stringify(spell);
    // Unset variables are empty, and nothing runs as a command.
    await using folder = await createCallFolder({
      "wrangler.json": WRANGLER,
      "vpc.json": `{ "networks": { "NET": { "compose": "compose.yaml" } } }`,
      "compose.yaml": `name: ${text}\nservices:\n  a:\n    image: ${text}\n    command: ${text}\n    hostname: ${text}\n    env_file: ${text}\n    extends: { file: ${text}, service: a }\n    ports: [${text}, "127.0.0.1:8080:80"]\n  ? ${text}\n  : { ports: [80], build: ${text} }\n  b: !!js/function ${text}\ninclude: [${text}]\n`,
      ".env": `A="${spell}"\nB=${spell}\n${spell}\n`,
      "main.tf": `resource "cloudflare_connectivity_directory_service" "a" {\n  name = ${text}\n  host = { hostname = file(${text}) }\n  service_id = "${spell}"\n}\n`,
      "services.json": `{ "result": [{ "name": ${text}, "service_id": ${text}, "type": ${text}, "host": { "hostname": ${text} } }] }`,
    });
    for (const line of [
      "check",
      "routes",
      "explain NET http://a/",
      "import main.tf --dry-run",
      "import services.json --dry-run",
    ]) {
      const { exit, out, err } = await folder.call(line);
      expect([line, exit]).toEqual([line, expect.any(Number)]);
      expect([line, [...out, ...err].join("\n")]).toEqual([line, expect.not.stringContaining("root:x:0")]);
      expect([line, hasRun(folder)]).toEqual([line, false]);
    }
  });

  test("$schema is not fetched", async () => {
    await using origin = await startHttpOrigin(ok("{}"));
    await using vpc = await createFolder({
      "vpc.json": `{ "$schema": "http://127.0.0.1:${origin.port}/schema.json" }`,
    });
    await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    expect(origin.accepted).toBe(0);
  });

  test("a file named as a CA is not quoted", async () => {
    await using vpc = await createFolder({
      "private.txt": "do-not-quote\n-----BEGIN CERTIFICATE-----\ndo-not-quote-either\n-----END CERTIFICATE-----",
      "vpc.json": '{ "ca": ["private.txt"] }',
    });
    const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    expect(vpc.format(loaded).join("\n")).toMatch(/vpc\.json:1:\d+: error:/);
    expect(vpc.format(loaded).join("\n")).not.toContain("do-not-quote");
  });
});

test("a file named as a compose file is not quoted", async () => {
  const secrets = [
    "-----BEGIN PRIVATE KEY-----\ndo-not-quote\n-----END PRIVATE KEY-----\n",
    "root:do-not-quote:0:0::/root:/bin/sh\n",
    "[default]\naws_secret_access_key = do-not-quote\n",
    '{ "token": "do-not-quote" }',
    "do-not-quote: [",
    "password: do-not-quote\n",
  ];
  for (const secret of secrets) {
    await using vpc = await createFolder({
      secret,
      "vpc.json": '{ "networks": { "NET": { "compose": "secret" } } }',
    });
    const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    const printed = vpc.format(loaded).join("\n");
    expect(printed).toMatch(/: (error|warning): .*secret|secret:\d+:\d+: (error|warning):/);
    expect(printed).not.toContain("do-not-quote");
  }
});

describe("programs", () => {
  test("a vpc.config.mjs that the user wrote runs", async () => {
    await using vpc = await createFolder({ "vpc.config.mjs": PROGRAM });
    await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    expect(existsSync(path.join(vpc.folder, "ran"))).toBe(true);
  });

  test("a program beside another vpc config does not run", async () => {
    await using vpc = await createFolder({ "vpc.config.mjs": PROGRAM, "vpc.json": "{}" });
    const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    expect(loaded.diagnostics).toContainEqual(expect.objectContaining({ code: "several-configs" }));
    expect(existsSync(path.join(vpc.folder, "ran"))).toBe(false);
  });

  test.each([
    "vpc.config.cjs",
    "vpc.mjs",
    "vpc.js",
    "vpc.config.json.mjs",
    ".vpc.config.mjs",
    "vpc.config.mjs.bak",
    "vpc.config.mjs/vpc.config.mjs",
  ])("%s is not a vpc config", async (name) => {
    await using vpc = await createFolder({ [name]: PROGRAM });
    await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    expect(existsSync(path.join(vpc.folder, path.dirname(name), "ran"))).toBe(false);
  });

  test("a program in a parent folder, or of a Worker without VPC bindings, does not run", async () => {
    await using vpc = await createFolder({ "vpc.config.mjs": PROGRAM, "inner/wrangler.json": WRANGLER });
    const inner = { ...vpc.worker("app", [networkBinding("NET")]), rootPath: path.join(vpc.folder, "inner") };
    await vpc.load([inner, vpc.worker("other")]);
    expect(existsSync(path.join(vpc.folder, "ran"))).toBe(false);
  });

  test("completion runs no program, because it happens at each press of the tab key", async () => {
    await using folder = await createCallFolder({ "vpc.config.mjs": PROGRAM, "wrangler.json": WRANGLER });
    const { out } = await folder.call('__complete -- explain ""');
    expect(out.join("\n")).toContain("NET");
    expect(existsSync(path.join(folder.folder, "ran"))).toBe(false);
  });
});
