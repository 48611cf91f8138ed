/** Invalid hosts of VPC Services, each with its exact message. */

import type { InvalidConfig } from "./invalid-case.ts";

const TUNNEL = "550e8400-e29b-41d4-a716-446655440000";

/** The fields of "host", the problem and the note. */
const forms: [fields: string, text: string, note: string][] = [
  [
    "",
    '"host" has neither an address nor a hostname',
    'A host is "ipv4", "ipv6" or both with "network", or "hostname" with "resolver_network".',
  ],
  [
    '"network": { "tunnel_id": "TUNNEL" }',
    '"host" has neither an address nor a hostname',
    'A host is "ipv4", "ipv6" or both with "network", or "hostname" with "resolver_network".',
  ],
  ['"ipv4": "10.0.0.1", "network": null', '"host" lacks "network"', 'Add "network": { "tunnel_id": a uuid }.'],
  [
    '"ipv4": null, "ipv6": null, "hostname": null',
    '"host" has neither an address nor a hostname',
    'A host is "ipv4", "ipv6" or both with "network", or "hostname" with "resolver_network".',
  ],
  ['"ipv4": "10.0.0.1"', '"host" lacks "network"', 'Add "network": { "tunnel_id": a uuid }.'],
  [
    '"ipv4": "10.0.0.1", "resolver_network": { "tunnel_id": "TUNNEL" }',
    '"host" has "resolver_network", which cannot be used with an address',
    'Rename "resolver_network" to "network".',
  ],
  [
    '"ipv4": "10.0.0.1", "network": { "tunnel_id": "TUNNEL" }, "resolver_network": { "tunnel_id": "TUNNEL" }',
    '"host" has "resolver_network", which cannot be used with an address',
    'A host is "ipv4", "ipv6" or both with "network", or "hostname" with "resolver_network".',
  ],
  ['"hostname": "a.internal"', '"host" lacks "resolver_network"', 'Add "resolver_network": { "tunnel_id": a uuid }.'],
  [
    '"hostname": "a.internal", "network": { "tunnel_id": "TUNNEL" }',
    '"host" has "network", which cannot be used with "hostname"',
    'Rename "network" to "resolver_network".',
  ],
  [
    '"hostname": "a.internal", "ipv4": "10.0.0.1", "resolver_network": { "tunnel_id": "TUNNEL" }',
    '"host" has "hostname" and "ipv4"',
    'A host is "ipv4", "ipv6" or both with "network", or "hostname" with "resolver_network".',
  ],
  [
    '"hostname": "a.internal", "ipv4": "10.0.0.1", "ipv6": "fd00::1", "network": { "tunnel_id": "TUNNEL" }',
    '"host" has "hostname" and "ipv4" and "ipv6"',
    'A host is "ipv4", "ipv6" or both with "network", or "hostname" with "resolver_network".',
  ],
];

const TOO_LONG = `${"a.".repeat(126)}ab`;

const hostnames: [type: "http" | "tcp", hostname: string, problem: string, note: string][] = [
  ["http", "", "is empty", 'A host is "ipv4", "ipv6" or both with "network", or "hostname" with "resolver_network".'],
  ["http", "  ", "is empty", 'A host is "ipv4", "ipv6" or both with "network", or "hostname" with "resolver_network".'],
  [
    "http",
    "https://users.internal:8443/v1?x",
    'has the scheme "https://", has the path "/v1?x" and has the port ":8443"',
    'Write "users.internal"; the port goes into "http_port" or "https_port".',
  ],
  ["http", " users.internal", "has whitespace", 'Write "users.internal".'],
  [
    "http",
    "users.internal:8080",
    'has the port ":8080"',
    'Write "users.internal"; the port goes into "http_port" or "https_port".',
  ],
  [
    "http",
    "http://us ers.internal:80/x",
    'has whitespace, has the scheme "http://", has the path "/x" and has the port ":80"',
    'Write "users.internal"; the port goes into "http_port" or "https_port".',
  ],
  ["http", "10.0.0.1", "is an IP address", 'Write it as "ipv4": "10.0.0.1", with "network".'],
  ["http", "0x0a.1", "is an IP address", 'Write it as "ipv4": "10.0.0.1", with "network".'],
  ["http", "fd00::1", "is an IP address", 'Write it as "ipv6": "fd00::1", with "network".'],
  ["tcp", "[fd00::1]:5432", "is an IP address", 'Write it as "ipv6": "fd00::1", with "network".'],
  ["http", "*.internal", "has a wildcard", "A VPC Service is one host. Use a wildcard in the routes of a network."],
  [
    "http",
    TOO_LONG,
    "is 254 characters long; a name has at most 253",
    "A host name is 1 to 253 characters of letters, digits, dots, hyphens and underscores.",
  ],
  [
    "http",
    "users%2einternal",
    'contains the character "%"',
    "A host name is 1 to 253 characters of letters, digits, dots, hyphens and underscores.",
  ],
  [
    "http",
    "users..internal",
    "has an empty label",
    "A host name is 1 to 253 characters of letters, digits, dots, hyphens and underscores.",
  ],
];

