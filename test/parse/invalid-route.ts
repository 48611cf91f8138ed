/** Invalid objects around the target of a route, each with its exact messages. */

import { MILLISECONDS } from "./invalid-limit.ts";
import type { InvalidConfig } from "./invalid-case.ts";

const FIELDS =
  "    Valid fields: target, tls_settings, ca, connectTimeout, dnsTimeout, readTimeout, writeTimeout, connectionLimit, workerLimit, faults.";
const LACKS_TARGET = ['a route lacks "target" [missing-field]', '    Add "target": "localhost:3000".'] as const;
const MOVE_RATE_LIMIT = "    Move it to the entry of the network or of the service, or to the top of the vpc config.";

/** The object, and what is reported with it on line 2, where its key is in column 1. */
const entries: [title: string, written: string, expected: string[]][] = [
  ["a route without a target", `{ "readTimeout": 5 }`, [`1: error: ${LACKS_TARGET[0]}`, LACKS_TARGET[1]]],
  ["an empty route", "{}", [`1: error: ${LACKS_TARGET[0]}`, LACKS_TARGET[1]]],
  [
    "a route whose target is misspelt",
    `{ "traget": "localhost:1" }`,
    [
      `1: error: ${LACKS_TARGET[0]}`,
      LACKS_TARGET[1],
      '17: error: "traget" is not a field of a route [unknown-field]',
      '    Did you mean "target"?',
    ],
  ],
  [
    "a misspelt and an unknown setting of a route",
    `{ "target": "localhost:1", "readTimout": 5, "resolver_ips": [] }`,
    [
      '42: error: "readTimout" is not a field of a route [unknown-field]',
      '    Did you mean "readTimeout"?',
      '59: error: "resolver_ips" is not a field of a route [unknown-field]',
      FIELDS,
    ],
  ],
  [
    "a route with an invalid target",
    `{ "target": 5432 }`,
    [
      "27: error: the target is 5432, which is not a target [invalid-target]",
      '    A port alone has no host; write "localhost:5432".',
    ],
  ],
  [
    "a route inside of a route",
    `{ "target": { "target": "localhost:1" } }`,
    [
      "27: error: the target is an object, which is not a target [invalid-target]",
      '    A target is "localhost:3000", "unix:path", "http://localhost:3000", "worker:NAME", "passthrough", "openapi:FILE", "har:FILE", { "respond": … } or { "deny": code }.',
    ],
  ],
  [
    "a route with invalid limits",
    `{ "target": "localhost:1", "connectTimeout": "5s", "connectionLimit": 0 }`,
    [
      `60: error: "connectTimeout" is "5s", ${MILLISECONDS}`,
      '85: error: "connectionLimit" is 0, but must be a whole number of connections of at least 1 [invalid-value]',
    ],
  ],
  [
    "a route with an invalid mode",
    `{ "target": "localhost:1", "tls_settings": { "cert_verification_mode": "off" } }`,
    [
      '86: error: "cert_verification_mode" is "off", but must be "verify_full", "verify_ca" or "disabled" [invalid-value]',
    ],
  ],
  [
    "a route whose mode is not in an object, and one without a mode",
    `{ "target": "localhost:1", "tls_settings": "disabled" }, "b": { "target": "localhost:1", "tls_settings": {} }`,
    [
      '58: error: "tls_settings" is "disabled", but must be an object [invalid-value]',
      '104: error: "tls_settings" lacks "cert_verification_mode" [missing-field]',
      '    Add "cert_verification_mode": "verify_full", "verify_ca" or "disabled".',
    ],
  ],
  [
    "a route with the certificate ids of a service",
    `{ "target": "localhost:1", "tls_settings": { "cert_verification_mode": "verify_ca", "certificate_authority": null } }`,
    [
      '99: error: "certificate_authority" is not a field of "tls_settings" [unknown-field]',
      "    Valid fields: cert_verification_mode.",
    ],
  ],
  [
    "a route with invalid roots",
    `{ "target": "localhost:1", "ca": ["gone.pem", 5, "vpc.jsonc"] }`,
    [
      '49: error: the root certificate "gone.pem" does not exist [ca-not-found]',
      "    Its full path is FOLDER/gone.pem.",
      '61: error: "ca[1]" is 5, but must be a string [invalid-value]',
      '64: error: the root certificate "vpc.jsonc" contains no certificate in PEM form [ca-invalid]',
      "    A PEM file has blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
    ],
  ],
  [
    "a route with roots that are not a list",
    `{ "target": "localhost:1", "ca": "corp.pem" }`,
    ['48: error: "ca" is "corp.pem", but must be an array of file names [invalid-value]'],
  ],
  [
    "a route with a rate limit",
    `{ "target": "localhost:1", "rateLimit": { "limit": 10 } }`,
    [
      '42: error: "rateLimit" cannot be set for a route, because it counts the calls of a binding [misplaced-rate-limit]',
      MOVE_RATE_LIMIT,
    ],
  ],
  [
    "a route with a rate limit of the wrong type, and without a target",
    `{ "rateLimit": 10 }`,
    [
      `1: error: ${LACKS_TARGET[0]}`,
      LACKS_TARGET[1],
      '17: error: "rateLimit" cannot be set for a route, because it counts the calls of a binding [misplaced-rate-limit]',
      MOVE_RATE_LIMIT,
    ],
  ],
  [
    "a refusal with settings",
    `{ "deny": "dns_error", "readTimeout": 5, "ca": [] }`,
    [
      '17: error: "deny" cannot be used with "readTimeout", "ca" [deny-with-fields]',
      '    A refused call has no settings. Write only { "deny": code }.',
    ],
  ],
  [
    "a refusal with a rate limit",
    `{ "deny": "dns_error", "rateLimit": { "limit": 1 } }`,
    [
      '17: error: "deny" cannot be used with "rateLimit" [deny-with-fields]',
      '    A refused call has no settings. Write only { "deny": code }.',
    ],
  ],
  [
    "a refusal with a target",
    `{ "target": "localhost:1", "deny": "dns_error" }`,
    [
      '42: error: "deny" cannot be used with "target" [deny-with-fields]',
      '    A route either refuses or has a target. Remove "deny" or "target".',
    ],
  ],
  [
    "a refusal with an unknown field",
    `{ "deny": "dns_error", "reason": "closed" }`,
    ['38: error: "reason" is not a field of a target [unknown-field]', "    Valid fields: deny."],
  ],
];

