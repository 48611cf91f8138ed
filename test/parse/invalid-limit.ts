/** Invalid limits, at the top level and in entries, and invalid resolvers, each with its exact message. */

import type { InvalidConfig } from "./invalid-case.ts";

const FORMS = '    A resolver is "10.0.0.53", "10.0.0.53:5353" or "[fd00::53]:53".';

const RECORD = `"name": "api", "type": "http", "target": "localhost",
  "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } }`;

/** The valid range of a timeout. */
export const MILLISECONDS = "but must be a whole number of milliseconds from 1 to 300000 [invalid-value]";

/** An invalid limit, the column of its value, the message and the notes. */
const limits: [written: string, column: number, text: string, notes?: string[]][] = [
  ['"connectTimeout": "5s"', 21, `"connectTimeout" is "5s", ${MILLISECONDS}`],
  ['"dnsTimeout": 0', 17, `"dnsTimeout" is 0, ${MILLISECONDS}`],
  ['"readTimeout": 300001', 18, `"readTimeout" is 300001, ${MILLISECONDS}`],
  ['"writeTimeout": 1.5', 19, `"writeTimeout" is 1.5, ${MILLISECONDS}`],
  [
    '"connectionLimit": 0',
    22,
    '"connectionLimit" is 0, but must be a whole number of connections of at least 1 [invalid-value]',
  ],
  [
    '"workerLimit": null',
    18,
    '"workerLimit" is null, but must be a whole number of calls of at least 1 [invalid-value]',
  ],
  [
    '"rateLimit": 20',
    16,
    '"rateLimit" is 20, but must be an object [invalid-value]',
    ['    Write { "limit": 20, "period": 60 }. The period is in seconds.'],
  ],
  [
    '"rateLimit": "5/s"',
    16,
    '"rateLimit" is "5/s", but must be an object [invalid-value]',
    ['    Write { "limit": 100, "period": 60 }. The period is in seconds.'],
  ],
  [
    '"rateLimit": -1',
    16,
    '"rateLimit" is -1, but must be an object [invalid-value]',
    ['    Write { "limit": 100, "period": 60 }. The period is in seconds.'],
  ],
  [
    '"rateLimit": {}',
    3,
    '"rateLimit" lacks "limit" [missing-field]',
    ['    Add "limit": a whole number of calls of at least 1.'],
  ],
  [
    '"rateLimit": { "limit": "many" }',
    27,
    '"limit" is "many", but must be a whole number of calls of at least 1 [invalid-value]',
  ],
  [
    '"rateLimit": { "limit": 1, "period": 3601 }',
    40,
    '"period" is 3601, but must be a whole number of seconds from 1 to 3600 [invalid-value]',
  ],
  [
    '"rateLimit": { "limit": 1, "perod": 60 }',
    30,
    '"perod" is not a field of "rateLimit" [unknown-field]',
    ['    Did you mean "period"?'],
  ],
];

/** The places of limits. */
const places: [place: string, config: (limit: string) => string][] = [
  ["the vpc config", (limit) => `{\n  ${limit} }`],
  ["a network", (limit) => `{ "networks": { "NET": {\n  ${limit} } } }`],
  ["a service", (limit) => `{ "services": { "API": {\n  ${limit}, ${RECORD} } } }`],
];

const resolvers: [written: string, problem: string][] = [
  ["dns.internal", "is not an IP address"],
  ["dns.internal:53", "is not an IP address"],
  ["", "is not an IP address"],
  ["53", "is not an IP address"],
  ["10.0.0.53/32", "is not an IP address"],
  ["10.0.0.256", "is not an IP address"],
  ["[10.0.0.53]:53", "is not an IP address"],
  ["udp://10.0.0.53", "is not an IP address"],
  ["fe80::1%eth0", "is not an IP address"],
  ["10.0.0.53:0", "has the port 0, which is not between 1 and 65535"],
  ["[fd00::53]:65536", "has the port 65536, which is not between 1 and 65535"],
  ["10.0.0.53:dns", 'has the port "dns", which is not a number'],
  ["10.0.0.53:", "has no port"],
];

