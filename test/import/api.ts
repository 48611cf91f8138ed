/** Imports of API responses into different configs. */

import { SERVICE_ID, TUNNEL_ID } from "../setup/vpc-folder.ts";
import { type ImportCase, NEXT } from "./case.ts";

const OTHER_ID = "0199295b-b3ac-7760-8246-bca40877b3e9";

const USERS = {
  service_id: SERVICE_ID,
  type: "http",
  name: "users-api",
  http_port: 8080,
  https_port: null,
  tcp_port: null,
  host: {
    ipv4: null,
    hostname: "users.internal",
    network: null,
    resolver_network: { tunnel_id: TUNNEL_ID, resolver_ips: null },
  },
  created_at: "2025-09-23T14:01:28.000000Z",
  updated_at: "2025-09-23T14:01:28.000000Z",
};
const DATABASE = {
  service_id: OTHER_ID,
  type: "tcp",
  name: "db",
  tcp_port: 5432,
  app_protocol: "postgresql",
  host: { ipv4: "10.0.0.5", ipv6: "fd00::5", network: { tunnel_id: TUNNEL_ID } },
  tls_settings: { cert_verification_mode: "verify_ca" },
};

const USERS_ENTRY = `"${SERVICE_ID}": {
      "name": "users-api",
      "type": "http",
      "http_port": 8080,
      "host": {
        "hostname": "users.internal",
        "resolver_network": { "tunnel_id": "${TUNNEL_ID}" }
      }
    }`;
const DATABASE_ENTRY = `"${OTHER_ID}": {
      "name": "db",
      "type": "tcp",
      "tcp_port": 5432,
      "app_protocol": "postgresql",
      "host": {
        "ipv4": "10.0.0.5",
        "ipv6": "fd00::5",
        "network": { "tunnel_id": "${TUNNEL_ID}" }
      },
      "tls_settings": { "cert_verification_mode": "verify_ca" }
    }`;

const fresh = (...entries: string[]): string =>
  `{\n  "$schema": "./node_modules/miniflare-vpc/vpc.schema.json",\n  "services": {\n    ${entries.join(",\n    ")}\n  }\n}\n`;

const envelope = (result: unknown, more: object = {}): string =>
  JSON.stringify({ success: true, errors: [], messages: [], result, ...more });

