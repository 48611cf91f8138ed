/** Invalid destinations, the left-hand side of routes, each with its exact message. */

import type { InvalidConfig } from "./invalid-case.ts";

/** A destination, the problem and the note. */
const destinations: [written: string, problem: string, note: string][] = [
  [
    "",
    "has no host",
    'A destination is a host name, "*." and a host name, an IP address, a CIDR or "*"; each may end in ":port" or ":from-to".',
  ],
  [
    ":80",
    "has no host",
    'A destination is a host name, "*." and a host name, an IP address, a CIDR or "*"; each may end in ":port" or ":from-to".',
  ],
  [
    "http://users.internal:8080/v1",
    'has the scheme "http://"',
    'Write "users.internal:8080"; a route applies to every scheme.',
  ],
  ["users.internal/v1", "has a path", 'Write "users.internal"; a route applies to every path.'],
  [
    " users.internal",
    'contains the character " "',
    'A destination is a host name, "*." and a host name, an IP address, a CIDR or "*"; each may end in ":port" or ":from-to".',
  ],
  ["users.internal:", "has no port", 'Write one port, as in ":8080", or a range, as in ":8000-8999".'],
  [
    "users.internal:0",
    "has the port 0, which is not between 1 and 65535",
    'Write one port, as in ":8080", or a range, as in ":8000-8999".',
  ],
  [
    "users.internal:65536",
    "has the port 65536, which is not between 1 and 65535",
    'Write one port, as in ":8080", or a range, as in ":8000-8999".',
  ],
  [
    "users.internal:https",
    'has the port "https", which is not a number',
    'Write one port, as in ":8080", or a range, as in ":8000-8999".',
  ],
  ["users.internal:90-80", "has the port range 90-80, which ends before it starts", 'Write ":80-90".'],
  [
    "users.internal:80-90-100",
    'has the port range "80-90-100", which is not a range',
    'Write one port, as in ":8080", or a range, as in ":8000-8999".',
  ],
  ["users.internal:80-", "has no port", 'Write one port, as in ":8080", or a range, as in ":8000-8999".'],
  ["*:", "has no port", 'Write one port, as in ":8080", or a range, as in ":8000-8999".'],
  ["**", "is not a wildcard", 'A wildcard replaces the first label: "*.internal".'],
  ["*/0", "is not a wildcard", 'A wildcard replaces the first label: "*.internal".'],
  ["[*]:443", 'has a "*" that is not its first label', 'A wildcard replaces the first label: "*.internal".'],
  ["api-*.internal", 'has a "*" that is not its first label', 'A wildcard replaces the first label: "*.internal".'],
  ["api.*.internal", 'has a "*" that is not its first label', 'A wildcard replaces the first label: "*.internal".'],
  ["*.*.internal", "is not a wildcard", 'A wildcard replaces the first label: "*.internal".'],
  ["*internal", "is not a wildcard", 'A wildcard replaces the first label: "*.internal".'],
  ["*.0.0.1", "is a wildcard for addresses", 'Write a CIDR, such as "10.0.0.0/8".'],
  [
    "*.",
    "has a suffix that is empty",
    'A destination is a host name, "*." and a host name, an IP address, a CIDR or "*"; each may end in ":port" or ":from-to".',
  ],
  [
    "10.1.2.3/8",
    "has bits set after its prefix /8",
    'Write "10.0.0.0/8" for the network, or "10.1.2.3" for the one address.',
  ],
  [
    "10.1.2.3/8:80",
    "has bits set after its prefix /8",
    'Write "10.0.0.0/8" for the network, or "10.1.2.3" for the one address.',
  ],
  [
    "fd00::1/8",
    "has bits set after its prefix /8",
    'Write "fd00::/8" for the network, or "fd00::1" for the one address.',
  ],
  [
    "::ffff:10.1.2.3/104",
    "has bits set after its prefix /104",
    'Write "10.0.0.0/8" for the network, or "10.1.2.3" for the one address.',
  ],
  ["10.0.0.0/33", 'has the prefix "/33"', "A prefix is a number from /0 to /32."],
  ["[fd00::]/129", 'has the prefix "/129"', "A prefix is a number from /0 to /128."],
  ["10.0.0.0/255.0.0.0", 'has the prefix "/255.0.0.0"', "A prefix is a number from /0 to /32."],
  ["10.1/16", "is a CIDR with a shortened address", 'Write "10.1.0.0/16".'],
  ["::ffff:0.0.0.0/90", "is wider than the IPv4-mapped addresses", 'Write the IPv4 CIDR itself, such as "0.0.0.0/0".'],
  [
    "fd00::1::2",
    "is not an IPv6 address",
    'A destination is a host name, "*." and a host name, an IP address, a CIDR or "*"; each may end in ":port" or ":from-to".',
  ],
  [
    "[10.0.0.1]:80",
    "has brackets around something that is not an IPv6 address",
    'A destination is a host name, "*." and a host name, an IP address, a CIDR or "*"; each may end in ":port" or ":from-to".',
  ],
  [
    "[fd00::1:80",
    "is not an IPv6 address",
    'A destination is a host name, "*." and a host name, an IP address, a CIDR or "*"; each may end in ":port" or ":from-to".',
  ],
];

export const invalidDestinations: InvalidConfig[] = destinations.map(([written, problem, note]) => ({
  title: `the destination ${JSON.stringify(written)}`,
  config: `{ "networks": { "NET": { "routes": {
  ${JSON.stringify(written)}: "localhost:1" } } } }`,
  expected: [
    `vpc.jsonc:2:3: error: the destination ${JSON.stringify(written)} ${problem} [invalid-destination]`,
    `    ${note}`,
  ],
}));
