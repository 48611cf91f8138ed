/** Invalid fields and types, each with its exact message. */

import { expect } from "vitest";

import type { InvalidConfig } from "./invalid-case.ts";

export const invalidShape: InvalidConfig[] = [
  {
    title: "a config that is not an object",
    config: "[]",
    expected: [
      "vpc.jsonc:1:1: error: the vpc config is an array, but must be an object [invalid-config]",
      '    Write { "services": { … }, "networks": { … } }.',
    ],
  },
  {
    title: "unknown fields at every level",
    config: `{ "service": {}, "networks": { "NET": { "route": {} } }, "services": { "API": {
  "name": "api", "type": "http", "htp_port": 1,
  "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000", "tunel": 1 }, "zzzzzzzzzz": 1 } } } }`,
    expected: [
      'vpc.jsonc:1:3: error: "service" is not a field of the vpc config [unknown-field]',
      '    Did you mean "services"?',
      'vpc.jsonc:1:41: error: "route" is not a field of a network [unknown-field]',
      '    Did you mean "routes"?',
      'vpc.jsonc:2:34: error: "htp_port" is not a field of a service [unknown-field]',
      '    Did you mean "http_port"?',
      'vpc.jsonc:3:99: error: "tunel" is not a field of "network" [unknown-field]',
      "    Valid fields: tunnel_id.",
      'vpc.jsonc:3:113: error: "zzzzzzzzzz" is not a field of "host" [unknown-field]',
      "    Valid fields: ipv4, ipv6, hostname, network, resolver_network.",
    ],
  },
  {
    title: "sections of the wrong type",
    config: '{ "services": [], "networks": "remote" }',
    expected: [
      'vpc.jsonc:1:15: error: "services" is an array, but must be an object [invalid-value]',
      'vpc.jsonc:1:31: error: "networks" is "remote", but must be an object [invalid-value]',
    ],
  },
  {
    title: "arrays where objects belong",
    config: '{ "rateLimit": [], "networks": { "NET": { "tls_settings": [1] } } }',
    expected: [
      'vpc.jsonc:1:16: error: "rateLimit" is an array, but must be an object [invalid-value]',
      '    Write { "limit": 100, "period": 60 }. The period is in seconds.',
      'vpc.jsonc:1:59: error: "tls_settings" is an array, but must be an object [invalid-value]',
    ],
  },
  {
    title: "settings of the wrong type, all at once",
    config: `{
  "connectTimeout": "5s",
  "workerLimit": 0.5,
  "traffic": "yes",
  "ca": "root.pem",
  "$schema": 1 }`,
    expected: [
      'vpc.jsonc:2:21: error: "connectTimeout" is "5s", but must be a whole number of milliseconds from 1 to 300000 [invalid-value]',
      'vpc.jsonc:3:18: error: "workerLimit" is 0.5, but must be a whole number of calls of at least 1 [invalid-value]',
      'vpc.jsonc:4:14: error: "traffic" is "yes", but must be true or false [invalid-value]',
      'vpc.jsonc:5:9: error: "ca" is "root.pem", but must be an array of file names [invalid-value]',
      'vpc.jsonc:6:14: error: "$schema" is 1, but must be a string [invalid-value]',
    ],
  },
  {
    title: "settings out of range",
    config: `{ "connectTimeout": 0,
  "workerLimit": -1,
  "ca": ["", 5] }`,
    expected: [
      'vpc.jsonc:1:21: error: "connectTimeout" is 0, but must be a whole number of milliseconds from 1 to 300000 [invalid-value]',
      'vpc.jsonc:2:18: error: "workerLimit" is -1, but must be a whole number of calls of at least 1 [invalid-value]',
      'vpc.jsonc:3:10: error: "ca[0]" is "", but must be a string that is not empty [invalid-value]',
      'vpc.jsonc:3:14: error: "ca[1]" is 5, but must be a string [invalid-value]',
    ],
  },
  {
    title: "a timeout of more than five minutes",
    config: '{ "connectTimeout": 300001 }',
    expected: [
      'vpc.jsonc:1:21: error: "connectTimeout" is 300001, but must be a whole number of milliseconds from 1 to 300000 [invalid-value]',
    ],
  },
  {
    title: "a root certificate that does not exist, and one that is a folder",
    config: '{ "ca": ["missing.pem", "."] }',
    expected: [
      'vpc.jsonc:1:10: error: the root certificate "missing.pem" does not exist [ca-not-found]',
      "    Its full path is FOLDER/missing.pem.",
      'vpc.jsonc:1:25: error: the root certificate "." is not a file [ca-not-found]',
      "    Its full path is FOLDER.",
    ],
  },
  {
    title: "invalid root certificates, one of the wrong type, and one that does not exist",
    config: '{ "ca": ["vpc.jsonc", 5, "missing.pem"] }',
    expected: [
      'vpc.jsonc:1:10: error: the root certificate "vpc.jsonc" contains no certificate in PEM form [ca-invalid]',
      "    A PEM file has blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
      'vpc.jsonc:1:23: error: "ca[1]" is 5, but must be a string [invalid-value]',
      'vpc.jsonc:1:26: error: the root certificate "missing.pem" does not exist [ca-not-found]',
      "    Its full path is FOLDER/missing.pem.",
    ],
  },
  {
    title: "a damaged root certificate",
    config: `{ // -----BEGIN CERTIFICATE-----
MIIB
// -----END CERTIFICATE-----
"ca": ["vpc.jsonc"] }`.replace("MIIB", "// MIIB"),
    expected: [
      expect.stringMatching(
        /^vpc\.jsonc:4:8: error: the root certificate "vpc\.jsonc" contains a certificate that can't be read: .* \[ca-invalid\]$/,
      ),
      "    A PEM file has blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
    ],
  },
  {
    title: 'routes beside "routes"',
    config: `{ "networks": { "NET": {
  "users.internal": "localhost:1",
  "nmae": "office",
  "10.0.0.0/8": { "deny": "dns_error" } } } }`,
    expected: [
      'vpc.jsonc:2:3: error: "users.internal", "10.0.0.0/8" are routes, but not under "routes" [misplaced-route]',
      '    Write "routes": { "users.internal": … }.',
      'vpc.jsonc:3:3: error: "nmae" is not a field of a network [unknown-field]',
      '    Did you mean "name"?',
    ],
  },
  {
    title: "a target with unknown settings",
    config: `{ "services": {
  "API": { "target": "localhost:3001", "readTimout": 5, "name": "api" },
  "DB": { "target": 5432, "readTimeout": "5s" } } }`,
    expected: [
      'vpc.jsonc:2:40: error: "readTimout" is not a field of a service that is just a target [unknown-field]',
      '    Did you mean "readTimeout"?',
      "vpc.jsonc:3:21: error: the target is 5432, which is not a target [invalid-target]",
      '    A port alone has no host; write "localhost:5432".',
      'vpc.jsonc:3:42: error: "readTimeout" is "5s", but must be a whole number of milliseconds from 1 to 300000 [invalid-value]',
    ],
  },
  {
    title: "whole API responses",
    config: `{ "services": {
  "API": { "success": true, "errors": [], "result": { "name": "api", "type": "http" } },
  "DB": { "success": true, "result": [{ "name": "db", "type": "tcp" }] } } }`,
    expected: [
      'vpc.jsonc:2:10: error: the service "API" is a whole API response, not a record [wrapped-service]',
      '    Paste the record under its "result".',
      'vpc.jsonc:3:9: error: the service "DB" is a whole API response, not a record [wrapped-service]',
      '    Paste one of the records under its "result".',
    ],
  },
  {
    title: "an entry that is a number",
    config: '{ "services": { "API": 3001 }, "networks": { "NET": 3001 } }',
    expected: [
      "vpc.jsonc:1:24: error: the target is 3001, which is not a target [invalid-target]",
      '    A port alone has no host; write "localhost:3001".',
      'vpc.jsonc:1:53: error: the network "NET" is 3001, but must be an object or "remote" [invalid-network]',
      '    Write { "routes": { "users.internal": "localhost:3000" } }.',
    ],
  },
  {
    title: "an entry that is null, a list, an empty object",
    config: '{ "services": { "API": null, "DB": [], "C": {} } }',
    expected: [
      "vpc.jsonc:1:24: error: the target is null, which is not a target [invalid-target]",
      '    A target is "localhost:3000", "unix:path", "http://localhost:3000", "worker:NAME", "passthrough", "openapi:FILE", "har:FILE", { "respond": … } or { "deny": code }.',
      "vpc.jsonc:1:36: error: the target is an array, which is not a target [invalid-target]",
      '    A target is "localhost:3000", "unix:path", "http://localhost:3000", "worker:NAME", "passthrough", "openapi:FILE", "har:FILE", { "respond": … } or { "deny": code }.',
      'vpc.jsonc:1:40: error: a service lacks "name" [missing-field]',
      '    Add "name": a string.',
      'vpc.jsonc:1:40: error: a service lacks "type" [missing-field]',
      '    Add "type": "http" or "tcp".',
      'vpc.jsonc:1:40: error: a service lacks "host" [missing-field]',
      '    Add "host": an object.',
    ],
  },
  {
    title: "ids that differ only in case",
    config: `{ "services": {
  "e6a0817c-79c5-40ca-9776-a1c019defe70": "localhost:1",
  "E6A0817C-79C5-40CA-9776-A1C019DEFE70": "localhost:2" } }`,
    expected: [
      'vpc.jsonc:3:3: error: "E6A0817C-79C5-40CA-9776-A1C019DEFE70" has the same id as the entry on line 2 [duplicate-entry]',
      "    Ids are case-insensitive; remove one of them.",
    ],
  },
  {
    title: "a page that is no page",
    config: '{\n"ui": "yes" }',
    expected: ['vpc.jsonc:2:7: error: "ui" is "yes", but must be true, false or { "port": 4400 } [invalid-value]'],
  },
  {
    title: "a page on no port",
    config: '{\n"ui": { "port": 0 } }',
    expected: ['vpc.jsonc:2:17: error: "port" is 0, but must be a whole number from 1 to 65535 [invalid-value]'],
  },
  {
    title: "a page with another field",
    config: '{\n"ui": { "prot": 4400 } }',
    expected: [
      'vpc.jsonc:2:1: error: "ui" lacks "port" [missing-field]',
      '    Add "port": a whole number from 1 to 65535.',
      'vpc.jsonc:2:9: error: "prot" is not a field of "ui" [unknown-field]',
      '    Did you mean "port"?',
    ],
  },
];