export const invalidHosts: InvalidConfig[] = [
  ...forms.map(([fields, text, note]) => ({
    title: `the host { ${fields} }`,
    config: `{ "services": { "API": { "name": "api", "type": "http",
  "host": { ${fields.replaceAll("TUNNEL", TUNNEL)} } } } }`,
    expected: [`vpc.jsonc:2:3: error: ${text} [invalid-host]`, `    ${note}`],
  })),
  ...hostnames.map(([type, hostname, problem, note]) => ({
    title: `the ${type} hostname ${JSON.stringify(hostname)}`,
    config: `{ "services": { "API": { "name": "api", "type": "${type}",${type === "tcp" ? ' "tcp_port": 1,' : ""}
  "host": { "hostname": ${JSON.stringify(hostname)}, "resolver_network": { "tunnel_id": "${TUNNEL}" } } } } }`,
    expected: [
      `vpc.jsonc:2:25: error: ${hostname === TOO_LONG ? `"${"a.".repeat(40)}…"` : JSON.stringify(hostname)} is not a host name: it ${problem} [invalid-hostname]`,
      `    ${note}`,
    ],
  })),
  {
    title: "addresses in the wrong fields",
    config: `{ "services": { "API": { "name": "api", "type": "http", "target": "localhost",
  "host": { "ipv4": "fd00::1", "ipv6": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } } } } }`,
    expected: [
      'vpc.jsonc:2:21: error: "ipv4" is "fd00::1", but must be an IPv4 address [invalid-value]',
      'vpc.jsonc:2:40: error: "ipv6" is "10.0.0.1", but must be an IPv6 address [invalid-value]',
    ],
  },
  {
    title: "invalid addresses",
    config: `{ "services": { "API": { "name": "api", "type": "http", "target": "localhost",
  "host": { "ipv4": "10.0.0", "ipv6": "fd00::/8", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } } } } }`,
    expected: [
      'vpc.jsonc:2:21: error: "ipv4" is "10.0.0", but must be an IPv4 address [invalid-value]',
      'vpc.jsonc:2:39: error: "ipv6" is "fd00::/8", but must be an IPv6 address [invalid-value]',
    ],
  },
  {
    title: "a missing tunnel_id, and one that is not a uuid",
    config: `{ "services": { "API": { "name": "api", "type": "http", "target": "localhost",
  "host": { "ipv4": "10.0.0.1", "network": {} } }, "DB": { "name": "db", "type": "http",
  "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "office" } } } } }`,
    expected: [
      'vpc.jsonc:2:33: error: "network" lacks "tunnel_id" [missing-field]',
      '    Add "tunnel_id": a uuid.',
      'vpc.jsonc:3:59: error: "tunnel_id" is "office", but must be a uuid [invalid-value]',
    ],
  },
  {
    title: "addresses with a zone",
    config: `{ "services": { "API": { "name": "api", "type": "http", "target": "localhost",
  "host": { "ipv6": "fe80::1%eth0", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } } },
  "DB": { "name": "db", "type": "http", "target": "passthrough",
  "host": { "hostname": "db", "resolver_network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000",
    "resolver_ips": ["fe80::1%eth0"] } } } } }`,
    expected: [
      'vpc.jsonc:2:21: error: "ipv6" is "fe80::1%eth0", but must be an IPv6 address [invalid-value]',
      'vpc.jsonc:5:22: error: "resolver_ips[0]" is "fe80::1%eth0", but must be an IP address [invalid-value]',
    ],
  },
  {
    title: "resolvers that are not addresses",
    config: `{ "services": { "API": { "name": "api", "type": "http", "target": "localhost",
  "host": { "hostname": "a.internal", "resolver_network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000",
    "resolver_ips": ["10.0.0.53", "dns.internal", 53] } } } } }`,
    expected: [
      'vpc.jsonc:3:35: error: "resolver_ips[1]" is "dns.internal", but must be an IP address [invalid-value]',
      'vpc.jsonc:3:51: error: "resolver_ips[2]" is 53, but must be an IP address [invalid-value]',
    ],
  },
];
