/** Configs that are refused, each with the exact text a developer reads. Fields and types. */

import { expect } from "vitest";

import type { InvalidConfig } from "./invalid-config.ts";

export const invalidShape: InvalidConfig[] = [
  {
    title: "a config that is no object",
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
      "    Its fields are tunnel_id.",
      'vpc.jsonc:3:113: error: "zzzzzzzzzz" is not a field of "host" [unknown-field]',
      "    Its fields are ipv4, ipv6, hostname, network, resolver_network.",
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
      '    Write { "limit": 100, "period": 60 }: calls, and seconds.',
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
      "    It was looked for at FOLDER/missing.pem.",
      'vpc.jsonc:1:25: error: the root certificate "." is not a file [ca-not-found]',
      "    It was looked for at FOLDER.",
    ],
  },
  {
    title: "root certificates that are none, one of the wrong type, and one that does not exist",
    config: '{ "ca": ["vpc.jsonc", 5, "missing.pem"] }',
    expected: [
      'vpc.jsonc:1:10: error: the root certificate "vpc.jsonc" holds no certificate in PEM form [ca-invalid]',
      "    A PEM file has blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
      'vpc.jsonc:1:23: error: "ca[1]" is 5, but must be a string [invalid-value]',
      'vpc.jsonc:1:26: error: the root certificate "missing.pem" does not exist [ca-not-found]',
      "    It was looked for at FOLDER/missing.pem.",
    ],
  },
  {
    title: "a root certificate with damage",
    config: `{ // -----BEGIN CERTIFICATE-----
MIIB
// -----END CERTIFICATE-----
"ca": ["vpc.jsonc"] }`.replace("MIIB", "// MIIB"),
    expected: [
      expect.stringMatching(
        /^vpc\.jsonc:4:8: error: the root certificate "vpc\.jsonc" holds a certificate that can't be read: .* \[ca-invalid\]$/,
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
    title: "a target with settings that are none",
    config: `{ "services": {
  "API": { "target": "localhost:3001", "readTimout": 5, "name": "api" },
  "DB": { "target": 5432, "readTimeout": "5s" } } }`,
    expected: [
      'vpc.jsonc:2:40: error: "readTimout" is not a field of a service that is just a target [unknown-field]',
      '    Did you mean "readTimeout"?',
      "vpc.jsonc:3:21: error: the target is 5432, which is no target [invalid-target]",
      '    A port alone has no host; write "localhost:5432".',
      'vpc.jsonc:3:42: error: "readTimeout" is "5s", but must be a whole number of milliseconds from 1 to 300000 [invalid-value]',
    ],
  },
  {
    title: "whole answers of the API",
    config: `{ "services": {
  "API": { "success": true, "errors": [], "result": { "name": "api", "type": "http" } },
  "DB": { "success": true, "result": [{ "name": "db", "type": "tcp" }] } } }`,
    expected: [
      'vpc.jsonc:2:10: error: the service "API" is a whole answer of the API, not a record [wrapped-service]',
      '    Paste what stands under its "result".',
      'vpc.jsonc:3:9: error: the service "DB" is a whole answer of the API, not a record [wrapped-service]',
      '    Paste one of the records under its "result".',
    ],
  },
  {
    title: "an entry that is a number",
    config: '{ "services": { "API": 3001 }, "networks": { "NET": 3001 } }',
    expected: [
      "vpc.jsonc:1:24: error: the target is 3001, which is no target [invalid-target]",
      '    A port alone has no host; write "localhost:3001".',
      'vpc.jsonc:1:53: error: the network "NET" is 3001, but must be an object or "remote" [invalid-network]',
      '    Write { "routes": { "users.internal": "localhost:3000" } }.',
    ],
  },
  {
    title: "an entry that is null, a list, an empty object",
    config: '{ "services": { "API": null, "DB": [], "C": {} } }',
    expected: [
      "vpc.jsonc:1:24: error: the target is null, which is no target [invalid-target]",
      '    A target is "localhost:3000", "unix:path", "http://localhost:3000", "worker:NAME", "passthrough" or { "deny": code }.',
      "vpc.jsonc:1:36: error: the target is an array, which is no target [invalid-target]",
      '    A target is "localhost:3000", "unix:path", "http://localhost:3000", "worker:NAME", "passthrough" or { "deny": code }.',
      'vpc.jsonc:1:40: error: a service lacks "name" [missing-field]',
      '    Add "name": a string.',
      'vpc.jsonc:1:40: error: a service lacks "type" [missing-field]',
      '    Add "type": "http" or "tcp".',
      'vpc.jsonc:1:40: error: a service lacks "host" [missing-field]',
      '    Add "host": an object.',
    ],
  },
  {
    title: "ids that differ in case only",
    config: `{ "services": {
  "e6a0817c-79c5-40ca-9776-a1c019defe70": "localhost:1",
  "E6A0817C-79C5-40CA-9776-A1C019DEFE70": "localhost:2" } }`,
    expected: [
      'vpc.jsonc:3:3: error: "E6A0817C-79C5-40CA-9776-A1C019DEFE70" has the same id as the entry on line 2 [duplicate-entry]',
      "    The case of an id does not matter; remove one of them.",
    ],
  },
];
