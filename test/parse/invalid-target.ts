/** Invalid targets of routes and services, each with its exact message. */

import type { InvalidConfig } from "./invalid-case.ts";

const FORMS =
  'A target is "localhost:3000", "unix:path", "http://localhost:3000", "worker:NAME", "passthrough", "openapi:FILE", "har:FILE", { "respond": … } or { "deny": code }.';

/** A target, the problem and the note. */
const targets: [written: string, problem: string, note: string][] = [
  ["", "is empty", FORMS],
  ["localhost: 80", 'has the port " 80", which is not a number', FORMS],
  ["3001", "is a port without a host", 'Write "localhost:3001".'],
  [":3001", "is a port without a host", 'Write "localhost:3001".'],
  ["localhost:http", 'has the port "http", which is not a number', FORMS],
  ["localhost:", "has no port", FORMS],
  ["localhost:0", "has the port 0, which is not between 1 and 65535", FORMS],
  ["http://localhost:65536", "has the port 65536, which is not between 1 and 65535", FORMS],
  ["::1", "is an IPv6 address without brackets", `Write "[::1]" to keep the destination's port, or "[address]:port".`],
  [
    "fd00::1:3000",
    "is an IPv6 address without brackets",
    `Write "[fd00::1:3000]" to keep the destination's port, or "[address]:port".`,
  ],
  ["*.internal:80", "has a wildcard", "A target is one place. Use a wildcard in the destination."],
  [
    "http://localhost:3000/api",
    "has a path",
    'Write "http://localhost:3000": path, query and credentials come from the request.',
  ],
  [
    "http://localhost:3000?x=1",
    "has a query",
    'Write "http://localhost:3000": path, query and credentials come from the request.',
  ],
  [
    "http://localhost:3000/#top",
    "has a fragment",
    'Write "http://localhost:3000": path, query and credentials come from the request.',
  ],
  [
    "https://me:secret@localhost:3000/api?x#y",
    "has a user name and a path and a query and a fragment",
    'Write "https://localhost:3000": path, query and credentials come from the request.',
  ],
  ["http://", "is empty", FORMS],
  [
    "postgres://me:secret@localhost:5432/db",
    'has the scheme "postgres://"',
    'Write "localhost:5432": the only schemes of a URL are http:// and https://.',
  ],
  ["http:localhost", "is not a target", 'Did you mean "http://localhost"?'],
  ["http:/localhost:1", "is not a target", 'Did you mean "http://localhost:1"?'],
  ["http:///localhost:1", "is not a target", 'Did you mean "http://localhost:1"?'],
  ["unx:///run/app.sock", "is not a target", 'Did you mean "unix:/run/app.sock"?'],
  ["file:///x", 'has the scheme "file://"', FORMS],
  ["htp://localhost:3000", "is not a target", 'Did you mean "http://localhost:3000"?'],
  ["wroker:stand-in", "is not a target", 'Did you mean "worker:stand-in"?'],
  ["worker:", "has no Worker name", 'Write "worker:" followed by the "name" of a Worker of this session.'],
  ["worker://stand-in", "has no Worker name", 'Write "worker:" followed by the "name" of a Worker of this session.'],
  ["unix:", "has no socket path", 'Write "unix:" followed by the path of a socket.'],
];

export const invalidTargets: InvalidConfig[] = [
  ...targets.map(([written, problem, note]) => ({
    title: `the target ${JSON.stringify(written)}`,
    config: `{ "services": {
  "API": ${JSON.stringify(written)} } }`,
    expected: [
      `vpc.jsonc:2:10: error: the target ${JSON.stringify(written).replace(":secret@", ":…@")} ${problem} [invalid-target]`,
      `    ${note}`,
    ],
  })),
  {
    title: "a number",
    config: `{ "services": {
  "API": 3001 } }`,
    expected: [
      "vpc.jsonc:2:10: error: the target is 3001, which is not a target [invalid-target]",
      '    A port alone has no host; write "localhost:3001".',
    ],
  },
  {
    title: "a shorthand that passes through",
    config: `{ "services": {
  "API": "passthrough" } }`,
    expected: [
      'vpc.jsonc:2:10: error: "API" passes through, but a shorthand has no host to pass through to [passthrough-without-host]',
      `    Paste the service's record with its "host", and add "target": "passthrough" to it.`,
    ],
  },
  {
    title: "a misspelt passthrough",
    config: `{ "services": {
  "API": "pasthrough" } }`,
    expected: [
      'vpc.jsonc:2:10: warning: the target "pasthrough" is read as a host name [target-like-keyword]',
      '    Did you mean "passthrough"?',
    ],
  },
  ...["passthrough:8080", "https://passthrough", "http://pasthrough:80"].map((written) => ({
    title: `passthrough with more: ${written}`,
    config: `{ "networks": { "NET": { "routes": {
  "*:3": ${JSON.stringify(written)}
} } } }`,
    expected: [
      `vpc.jsonc:2:10: warning: the target ${JSON.stringify(written)} is read as a host name [target-like-keyword]`,
      '    Did you mean "passthrough"? It keeps the scheme and the port that the Worker asks for.',
    ],
  })),
  {
    title: "remote as a route",
    config: `{ "networks": { "NET": { "routes": {
  "users.internal": "remote"
} } } }`,
    expected: [
      'vpc.jsonc:2:21: error: the target "remote" can only be a whole service or network [invalid-target]',
      `    Write "remote" in place of the service's or network's entry.`,
    ],
  },
  {
    title: "an unknown code",
    config: `{ "services": {
  "API": { "deny": "dns_eror" } } }`,
    expected: [
      'vpc.jsonc:2:20: error: "deny" is "dns_eror", which is not an error code [unknown-error-code]',
      '    Did you mean "dns_error"?',
    ],
  },
  {
    title: "a code that resembles no other",
    config: `{ "services": {
  "API": { "deny": 403 } } }`,
    expected: [
      'vpc.jsonc:2:20: error: "deny" is 403, which is not an error code [unknown-error-code]',
      "    Valid codes: connection_refused, connection_terminated, connection_timeout, connection_limit_reached, destination_unavailable, destination_not_found, destination_ip_prohibited, destination_ip_unroutable, proxy_loop_detected, dns_error, dns_timeout, tls_protocol_error, tls_certificate_error, http_request_error, http_upgrade_failed, http_request_denied, http_protocol_error, http_response_incomplete, connection_read_timeout, connection_write_timeout, rate_limited, proxy_internal_error.",
    ],
  },
  {
    title: "a code with another field",
    config: `{ "services": {
  "API": { "deny": "dns_error", "reason": "closed" } } }`,
    expected: ['vpc.jsonc:2:33: error: "reason" is not a field of a target [unknown-field]', "    Valid fields: deny."],
  },
  {
    title: "an object without deny",
    config: `{ "networks": { "NET": { "routes": {
  "users.internal": { "denied": "dns_error" }
} } } }`,
    expected: [
      'vpc.jsonc:2:3: error: a route lacks "target" [missing-field]',
      '    Add "target": "localhost:3000".',
      'vpc.jsonc:2:23: error: "denied" is not a field of a route [unknown-field]',
      "    Valid fields: target, tls_settings, ca, connectTimeout, dnsTimeout, readTimeout, writeTimeout, connectionLimit, workerLimit, faults.",
    ],
  },
];