export const API_FILES: ImportCase[] = [
  {
    title: "API: one record, into a new config",
    files: { "users.json": JSON.stringify(USERS) },
    expected: fresh(USERS_ENTRY),
    out: ["vpc.jsonc: 1 service written", `    added    "${SERVICE_ID}"  users-api`, ...NEXT],
  },
  {
    title: "API: the envelope of one record",
    files: { "users.json": envelope(USERS) },
    expected: fresh(USERS_ENTRY),
    out: ["vpc.jsonc: 1 service written", `    added    "${SERVICE_ID}"  users-api`, ...NEXT],
  },
  {
    title: "API: a list and another file",
    files: { "list.json": JSON.stringify([USERS]), "db.json": JSON.stringify(DATABASE) },
    expected: fresh(USERS_ENTRY, DATABASE_ENTRY),
    out: [
      "vpc.jsonc: 2 services written",
      `    added    "${SERVICE_ID}"  users-api`,
      `    added    "${OTHER_ID}"  db`,
      ...NEXT,
    ],
  },
  {
    title: "API: one page of several",
    files: {
      "page.json": envelope([USERS], { result_info: { page: 1, per_page: 1, total_pages: 2, total_count: 2 } }),
    },
    expected: fresh(USERS_ENTRY),
    out: ["vpc.jsonc: 1 service written", `    added    "${SERVICE_ID}"  users-api`, ...NEXT],
    err: [
      "page.json:1:448: warning: this is page 1 of 2 [one-page]",
      '    Request the other pages with "?page=" and import them too, or request all with "?per_page=1000".',
    ],
  },
  {
    title: "API: several responses in one file, with or without line breaks; mistakes have their positions",
    files: {
      "answers.json": `${envelope([USERS], { result_info: { page: 1, total_pages: 2 } })} {\n "name": "{" }\n${envelope(DATABASE)}\n{ oops }`,
    },
    expected: fresh(USERS_ENTRY, DATABASE_ENTRY),
    out: [
      "vpc.jsonc: 2 services written",
      `    added    "${SERVICE_ID}"  users-api`,
      `    added    "${OTHER_ID}"  db`,
      ...NEXT,
    ],
    err: [
      "answers.json:1:448: warning: this is page 1 of 2 [one-page]",
      '    Request the other pages with "?page=" and import them too, or request all with "?per_page=1000".',
      'answers.json:1:476: error: this is not a VPC Service record: it has no "host" [not-a-record]',
      "answers.json:4:3: error: oops is not JSON [json-syntax]",
      "    Keys and strings must be in double quotes.",
    ],
    exit: 1,
  },
  {
    title: "API: a dry run",
    files: { "list.json": JSON.stringify([USERS, DATABASE]) },
    args: "--dry-run list.json",
    config: `{ "services": { "${OTHER_ID}": "localhost:5432" } }`,
    expected: `{ "services": { "${OTHER_ID}": "localhost:5432" } }`,
    out: [
      "vpc.jsonc: 2 services would be written",
      `    added    "${SERVICE_ID}"  users-api`,
      "        {",
      '          "name": "users-api",',
      '          "type": "http",',
      '          "http_port": 8080,',
      '          "host": {',
      '            "hostname": "users.internal",',
      `            "resolver_network": { "tunnel_id": "${TUNNEL_ID}" }`,
      "          }",
      "        }",
      `    changed  "${OTHER_ID}"  db`,
      '        "localhost:5432" is now the "target" of the whole record',
      ...NEXT,
    ],
  },
  {
    title: "API: an existing entry: the record's fields are updated, comments and the rest stay",
    files: { "list.json": envelope([USERS, { ...DATABASE, tls_settings: null }]) },
    config: `// ours
{
  "networks": { "${TUNNEL_ID}": { "routes": {
    "users.internal": { "target":  "localhost:3001", /* slow */ "readTimeout": 100, }
  } } }, // all of it
  "services": {
    // people
    "USERS_API": {
      "target": "localhost:3001", // npm start
      "type": "http",
      "name": "users", // old name
      "http_port": 80,
      "https_port": 443, // going
      "connectTimeout": 100,
      "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID.toUpperCase()}" } }
    },
    "${OTHER_ID.toUpperCase()}": "localhost:5432", // docker
  },
  "traffic": false
}
`,
    expected: `// ours
{
  "networks": { "${TUNNEL_ID}": { "routes": {
    "users.internal": { "target":  "localhost:3001", /* slow */ "readTimeout": 100, }
  } } }, // all of it
  "services": {
    // people
    "USERS_API": {
      "target": "localhost:3001", // npm start
      "type": "http",
      "name": "users-api", // old name
      "http_port": 8080,
      // going
      "connectTimeout": 100,
      "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID.toUpperCase()}" } }
    },
    "${OTHER_ID.toUpperCase()}": {
      "name": "db",
      "type": "tcp",
      "tcp_port": 5432,
      "app_protocol": "postgresql",
      "host": {
        "ipv4": "10.0.0.5",
        "ipv6": "fd00::5",
        "network": { "tunnel_id": "${TUNNEL_ID}" }
      },
      "target": "localhost:5432"
    }, // docker
  },
  "traffic": false
}
`,
    out: [
      "vpc.jsonc: 2 services written",
      '    changed  "USERS_API"  users-api',
      '        name: "users" → "users-api"',
      "        http_port: 80 → 8080",
      "        https_port: 443 → none",
      `    changed  "${OTHER_ID.toUpperCase()}"  db`,
      '        "localhost:5432" is now the "target" of the whole record',
    ],
  },
  {
    title: "API: an entry with only a target keeps its settings and comments",
    files: { "users.json": JSON.stringify(USERS) },
    config: `{
  "services": {
    "${SERVICE_ID}": {
      "target": "localhost:3001", // npm start
      "connectTimeout": 100,
      "rateLimit": { "limit": 5 }
    }
  }
}
`,
    expected: `{
  "services": {
    "${SERVICE_ID}": {
      "target": "localhost:3001", // npm start
      "connectTimeout": 100,
      "rateLimit": { "limit": 5 },
      "name": "users-api",
      "type": "http",
      "http_port": 8080,
      "host": {
        "hostname": "users.internal",
        "resolver_network": { "tunnel_id": "${TUNNEL_ID}" }
      }
    }
  }
}
`,
    out: [
      "vpc.jsonc: 1 service written",
      `    changed  "${SERVICE_ID}"  users-api`,
      '        name: "users-api"',
      '        type: "http"',
      "        http_port: 8080",
      `        host: { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } }`,
    ],
  },
  {
    title: "API: an account without services",
    files: { "list.json": '{ "result": [], "success": true }', "variables.tf": 'variable "x" {}\n' },
    expected: undefined,
    out: ['There is no VPC Service in "list.json", "variables.tf", so there is nothing to import.'],
  },
  {
    title: "API: an entry that is the same or remote stays",
    files: { "list.json": JSON.stringify([USERS, DATABASE]) },
    config: `{ "services": {\n    ${USERS_ENTRY}, "${OTHER_ID}": "remote" } }`,
    expected: `{ "services": {\n    ${USERS_ENTRY}, "${OTHER_ID}": "remote" } }`,
    out: [
      "vpc.jsonc: nothing to write",
      `    same     "${SERVICE_ID}"  users-api`,
      `    left     "${OTHER_ID}"  db: it is "remote"`,
    ],
  },
  {
    title: "API: a failure",
    files: {
      "failure.json": JSON.stringify({
        result: null,
        success: false,
        errors: [{ code: 10000, message: "Authentication error" }],
        messages: [],
      }),
    },
    expected: undefined,
    err: ["failure.json:1:26: error: the API response reports a failure: Authentication error [api-failure]"],
    exit: 1,
  },
  {
    title: "API: mistakes are reported with their positions, and the rest is imported",
    files: {
      "list.json": `[
  { "name": "a" },
  { "name": "b", "type": "tcp", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "${TUNNEL_ID}" } } },
  ${JSON.stringify(USERS)}
]`,
      "broken.json": '{ "result": ',
      "other.txt": "hello\n",
    },
    expected: fresh(USERS_ENTRY),
    out: ["vpc.jsonc: 1 service written", `    added    "${SERVICE_ID}"  users-api`, ...NEXT],
    err: [
      "broken.json:1:13: error: expected a value, but found the end of the file [json-syntax]",
      "    A config is one object in { }.",
      'list.json:2:3: error: this is not a VPC Service record: it has no "host" [not-a-record]',
      'list.json:3:3: error: a service of "type": "tcp" lacks "tcp_port" [missing-field]',
      '    Add "tcp_port": a whole number from 1 to 65535.',
      "other.txt: error: this file contains neither a VPC Service record nor a Hyperdrive configuration [unknown-import-format]",
      '    Import an API response, the output of "wrangler vpc service get" or "list" or of "wrangler hyperdrive get", a Terraform file, or the output of "terraform show -json".',
    ],
    exit: 1,
  },
  {
    title: "a missing file",
    files: {},
    args: "gone.json",
    expected: undefined,
    err: [
      "miniflare-vpc import: \"gone.json\" can't be read: ENOENT: no such file or directory, open 'FOLDER/gone.json'.",
    ],
    exit: 2,
  },
  {
    title: "no file",
    files: {},
    args: "",
    expected: undefined,
    err: ['miniflare-vpc import: <file> is missing: the file to import; "-" is the standard input.'],
    exit: 2,
  },
  {
    title: "a broken vpc.jsonc is not touched",
    files: { "users.json": JSON.stringify(USERS) },
    config: '{ "services": { }',
    expected: '{ "services": { }',
    err: ["vpc.jsonc:1:18: error: expected a }, but found the end of the file [json-syntax]"],
    exit: 1,
  },
  {
    title: 'a vpc.jsonc whose "services" is not an object',
    files: { "users.json": JSON.stringify(USERS) },
    config: '{ "services": [] }',
    expected: '{ "services": [] }',
    err: [
      'vpc.jsonc: error: this vpc config has no "services" object to import into [invalid-config]',
      '    Write { "services": {} }.',
    ],
    exit: 1,
  },
  {
    title: "a vpc.toml is not edited: the text to paste is printed",
    files: { "vpc.toml": "# ours\n", "users.json": JSON.stringify([USERS, DATABASE]) },
    args: "users.json",
    expected: undefined,
    out: [
      `[services."${SERVICE_ID}"]`,
      'name = "users-api"',
      'type = "http"',
      "http_port = 8080",
      `host = { hostname = "users.internal", resolver_network = { tunnel_id = "${TUNNEL_ID}" } }`,
      "",
      `[services."${OTHER_ID}"]`,
      'name = "db"',
      'type = "tcp"',
      "tcp_port = 5432",
      'app_protocol = "postgresql"',
      `host = { ipv4 = "10.0.0.5", ipv6 = "fd00::5", network = { tunnel_id = "${TUNNEL_ID}" } }`,
      'tls_settings = { cert_verification_mode = "verify_ca" }',
    ],
    err: [
      "vpc.toml: error: only vpc.jsonc and vpc.json are edited, so nothing was imported [config-not-editable]",
      "    Add this to it:",
    ],
    exit: 1,
  },
  {
    title: "a vpc.config.ts is neither edited nor run: the text to paste is printed",
    files: { "vpc.config.ts": "throw new Error('ran');", "users.json": JSON.stringify(USERS) },
    args: "users.json",
    expected: undefined,
    out: [
      `  "${SERVICE_ID}": {`,
      '    "name": "users-api",',
      '    "type": "http",',
      '    "http_port": 8080,',
      '    "host": {',
      '      "hostname": "users.internal",',
      `      "resolver_network": { "tunnel_id": "${TUNNEL_ID}" }`,
      "    }",
      "  },",
    ],
    err: [
      "vpc.config.ts: error: only vpc.jsonc and vpc.json are edited, so nothing was imported [config-not-editable]",
      '    Add this to its "services":',
    ],
    exit: 1,
  },
];
