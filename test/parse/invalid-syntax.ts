/** Files with invalid syntax, and positions in TOML, each with the exact message. */

import type { InvalidConfig } from "./invalid-case.ts";

export const invalidSyntax: InvalidConfig[] = [
  {
    title: "an empty file",
    config: "",
    expected: [
      "vpc.jsonc:1:1: error: expected a value, but found the end of the file [json-syntax]",
      "    A config is one object in { }.",
    ],
  },
  {
    title: "a file of comments",
    config: `// later
`,
    expected: [
      "vpc.jsonc:2:1: error: expected a value, but found the end of the file [json-syntax]",
      "    A config is one object in { }.",
    ],
  },
  {
    title: "a missing comma",
    config: `{ "services": { "API": "localhost:1"
  "DB": "localhost:2" } }`,
    expected: [
      'vpc.jsonc:2:3: error: expected a comma before "DB" [json-syntax]',
      "    Put a comma after the entry before it.",
    ],
  },
  {
    title: "keys without quotes, on two lines",
    config: `{ services: {},
  networks: {} }`,
    expected: [
      "vpc.jsonc:1:3: error: services is not JSON [json-syntax]",
      "    Keys and strings must be in double quotes.",
    ],
  },
  {
    title: "an unclosed string",
    config: '{ "services": { "API": "localhost } }',
    expected: ["vpc.jsonc:1:24: error: the string is not closed [json-syntax]", '    Close it with ".'],
  },
  {
    title: "unclosed braces",
    config: `{ "services": {
  "API": "localhost:1"`,
    expected: ["vpc.jsonc:2:23: error: expected a }, but found the end of the file [json-syntax]"],
  },
  {
    title: "text after the end",
    config: `{}
{}`,
    expected: [
      "vpc.jsonc:2:1: error: { comes after the end of the config [json-syntax]",
      "    A config is one object in { }.",
    ],
  },
  {
    title: "an unknown escape",
    config: '{ "ca": ["C:\\certs"] }',
    expected: [
      'vpc.jsonc:1:10: error: "C:\\certs" contains an unknown escape [json-syntax]',
      "    Write a backslash as \\\\.",
    ],
  },
  {
    title: "a file that is not text",
    config: "\u0000\u0001\u0002",
    expected: ["vpc.jsonc: error: it is not UTF-8 text [not-utf-8]", "    Save it as UTF-8."],
  },
  {
    title: "control characters",
    config: "\u001b[31m",
    expected: [
      "vpc.jsonc:1:1: error: \\u001b is not JSON [json-syntax]",
      "    Keys and strings must be in double quotes.",
    ],
  },
  ...[501, 4000, 8000, 20_000].flatMap((depth) => {
    const arrays = `${"[".repeat(depth)}${"]".repeat(depth)}`;
    const objects = `${'{"json":'.repeat(depth)}1${"}".repeat(depth)}`;
    const tables = `${"{json=".repeat(depth)}1${"}".repeat(depth)}`;
    const dotted = `a${".a".repeat(depth)}`;
    return [
      ["vpc.jsonc", arrays, "1:501"],
      ["vpc.jsonc", `// "\n${objects}`, "2:4001"],
      ["vpc.toml", `# "\na = ${arrays}`, "2:505"],
      ["vpc.toml", `a = ${tables}`, "1:3005"],
      ["vpc.toml", `a = { ${dotted} = 1 }`, "1:7"],
      ["vpc.toml", `b = 1\n[${dotted}]`, "2:2"],
    ].map(([file = "", config = "", place = ""]) => ({
      title: `${depth} levels in ${file} ${config.slice(0, 10)}`,
      file,
      config,
      expected: [
        `${file}:${place}: error: the nesting is deeper than 500 levels [nested-too-deeply]`,
        "    Remove levels, or keep them in a file of their own.",
      ],
    }));
  }),
  {
    title: "an unclosed comment",
    config: "{} /* later",
    expected: ["vpc.jsonc:1:4: error: the comment is not closed [json-syntax]", "    Close it with */."],
  },
  {
    title: "a duplicate key",
    config: `{ "services": { "API": "localhost:1",
  "DB": "localhost:2",
  "API": "localhost:3" } }`,
    expected: [
      'vpc.jsonc:3:3: error: "API" is given twice: here and on line 1 [duplicate-key]',
      "    Remove one of them, or merge the two.",
    ],
  },
  {
    title: "a duplicate section with a mistake inside",
    config: `{
  "networks": {},
  "networks": {}, "traffic": 1 }`,
    expected: [
      'vpc.jsonc:3:3: error: "networks" is given twice: here and on line 2 [duplicate-key]',
      "    Remove one of them, or merge the two.",
      'vpc.jsonc:3:30: error: "traffic" is 1, but must be true or false [invalid-value]',
    ],
  },
  {
    title: "a key without a value",
    file: "vpc.toml",
    config: `connectTimeout =
`,
    expected: ["vpc.toml:2:1: error: not TOML: unspecified values are invalid [toml-syntax]"],
  },
  {
    title: "an unclosed section",
    file: "vpc.toml",
    config: `[services
`,
    expected: ["vpc.toml:2:1: error: not TOML: unterminated table-key [toml-syntax]"],
  },
  {
    title: "a duplicate key",
    file: "vpc.toml",
    config: `[services]
API = "localhost:1"
DB = "localhost:2"
"API" = "localhost:3"
`,
    expected: [
      'vpc.toml:4:1: error: "API" is given twice: here and on line 2 [duplicate-key]',
      "    Remove one of them, or merge the two.",
    ],
  },
  {
    title: "a duplicate section",
    file: "vpc.toml",
    config: `[networks."550e8400-e29b-41d4-a716-446655440000".routes]
"a" = "localhost:1"

[networks."550e8400-e29b-41d4-a716-446655440000".routes]
"b" = "localhost:2"
`,
    expected: [
      'vpc.toml:4:50: error: "routes" is given twice: here and on line 1 [duplicate-key]',
      "    Remove one of them, or merge the two.",
    ],
  },
  {
    title: "mistakes in sections, tables and arrays",
    file: "vpc.toml",
    config: `traffic = 1
ca = ["missing.pem"]

[networks.NET.routes]
"10.1.0.0/8" = "localhost:1"
"a:80-90" = "localhost:1"
"a:85-95" = "localhost:1"
b = { deny = "dns" }

[services.API]
name = "api"
type = "http"
host.hostname = "http://a"
host.resolver_network = { tunel_id = 1979-05-27 }
`,
    expected: [
      'vpc.toml:1:11: error: "traffic" is 1, but must be true or false [invalid-value]',
      'vpc.toml:2:7: error: the root certificate "missing.pem" does not exist [ca-not-found]',
      "    Its full path is FOLDER/missing.pem.",
      'vpc.toml:5:1: error: the destination "10.1.0.0/8" has bits set after its prefix /8 [invalid-destination]',
      '    Write "10.0.0.0/8" for the network, or "10.1.0.0" for the one address.',
      'vpc.toml:7:1: error: the ports of "a:85-95" overlap with those of "a:80-90" on line 6 [overlapping-ports]',
      "    Neither range is inside the other, so neither wins for :85-90. Split one of them.",
      'vpc.toml:8:14: error: "deny" is "dns", which is not an error code [unknown-error-code]',
      "    Valid codes: connection_refused, connection_terminated, connection_timeout, connection_limit_reached, destination_unavailable, destination_not_found, destination_ip_prohibited, destination_ip_unroutable, proxy_loop_detected, dns_error, dns_timeout, tls_protocol_error, tls_certificate_error, http_request_error, http_upgrade_failed, http_request_denied, http_protocol_error, http_response_incomplete, connection_read_timeout, connection_write_timeout, rate_limited, proxy_internal_error.",
      'vpc.toml:13:17: error: "http://a" is not a host name: it has the scheme "http://" [invalid-hostname]',
      '    Write "a".',
      'vpc.toml:14:6: error: "resolver_network" lacks "tunnel_id" [missing-field]',
      '    Add "tunnel_id": a uuid.',
      'vpc.toml:14:27: error: "tunel_id" is not a field of "resolver_network" [unknown-field]',
      '    Did you mean "tunnel_id"?',
    ],
  },
  {
    title: "an array of tables, and a date",
    file: "vpc.toml",
    config: `connectTimeout = 1979-05-27
[[services]]
name = "api"
`,
    expected: [
      'vpc.toml:1:18: error: "connectTimeout" is "1979-05-27", but must be a whole number of milliseconds from 1 to 300000 [invalid-value]',
      'vpc.toml:2:3: error: "services" is an array, but must be an object [invalid-value]',
    ],
  },
];