export const invalidLimits: InvalidConfig[] = [
  ...places.flatMap(([place, config]) =>
    limits.map(([written, column, text, notes = []]) => ({
      title: `${written} in ${place}`,
      config: config(written),
      expected: [`vpc.jsonc:2:${column}: error: ${text}`].concat(notes),
    })),
  ),
  ...places.map(([place, config]) => ({
    title: `misspelt limits in ${place}`,
    config: config('"ratelimit": 1, "connect_timeout": 1'),
    expected: [
      `vpc.jsonc:2:3: error: "ratelimit" is not a field of ${place} [unknown-field]`,
      '    Did you mean "rateLimit"?',
      `vpc.jsonc:2:19: error: "connect_timeout" is not a field of ${place} [unknown-field]`,
      '    Did you mean "connectTimeout"?',
    ],
  })),
  {
    title: "limits, in TOML",
    file: "vpc.toml",
    config: `rateLimit = 20
dnsTimeout = 0.5

[networks.NET]
resolver_ips = ["10.0.0.53", "dns.internal"]
rateLimit.limit = 0
`,
    expected: [
      'vpc.toml:1:13: error: "rateLimit" is 20, but must be an object [invalid-value]',
      '    Write { "limit": 20, "period": 60 }. The period is in seconds.',
      `vpc.toml:2:14: error: "dnsTimeout" is 0.5, ${MILLISECONDS}`,
      'vpc.toml:5:30: error: the resolver "dns.internal" is not an IP address [invalid-resolver]',
      FORMS,
      'vpc.toml:6:19: error: "limit" is 0, but must be a whole number of calls of at least 1 [invalid-value]',
    ],
  },
  {
    title: "limits, in a module",
    file: "vpc.config.ts",
    config: `export default {
  rateLimit: 20,
  networks: { NET: { readTimeout: NaN, resolver_ips: ["dns.internal"], rateLimit: { limit: Infinity } } },
};`,
    expected: [
      'vpc.config.ts:2:3: error: "rateLimit" is 20, but must be an object [invalid-value]',
      '    Write { "limit": 20, "period": 60 }. The period is in seconds.',
      `vpc.config.ts:3:22: error: "readTimeout" is NaN, ${MILLISECONDS}`,
      'vpc.config.ts:3:40: error: the resolver "dns.internal" is not an IP address [invalid-resolver]',
      FORMS,
      'vpc.config.ts:3:85: error: "limit" is Infinity, but must be a whole number of calls of at least 1 [invalid-value]',
    ],
  },
  ...resolvers.map(([written, problem]) => ({
    title: `the resolver ${JSON.stringify(written)}`,
    config: `{ "networks": { "NET": {
  "resolver_ips": ["10.0.0.53", ${JSON.stringify(written)}] } } }`,
    expected: [`vpc.jsonc:2:33: error: the resolver ${JSON.stringify(written)} ${problem} [invalid-resolver]`, FORMS],
  })),
  {
    title: "resolvers of the wrong type beside a valid one",
    config: `{ "networks": { "NET": {
  "resolver_ips": [53, "10.0.0.53", null, "dns"] }, "OTHER": {
  "resolver_ips": "10.0.0.53" }, "MISSPELT": {
  "resolver_ip": [] } } }`,
    expected: [
      'vpc.jsonc:2:20: error: "resolver_ips[0]" is 53, but must be an IP address [invalid-value]',
      'vpc.jsonc:2:37: error: "resolver_ips[2]" is null, but must be an IP address [invalid-value]',
      'vpc.jsonc:2:43: error: the resolver "dns" is not an IP address [invalid-resolver]',
      FORMS,
      'vpc.jsonc:3:19: error: "resolver_ips" is "10.0.0.53", but must be an array of IP addresses [invalid-value]',
      'vpc.jsonc:4:3: error: "resolver_ip" is not a field of a network [unknown-field]',
      '    Did you mean "resolver_ips"?',
    ],
  },
];
