/** Invalid faults of routes and services, and invalid seeds, each with its exact messages. */

import type { InvalidConfig } from "./invalid-case.ts";

const EXAMPLE = '{ "type": "latency", "attributes": { "latency": 200 } }';
const ATTRIBUTES = "name, type, stream, toxicity, attributes";

/** A fault, and what is reported with it. It is alone on line 3, from column 1. */
const faults: [title: string, written: string, expected: string[]][] = [
  [
    "a fault that is no object",
    '"down"',
    [`1: error: a fault is "down", but must be an object: ${EXAMPLE} [invalid-fault]`],
  ],
  ["a fault without a type", "{}", ['1: error: a fault lacks "type" [invalid-fault]', `    Write ${EXAMPLE}.`]],
  [
    "a fault of a misspelt type",
    '{ "type": "latncy" }',
    ['11: error: "type" is "latncy", which is not a fault [invalid-fault]', '    Did you mean "latency"?'],
  ],
  [
    "every mistake in a fault",
    '{ "type": "latency", "toxcity": 1, "stream": "up", "toxicity": 2, "attributes": { "latency": "1s", "rate": 5, "jitter": -1 } }',
    [
      '22: error: "toxcity" is not a field of a fault [invalid-fault]',
      '    Did you mean "toxicity"?',
      '46: error: "stream" is "up", but must be "upstream" or "downstream" [invalid-fault]',
      '64: error: "toxicity" is 2, but must be a number from 0 to 1 [invalid-fault]',
      '94: error: "attributes.latency" is "1s", but must be a whole number of milliseconds, 0 or more [invalid-fault]',
      '100: error: "rate" is not an attribute of latency [invalid-fault]',
      "    Valid: latency, jitter.",
      '121: error: "attributes.jitter" is -1, but must be a whole number of milliseconds, 0 or more [invalid-fault]',
    ],
  ],
  [
    "an attribute beside the attributes",
    '{ "type": "timeout", "timeout": 5 }',
    ['22: error: "timeout" is not a field of a fault [invalid-fault]', `    Valid: ${ATTRIBUTES}.`],
  ],
  [
    "a missing attribute",
    '{ "type": "bandwidth", "attributes": {} }',
    [
      '24: error: "attributes.rate" is missing, and must be a whole number of kilobytes per second, 0 or more [invalid-fault]',
    ],
  ],
  [
    "missing attributes",
    '{ "type": "bandwidth" }',
    [
      '1: error: "attributes.rate" is missing, and must be a whole number of kilobytes per second, 0 or more [invalid-fault]',
    ],
  ],
  [
    "a slice that varies too much",
    '{ "type": "slicer", "attributes": { "average_size": 5, "size_variation": 5 } }',
    [
      '74: error: "attributes.size_variation" is 5, but must be smaller than "attributes.average_size", which is 5 [invalid-fault]',
    ],
  ],
  [
    "an unknown error code",
    '{ "type": "failure", "attributes": { "code": "dns_eror" } }',
    [
      '46: error: "attributes.code" is "dns_eror", but must be one of the error codes [invalid-fault]',
      '    Did you mean "dns_error"?',
    ],
  ],
];

const RECORD = `"name": "api", "type": "http", "target": "localhost",
  "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } }`;

export const invalidFaults: InvalidConfig[] = [
  ...faults.map(([title, written, expected]) => ({
    title,
    config: `{ "networks": { "NET": { "routes": {\n"a.internal": { "target": "a:1", "faults": [ { "type": "down" },\n${written}\n] } } } } }`,
    expected: expected.map((line) => (line.startsWith(" ") ? line : `vpc.jsonc:3:${line}`)),
  })),
  {
    title: "faults that are not a list, and those of services",
    config: `{ "services": {
"API": { "target": "localhost:1", "faults": "down" },
"b": { "target": "localhost:1", "faults": [{ "type": 7 }] },
"c": { ${RECORD}, "faults": [{ "type": "fire" }] },
"d": { "deny": "dns_error", "faults": [] } } }`,
    expected: [
      'vpc.jsonc:2:45: error: "faults" is "down", but must be an array of faults [invalid-value]',
      `    Write [${EXAMPLE}].`,
      'vpc.jsonc:3:54: error: "type" is 7, which is not a fault [invalid-fault]',
      "    Valid: latency, bandwidth, slow_close, timeout, reset_peer, slicer, limit_data, down, http_status, failure, truncate.",
      'vpc.jsonc:5:124: error: "type" is "fire", which is not a fault [invalid-fault]',
      "    Valid: latency, bandwidth, slow_close, timeout, reset_peer, slicer, limit_data, down, http_status, failure, truncate.",
      'vpc.jsonc:6:29: error: "faults" is not a field of a target [unknown-field]',
      "    Valid fields: deny.",
    ],
  },
  {
    title: "a refusal with faults",
    config: `{ "networks": { "NET": { "routes": {\n"a.internal": { "deny": "dns_error", "faults": [] } } } } }`,
    expected: [
      'vpc.jsonc:2:17: error: "deny" cannot be used with "faults" [deny-with-fields]',
      '    A refused call has no settings. Write only { "deny": code }.',
    ],
  },
  {
    title: "faults in TOML",
    file: "vpc.toml",
    config: `[networks.NET.routes."a.internal"]
target = "localhost:1"

[[networks.NET.routes."a.internal".faults]]
type = "latency"
attributes.latency = 0.5
`,
    expected: [
      'vpc.toml:6:22: error: "attributes.latency" is 0.5, but must be a whole number of milliseconds, 0 or more [invalid-fault]',
    ],
  },
  {
    title: "faults of a network",
    config: '{ "networks": { "NET": {\n"faults": [] } } }',
    expected: [
      'vpc.jsonc:2:1: error: "faults" is not a field of a network [unknown-field]',
      "    Valid fields: name, resolver_ips, compose, tls_settings, ca, connectTimeout, dnsTimeout, readTimeout, writeTimeout, connectionLimit, workerLimit, rateLimit, routes.",
    ],
  },
  {
    title: "a seed that is no whole number",
    config: '{\n"seed": 0.5 }',
    expected: ['vpc.jsonc:2:9: error: "seed" is 0.5, but must be a whole number [invalid-value]'],
  },
  {
    title: "a seed that is text",
    config: '{\n"seed": "7" }',
    expected: ['vpc.jsonc:2:9: error: "seed" is "7", but must be a whole number [invalid-value]'],
  },
];