export const invalidRoutes: InvalidConfig[] = [
  ...entries.map(([title, written, expected]) => ({
    title,
    config: `{ "networks": { "NET": { "routes": {\n"a.internal": ${written} } } } }`,
    expected: expected.map((line) => (line.startsWith(" ") ? line : `vpc.jsonc:2:${line}`)),
  })),
  {
    title: 'routes with settings beside "routes"',
    config: `{ "networks": { "NET": {
  "a.internal": { "target": "localhost:1", "readTimeout": 5 } } } }`,
    expected: [
      'vpc.jsonc:2:3: error: "a.internal" is a route, but not under "routes" [misplaced-route]',
      '    Write "routes": { "a.internal": … }.',
    ],
  },
  {
    title: "routes with settings, in TOML",
    file: "vpc.toml",
    config: `[networks.NET.routes]
"a.internal" = { target = "localhost:1", readTimeout = 0.5, ca = ["gone.pem"] }

[networks.NET.routes."b.internal:443"]
target = "localhost:1"
rateLimit.limit = 1
tls_settings.cert_verification_mode = "off"

[networks.NET.routes."c.internal"]
readTimeout = 5
`,
    expected: [
      `vpc.toml:2:56: error: "readTimeout" is 0.5, ${MILLISECONDS}`,
      'vpc.toml:2:67: error: the root certificate "gone.pem" does not exist [ca-not-found]',
      "    Its full path is FOLDER/gone.pem.",
      'vpc.toml:6:1: error: "rateLimit" cannot be set for a route, because it counts the calls of a binding [misplaced-rate-limit]',
      MOVE_RATE_LIMIT,
      'vpc.toml:7:39: error: "cert_verification_mode" is "off", but must be "verify_full", "verify_ca" or "disabled" [invalid-value]',
      `vpc.toml:9:22: error: ${LACKS_TARGET[0]}`,
      LACKS_TARGET[1],
    ],
  },
  {
    title: "routes with settings, in a module",
    file: "vpc.config.ts",
    config: `export default {
  networks: { NET: { routes: {
    "a.internal": { target: () => new Response("a"), readTimeout: NaN },
    "b.internal": { fetch: () => new Response("b"), readTimeout: 5 },
    "c.internal": { target: "localhost:1", fetch: () => new Response("c") },
  } } },
};`,
    expected: [
      `vpc.config.ts:3:54: error: "readTimeout" is NaN, ${MILLISECONDS}`,
      'vpc.config.ts:4:53: error: "readTimeout" is not a field of a target [unknown-field]',
      '    Write { "target": { "fetch": … }, "readTimeout": … }.',
      'vpc.config.ts:5:44: error: "fetch" is not a field of a route [unknown-field]',
      FIELDS,
    ],
  },
];
