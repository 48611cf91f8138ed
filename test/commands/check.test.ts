/** The exact output of `check`. */

import { writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { SERVICE_ID, TUNNEL_ID } from "../setup/vpc-folder.ts";
import { createCallFolder } from "./call.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { startCpuTime } from "../setup/cpu-time.ts";

const WRANGLER = `{
  "name": "api",
  "vpc_services": [{ "binding": "USERS", "service_id": "${SERVICE_ID}" }],
  "vpc_networks": [{ "binding": "NET", "tunnel_id": "${TUNNEL_ID}" }]
}`;
const VPC = `{
  "services": { "USERS": "http://localhost:3001" },
  "networks": { "NET": { "routes": { "db.internal:5432": "localhost:5432" } } }
}`;

interface Case {
  files: Record<string, string>;
  line?: string;
  exit: number;
  out?: string[];
  err?: string[];
}

const cases: Record<string, Case> = {
  "nothing is wrong": {
    files: { "wrangler.jsonc": WRANGLER, "vpc.jsonc": VPC },
    exit: 0,
    out: ["No problems in wrangler.jsonc, vpc.jsonc."],
  },
  "a certificate that no record names": {
    files: {
      "wrangler.jsonc": `{ "name": "api", "vpc_services": [{ "binding": "USERS", "service_id": "${SERVICE_ID}" }] }`,
      "vpc.jsonc": `{
  "certificates": {
    "11111111-1111-4111-8111-11111111111A": { "ca": "root.pem" },
    "22222222-2222-4222-8222-222222222222": { "ca": "root.pem" } },
  "services": { "USERS": { "target": "https://localhost:1", "tls_settings": {
    "cert_verification_mode": "verify_full", "certificate_authority": "11111111-1111-4111-8111-11111111111a" } } }
}`,
      "root.pem": makeAuthority("Test root").cert,
    },
    exit: 0,
    out: [
      'vpc.jsonc:4:5: warning: no service names the certificate "22222222-2222-4222-8222-222222222222" [unused-certificate]',
      '    Write the id as "certificate_authority" or "client_certificate" of a service\'s "tls_settings", or remove the entry.',
      "1 warning.",
    ],
  },
  "a certificate that a service with a mistake may name": {
    files: {
      "wrangler.jsonc": `{ "name": "api", "vpc_services": [{ "binding": "USERS", "service_id": "${SERVICE_ID}" }] }`,
      "vpc.jsonc": `{ "certificates": { "22222222-2222-4222-8222-222222222222": { "ca": "root.pem" } },
  "services": { "USERS": 5 } }`,
      "root.pem": makeAuthority("Test root").cert,
    },
    exit: 1,
    out: [expect.stringContaining("[invalid-target]"), expect.anything(), "1 error."],
  },
  "no vpc config": {
    files: { "wrangler.jsonc": WRANGLER },
    exit: 0,
    out: [
      'vpc.jsonc: warning: the binding "USERS" of Worker "api" has no entry, so every call is refused [no-entry]',
      `    Add "${SERVICE_ID}": "localhost:3000" to "services". The key can also be "USERS".`,
      'vpc.jsonc: warning: the binding "NET" of Worker "api" has no entry, so every call is refused [no-entry]',
      `    Add "${TUNNEL_ID}": { "routes": { "users.internal": "localhost:3000" } } to "networks". The key can also be "NET".`,
      '    There is no vpc.jsonc yet. Type "miniflare-vpc init" to create one.',
      "2 warnings.",
    ],
  },
  "no bindings, no vpc config": {
    files: { "wrangler.toml": 'name = "api"\n' },
    exit: 0,
    out: ["No problems in wrangler.toml."],
  },
  "entries that only previews use": {
    files: {
      "wrangler.json": `{ "name": "api",
  "vpc_services": [{ "binding": "USERS", "service_id": "${SERVICE_ID}" }],
  "previews": {
    "vpc_services": [{ "binding": "USERS2", "service_id": "11111111-1111-4111-8111-111111111111" }, { "binding": 5 }],
    "vpc_networks": [{ "binding": "NET", "tunnel_id": "${TUNNEL_ID}" }]
  },
  "env": { "staging": { "vpc_services": [{ "binding": "USERS", "service_id": "${SERVICE_ID}" }],
    "previews": { "vpc_services": [{ "binding": "JOBS", "service_id": "22222222-2222-4222-8222-222222222222" }] } } }
}`,
      "vpc.jsonc": `{
  "services": { "USERS2": "http://localhost:1", "22222222-2222-4222-8222-222222222222": "http://localhost:2", "OTHER": "http://localhost:3" },
  "networks": { "${TUNNEL_ID}": { "routes": { "a.internal": "localhost:4" } } }
}`,
    },
    exit: 0,
    out: [
      'vpc.jsonc:2:3: warning: the binding "USERS" of Worker "api" has no entry, so every call is refused [no-entry]',
      `    Add "${SERVICE_ID}": "localhost:3000" to "services". The key can also be "USERS".`,
      'vpc.jsonc:2:111: warning: no binding leads to the service "OTHER" [unbound-service]',
      '    This key is neither the "service_id" nor the name of a binding in FOLDER/wrangler.json. Correct or remove it.',
      "2 warnings.",
    ],
  },
  "a cloudflare.config.ts beside a wrangler config": {
    files: { "wrangler.json": '{ "name": "api" }', "cloudflare.config.ts": "export default {};" },
    exit: 0,
    out: [
      "cloudflare.config.ts: warning: this file is not read; the VPC bindings in wrangler.json are used [new-config-unread]",
      "    wrangler reads it only with --experimental-new-config. To use it here: --config cloudflare.config.ts.",
      "1 warning.",
    ],
  },
  "a Pages project": {
    files: { "wrangler.json": '{ "name": "site", "pages_build_output_dir": "./dist" }' },
    exit: 0,
    out: [
      "wrangler.json:1:19: warning: this is a Pages project, and Pages has no VPC bindings [pages-project]",
      '    Make it a Worker with static assets: "main" and "assets" in place of "pages_build_output_dir".',
      "1 warning.",
    ],
  },
  "a Pages project with VPC bindings": {
    files: {
      "wrangler.json": `{ "name": "site", "pages_build_output_dir": "./dist",
  "vpc_services": [{ "binding": "USERS", "service_id": "${SERVICE_ID}" }],
  "env": { "preview": {
    "vpc_networks": [{ "binding": "NET", "tunnel_id": "${TUNNEL_ID}" }] } }
}`,
      "vpc.jsonc": '{ "services": { "USERS": "http://localhost:1" }, "networks": { "NET": {} } }',
    },
    exit: 1,
    out: [
      'wrangler.json:2:3: error: "vpc_services" is in the config of a Pages project, but Pages has no VPC bindings, and wrangler refuses it [pages-binding]',
      '    Make it a Worker with static assets: "main" and "assets" in place of "pages_build_output_dir".',
      'wrangler.json:4:5: error: "vpc_networks" is in the config of a Pages project, but Pages has no VPC bindings, and wrangler refuses it [pages-binding]',
      '    Make it a Worker with static assets: "main" and "assets" in place of "pages_build_output_dir".',
      "2 errors.",
    ],
  },
  "syntax errors of both files at once": {
    files: {
      "wrangler.jsonc": '{ "name": "api" "main": 1,\n  "vars": [1 2] }',
      "vpc.jsonc": '{ "services": { 5: 6 },\n  "networks" {} }',
    },
    exit: 1,
    out: [
      "vpc.jsonc:1:17: error: expected a key, but found 5 [json-syntax]",
      "    Keys must be in double quotes.",
      "vpc.jsonc:2:14: error: expected a colon, but found { [json-syntax]",
      '    Write "key": value.',
      'wrangler.jsonc:1:17: error: this wrangler config can\'t be read: expected a comma before "main" [wrangler-config-unreadable]',
      "    Put a comma after the entry before it.",
      "wrangler.jsonc:2:14: error: this wrangler config can't be read: expected a comma before 2 [wrangler-config-unreadable]",
      "    Put a comma after the entry before it.",
      "4 errors.",
    ],
  },
  "a binding that wrangler refuses, and a vpc config that nobody uses": {
    files: {
      "wrangler.toml": 'name = "api"\n[[vpc_services]]\nbinding = "USERS"\n',
      "vpc.toml": "traffic = 1\nservices.USERS = 'localhost:1'\n",
    },
    exit: 1,
    out: [
      'vpc.toml:1:11: error: "traffic" is 1, but must be true or false [invalid-value]',
      'vpc.toml:2:10: warning: no binding leads to the service "USERS" [unbound-service]',
      '    This key is neither the "service_id" nor the name of a binding in FOLDER/wrangler.toml. Correct or remove it.',
      'wrangler.toml:2:3: error: the binding "USERS" lacks a "service_id"; it is left to wrangler unchanged [binding-not-served]',
      '    Each of its entries has a "binding" and a "service_id".',
      "2 errors and 1 warning.",
    ],
  },
  "a key given twice in a wrangler config": {
    files: { "wrangler.json": '{ "name": "a",\n  "name": "b" }' },
    exit: 0,
    out: [
      'wrangler.json:2:3: warning: "name" is given twice: here and on line 1 [duplicate-key]',
      "    Remove one of them, or merge the two.",
      "1 warning.",
    ],
  },
  "routes that are never reached": {
    files: {
      "wrangler.jsonc": WRANGLER,
      "vpc.jsonc": `{
  "services": { "USERS": "http://localhost:3001" },
  "networks": { "NET": { "routes": {
    "10.0.0.0/30": "localhost:1",
    "10.0.0.0": "localhost:1",
    "10.0.0.1": "localhost:1",
    "10.0.0.2": "localhost:1",
    "10.0.0.3": "localhost:1",
    "db.internal:1-65535": "localhost:1",
    "db.internal": "localhost:2"
  } } }
}`,
    },
    exit: 0,
    out: [
      'vpc.jsonc:4:5: warning: the route "10.0.0.0/30" is never reached: more specific routes cover all of it [unreachable-route]',
      '    They are "10.0.0.0" (line 5), "10.0.0.1" (line 6), "10.0.0.2" (line 7) and 1 more. Remove this route, or those that should not override it.',
      'vpc.jsonc:10:5: warning: the route "db.internal" is never reached: more specific routes cover all of it [unreachable-route]',
      '    They are "db.internal:1-65535" (line 9). Remove this route, or those that should not override it.',
      "2 warnings.",
    ],
  },
  "routes of a compose file that are never reached, or that replace another": {
    files: {
      "wrangler.jsonc": WRANGLER,
      "vpc.jsonc": `{
  "services": { "USERS": "http://localhost:3001" },
  "networks": { "NET": {
    "compose": { "files": "compose.yaml", "from": "host" },
    "routes": { "db:5432": "localhost:1", "db:5433": "localhost:2", "10.0.0.4/32": "localhost:3", "10.0.0.4/31": "localhost:4" }
  } }
}`,
      "compose.yaml": `services:
  db:
    ports: ["5432-5433:5432-5433"]
  cache:
    networks: { private: { ipv4_address: 10.0.0.5 } }
    ports: ["1-65535:1-65535"]
`,
    },
    exit: 0,
    out: [
      'vpc.jsonc:4:5: warning: the route "db:5432-5433" of FOLDER/compose.yaml:3:13 is never reached: more specific routes cover all of it [unreachable-route]',
      '    They are "db:5432" (line 5), "db:5433" (line 5). Remove this route, or those that should not override it.',
      'vpc.jsonc:5:99: warning: the route "10.0.0.4/31" is never reached: more specific routes cover all of it [unreachable-route]',
      '    They are "10.0.0.4/32" (line 5), "10.0.0.5:1-65535" (FOLDER/compose.yaml:6:13). Remove this route, or those that should not override it.',
      "2 warnings.",
    ],
  },
  'a route for "*" that denies what is refused anyway': {
    files: {
      "wrangler.jsonc": WRANGLER,
      "vpc.jsonc": `{
  "services": { "USERS": "http://localhost:3001" },
  "networks": { "NET": { "routes": {
    "*:443": { "deny": "destination_not_found" }
  } } }
}`,
    },
    exit: 0,
    out: [
      'vpc.jsonc:4:5: warning: the route "*:443" denies what is refused without it [needless-route]',
      "    A name that no route holds is destination_not_found, and an address destination_ip_unroutable. Remove this route, or deny with another code.",
      "1 warning.",
    ],
  },
  'routes for "*" that are fine: another code, a port of another one': {
    files: {
      "wrangler.jsonc": WRANGLER,
      "vpc.jsonc": `{
  "services": { "USERS": "http://localhost:3001" },
  "networks": { "NET": { "routes": {
    "*": "passthrough", "*:25": { "deny": "destination_not_found" }, "0.0.0.0/0": "localhost:1", "::/0": "localhost:1"
  } } }
}`,
    },
    exit: 0,
    out: ["No problems in wrangler.jsonc, vpc.jsonc."],
  },
  'a route for "*" of a network that only services use': {
    files: {
      "wrangler.jsonc": JSON.stringify({
        name: "api",
        vpc_services: ["USERS", "OTHER"].map((binding) => ({ binding, service_id: binding })),
      }),
      "vpc.jsonc": `{
  "services": {
    "USERS": { "name": "u", "type": "http", "http_port": 8080,
      "host": { "hostname": "u.internal", "resolver_network": { "tunnel_id": "11111111-1111-4111-8111-111111111111" } } },
    "OTHER": { "name": "o", "type": "tcp", "tcp_port": 5432,
      "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "22222222-2222-4222-8222-222222222222" } } }
  },
  "networks": {
    "11111111-1111-4111-8111-111111111111": { "routes": { "*.internal:8080": "localhost:1", "*": "passthrough" } },
    "22222222-2222-4222-8222-222222222222": { "routes": { "*.internal": "localhost:1", "*": "passthrough" } }
  }
}`,
    },
    exit: 0,
    out: [
      'vpc.jsonc:9:93: warning: the route "*" is never reached: only VPC Services use this network, and other routes hold their hosts [unreachable-route]',
      "    Remove it, or bind the network.",
      "1 warning.",
    ],
  },
  "entries that no binding leads to; a typo is reported once, the network of a service is in use": {
    files: {
      "wrangler.jsonc": WRANGLER,
      "vpc.jsonc": `{
  "services": {
    "USRES": "localhost:1",
    "UNUSED": { "name": "u", "type": "http", "target": "localhost:2",
      "host": { "hostname": "u", "resolver_network": { "tunnel_id": "11111111-1111-4111-8111-111111111111" } } }
  },
  "networks": {
    "NET": {},
    "11111111-1111-4111-8111-111111111111": {},
    "22222222-2222-4222-8222-222222222222": "remote"
  }
}`,
    },
    exit: 0,
    out: [
      `vpc.jsonc:2:3: warning: the binding "USERS" of Worker "api" has no entry, so every call is refused [no-entry]`,
      `    Add "${SERVICE_ID}": "localhost:3000" to "services". The key can also be "USERS".`,
      'vpc.jsonc:3:5: warning: "USRES" matches no binding of this session [unmatched-key]',
      '    Did you mean "USERS"?',
      'vpc.jsonc:4:5: warning: no binding leads to the service "UNUSED" [unbound-service]',
      '    This key is neither the "service_id" nor the name of a binding in FOLDER/wrangler.jsonc. Correct or remove it.',
      'vpc.jsonc:10:5: warning: no binding leads to the network "22222222-2222-4222-8222-222222222222", and no service uses it [unbound-network]',
      "    This key is neither the id nor the name of a binding in FOLDER/wrangler.jsonc. Correct or remove it.",
      "4 warnings.",
    ],
  },
  "a service whose network has no entry": {
    files: {
      "wrangler.jsonc": `{ "name": "api", "vpc_services": [{ "binding": "USERS", "service_id": "${SERVICE_ID}" }] }`,
      "vpc.jsonc": `{ "services": {
  "USERS": { "name": "users", "type": "http", "http_port": 8080, "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } } } } }`,
    },
    exit: 0,
    out: [
      `vpc.jsonc:2:3: warning: the service "users" has no "target", and its network "${TUNNEL_ID}" has no entry [service-without-route]`,
      `    Add "${TUNNEL_ID}": { "routes": { "users.internal": "localhost:8080" } } to "networks", or a "target" to the service.`,
      "1 warning.",
    ],
  },
  "a binding to cf1:network uses every network": {
    files: {
      "wrangler.jsonc": '{ "name": "api", "vpc_networks": [{ "binding": "MESH", "network_id": "cf1:network" }] }',
      "vpc.jsonc": `{ "networks": { "${TUNNEL_ID}": {} } }`,
    },
    exit: 0,
    out: ["No problems in wrangler.jsonc, vpc.jsonc."],
  },
  "an environment that does not exist": {
    files: { "wrangler.jsonc": '{ "name": "api", "env": { "staging": {}, "production": {} } }' },
    line: "check --env stagin",
    exit: 2,
    err: ['miniflare-vpc check: there is no environment "stagin" in FOLDER/wrangler.jsonc. Did you mean "staging"?'],
  },
  "an environment that resembles no other": {
    files: { "wrangler.jsonc": '{ "name": "api", "env": { "staging": {}, "production": {} } }' },
    line: "check --env x",
    exit: 2,
    err: [
      'miniflare-vpc check: there is no environment "x" in FOLDER/wrangler.jsonc. Environments: staging, production.',
    ],
  },
  "no wrangler config at all": {
    files: {},
    exit: 2,
    err: ['miniflare-vpc check: there is no wrangler config in FOLDER or above it. Name one with "--config FILE".'],
  },
  "a wrangler config that doesn't exist": {
    files: {},
    line: "check -c none.toml",
    exit: 2,
    err: ['miniflare-vpc check: there is no file "none.toml" in FOLDER. Correct the path after "--config".'],
  },
  "two ways to print": {
    files: {},
    line: "check --json --format text",
    exit: 2,
    err: ['miniflare-vpc check: "--json" and "--format" cannot be used together.'],
  },
};

test.each(Object.entries(cases))("%s", async (_, { files, line = "check", exit, out = [], err = [] }) => {
  await using vpc = await createCallFolder(files);
  expect(await vpc.call(line)).toEqual({ exit, out, err });
});

function unknownWorker(column: number, workers: string, env = ""): string[] {
  return [
    `vpc.jsonc:1:${column}: error: the target "worker:gone" is not a Worker of this session [unknown-worker]`,
    `    This session's Workers are ${workers}.`,
    ...(env === "" ? [] : [`    Environment: ${env}.`]),
  ];
}

function noUsersEntry(worker: string): string[] {
  return [
    `vpc.jsonc:1:1: warning: the binding "USERS" of Worker "${worker}" has no entry, so every call is refused [no-entry]`,
    `    Add "${SERVICE_ID}": "localhost:3000" to "services". The key can also be "USERS".`,
  ];
}

describe("environments", () => {
  const files = {
    "wrangler.jsonc": `{ "name": "api",
      "vpc_services": [{ "binding": "USERS", "service_id": "${SERVICE_ID}" }],
      "env": { "staging": { "vpc_services": [{ "binding": "USERS", "service_id": "s" }, { "binding": "ORDERS", "service_id": "o" }] } } }`,
    "vpc.jsonc": `{ "services": { "${SERVICE_ID}": "worker:gone", "s": "worker:gone" } }`,
  };
  const ORDERS = [
    'vpc.jsonc:1:3: warning: the binding "ORDERS" of Worker "api-staging" has no entry, so every call is refused [no-entry]',
    '    Add "o": "localhost:3000" to "services". The key can also be "ORDERS".',
  ];

  test("are all checked, and named if their results differ", async () => {
    await using vpc = await createCallFolder(files);
    expect((await vpc.call("check")).out).toEqual([
      ...ORDERS,
      '    Environment: "staging".',
      ...unknownWorker(57, "api", "the top level"),
      ...unknownWorker(77, "api-staging", '"staging"'),
      "2 errors and 1 warning.",
    ]);
  });

  test("can be checked alone; the bindings of the others still count", async () => {
    await using vpc = await createCallFolder(files);
    expect((await vpc.call("check --env staging")).out).toEqual([
      ...ORDERS,
      ...unknownWorker(77, "api-staging"),
      "1 error and 1 warning.",
    ]);
    expect((await vpc.call('check --env ""')).out).toEqual([...unknownWorker(57, "api"), "1 error."]);
  });

  test("report a binding without an entry once, although its Worker's name differs in each", async () => {
    const own = { vpc_services: [{ binding: "USERS", service_id: SERVICE_ID }] };
    const env = { staging: own, production: own, empty: {} };
    await using vpc = await createCallFolder({
      "wrangler.json": JSON.stringify({ name: "api", ...own, env }),
      "jobs.json": JSON.stringify({ name: "jobs", env: { staging: own } }),
      "vpc.jsonc": '{ "services": {} }',
    });
    expect((await vpc.call("check -c wrangler.json -c jobs.json")).out).toEqual([
      ...noUsersEntry("api"),
      '    Environment: the top level, "staging", "production".',
      ...noUsersEntry("jobs-staging"),
      '    Environment: "staging".',
      "2 warnings.",
    ]);
  });

  test("of several Workers are one session", async () => {
    await using vpc = await createCallFolder({
      "api/wrangler.toml": `name = "api"\n[[vpc_services]]\nbinding = "USERS"\nservice_id = "${SERVICE_ID}"\n`,
      "api/vpc.jsonc": '{ "services": { "USERS": "worker:users" } }',
      "users/wrangler.toml": 'name = "users"\n',
    });
    expect(await vpc.call("check -c api/wrangler.toml -c users/wrangler.toml")).toEqual({
      exit: 0,
      out: ["No problems in api/wrangler.toml, users/wrangler.toml, api/vpc.jsonc."],
      err: [],
    });
  });
});

describe("a warning", () => {
  const files = {
    "wrangler.jsonc": '{ "name": "50%, a: b" }',
    "vpc.jsonc": '{\n "services": { "a,b:c%\\n": "localhost:1" } }',
  };
  const text = 'no binding leads to the service "a,b:c%\\n"';
  const note =
    'This key is neither the "service_id" nor the name of a binding in FOLDER/wrangler.jsonc. Correct or remove it.';

  function annotation(file: string): string {
    return `::warning file=${file},line=2,col=16,title=unbound-service::${text.replace("%", "%25")}%0A${note}`;
  }

  test("is a problem with --strict", async () => {
    await using vpc = await createCallFolder(files);
    expect((await vpc.call("check")).exit).toBe(0);
    expect((await vpc.call("check --strict")).exit).toBe(1);
  });

  test("is an annotation, escaped, relative to the repository", async () => {
    await using vpc = await createCallFolder(files);
    expect((await vpc.call("check --format github")).out).toEqual([annotation("vpc.jsonc"), "1 warning."]);
    const env = { GITHUB_WORKSPACE: path.dirname(vpc.folder) };
    const [first] = (await vpc.call("check --format github", { env })).out;
    expect(first).toBe(annotation(`${path.basename(vpc.folder)}/vpc.jsonc`));
    const elsewhere = { GITHUB_WORKSPACE: path.join(vpc.folder, "elsewhere") };
    expect((await vpc.call("check --format github", { env: elsewhere })).out[0]).toBe(annotation("vpc.jsonc"));
  });

  test("escapes characters that a property's value can't have", async () => {
    await using vpc = await createCallFolder(files);
    await vpc.write("a,b:c%/wrangler.json", "{ 1 }");
    const [first] = (await vpc.call("check --format github -c a,b:c%/wrangler.json")).out;
    expect(first).toMatch(/^::error file=a%2Cb%3Ac%25\/wrangler\.json,line=1,col=3,/);
  });

  test("is JSON", async () => {
    await using vpc = await createCallFolder(files);
    expect(JSON.parse((await vpc.call("check --json")).out.join("\n"))).toEqual({
      errors: 0,
      warnings: 1,
      diagnostics: [
        {
          severity: "warning",
          code: "unbound-service",
          text,
          file: "FOLDER/vpc.jsonc",
          line: 2,
          column: 16,
          notes: [note],
        },
      ],
    });
  });

  test("is coloured if the terminal has colours", async () => {
    await using vpc = await createCallFolder(files);
    expect((await vpc.call("check", { isColourful: true })).out).toEqual([
      `<bold>vpc.jsonc:2:16</bold>: <yellow>warning</yellow>: ${text} [unbound-service]`,
      `    ${note}`,
      "<yellow>1 warning</yellow>.",
    ]);
  });
});

test("every problem is printed, however many", async () => {
  const entries = Array.from({ length: 60 }, (_, index) => `"S${index}": "localhost:1"`);
  await using vpc = await createCallFolder({
    "wrangler.jsonc": '{ "name": "api" }',
    "vpc.jsonc": `{ "services": { ${entries.join(", ")} } }`,
  });
  const { out } = await vpc.call("check");
  expect(out.filter((line) => line.includes("[unbound-service]"))).toHaveLength(60);
  expect(out.at(-1)).toBe("60 warnings.");
});

test("10 000 routes and 1 000 services are checked within two seconds of processor time", async () => {
  const routes = Array.from({ length: 10_000 }, (_, n) => `"10.${n >> 8}.${n & 255}.0/24": "localhost:3000"`);
  const services = Array.from({ length: 1000 }, (_, n) => `"SERVICE_${n}": "localhost:1"`);
  const bindings = services.map((_, n) => ({ binding: `SERVICE_${n}`, service_id: `id-${n}` }));
  await using vpc = await createCallFolder({
    "vpc.jsonc": `{ "services": { ${services.join(", ")} }, "networks": { "NET": { "routes": { ${routes.join(", ")} } } } }`,
  });
  await writeFile(
    path.join(vpc.folder, "wrangler.json"),
    JSON.stringify({
      name: "api",
      vpc_services: bindings,
      vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL_ID }],
    }),
  );
  const cpuTime = startCpuTime();
  const { out } = await vpc.call("check");
  const elapsed = cpuTime();
  expect(out).toEqual(["No problems in wrangler.json, vpc.jsonc."]);
  expect(elapsed).toBeLessThan(2000);
});

test("check, given a config that is a program of another name", async () => {
  await using vpc = await createCallFolder({ "wrangler.config.ts": "export default {};" });
  expect(await vpc.call("check -c wrangler.config.ts")).toMatchObject({
    exit: 1,
    out: [
      "wrangler.config.ts: error: this wrangler config can't be read: it is a program [wrangler-config-unreadable]",
      "    miniflare-vpc takes the bindings from wrangler.json, wrangler.jsonc, wrangler.toml or cloudflare.config.ts: name one of these.",
      "1 error.",
    ],
  });
});
