/** Routes that conflict with each other, each with the exact message. */

import type { InvalidConfig } from "./invalid-case.ts";

export const invalidPairs: InvalidConfig[] = [
  {
    title: "case and dots",
    config: `{ "networks": { "NET": { "routes": {
  "users.internal": "localhost:1",
  "USERS.internal.": "localhost:2"
} } } }`,
    expected: [
      'vpc.jsonc:3:3: error: "USERS.internal." is the same destination as "users.internal" on line 2 [duplicate-destination]',
      "    Both are users.internal; remove one of them.",
    ],
  },
  {
    title: "wildcards",
    config: `{ "networks": { "NET": { "routes": {
  "*.internal:80": "localhost:1",
  "*.INTERNAL:80-80": "localhost:2"
} } } }`,
    expected: [
      'vpc.jsonc:3:3: error: "*.INTERNAL:80-80" is the same destination as "*.internal:80" on line 2 [duplicate-destination]',
      "    Both are *.internal:80; remove one of them.",
    ],
  },
  {
    title: "spellings of an address",
    config: `{ "networks": { "NET": { "routes": {
  "10.0.0.1": "localhost:1",
  "10.0.0.1/32": "localhost:2",
  "::ffff:10.0.0.1": "localhost:3",
  "0x0a.1": "localhost:4"
} } } }`,
    expected: [
      'vpc.jsonc:3:3: error: "10.0.0.1/32" is the same destination as "10.0.0.1" on line 2 [duplicate-destination]',
      "    Both are 10.0.0.1; remove one of them.",
      'vpc.jsonc:4:3: error: "::ffff:10.0.0.1" is the same destination as "10.0.0.1" on line 2 [duplicate-destination]',
      "    Both are 10.0.0.1; remove one of them.",
      'vpc.jsonc:5:3: error: "0x0a.1" is the same destination as "10.0.0.1" on line 2 [duplicate-destination]',
      "    Both are 10.0.0.1; remove one of them.",
    ],
  },
  {
    title: "spellings of IPv6",
    config: `{ "networks": { "NET": { "routes": {
  "fd00::1": "localhost:1",
  "[fd00:0:0::1]": "localhost:2",
  "FD00::0:1/128": "localhost:3"
} } } }`,
    expected: [
      'vpc.jsonc:3:3: error: "[fd00:0:0::1]" is the same destination as "fd00::1" on line 2 [duplicate-destination]',
      "    Both are fd00::1; remove one of them.",
      'vpc.jsonc:4:3: error: "FD00::0:1/128" is the same destination as "fd00::1" on line 2 [duplicate-destination]',
      "    Both are fd00::1; remove one of them.",
    ],
  },
  {
    title: "mapped CIDRs",
    config: `{ "networks": { "NET": { "routes": {
  "10.0.0.0/8:80": "localhost:1",
  "[::ffff:10.0.0.0/104]:80": "localhost:2"
} } } }`,
    expected: [
      'vpc.jsonc:3:3: error: "[::ffff:10.0.0.0/104]:80" is the same destination as "10.0.0.0/8:80" on line 2 [duplicate-destination]',
      "    Both are 10.0.0.0/8:80; remove one of them.",
    ],
  },
  {
    title: "an invalid target does not hide a conflict",
    config: `{ "networks": { "NET": { "routes": {
  "users.internal": "",
  "users.internal.": "localhost:2"
} } } }`,
    expected: [
      'vpc.jsonc:2:21: error: the target "" is empty [invalid-target]',
      '    A target is "localhost:3000", "unix:path", "http://localhost:3000", "worker:NAME", "passthrough", "openapi:FILE", "har:FILE", { "respond": … } or { "deny": code }.',
      'vpc.jsonc:3:3: error: "users.internal." is the same destination as "users.internal" on line 2 [duplicate-destination]',
      "    Both are users.internal; remove one of them.",
    ],
  },
  {
    title: "ranges that partly overlap",
    config: `{ "networks": { "NET": { "routes": {
  "10.0.0.0/8:80-90": "localhost:1",
  "10.0.0.0/8:85-95": "localhost:2"
} } } }`,
    expected: [
      'vpc.jsonc:3:3: error: the ports of "10.0.0.0/8:85-95" overlap with those of "10.0.0.0/8:80-90" on line 2 [overlapping-ports]',
      "    Neither range is inside the other, so neither wins for :85-90. Split one of them.",
    ],
  },
  {
    title: "ranges that share one port, the higher range first",
    config: `{ "networks": { "NET": { "routes": {
  "a.internal:90-100": "localhost:1",
  "a.internal:80-90": "localhost:2"
} } } }`,
    expected: [
      'vpc.jsonc:3:3: error: the ports of "a.internal:80-90" overlap with those of "a.internal:90-100" on line 2 [overlapping-ports]',
      "    Neither range is inside the other, so neither wins for :90. Split one of them.",
    ],
  },
  {
    title: "an overlap inside a wider range",
    config: `{ "networks": { "NET": { "routes": {
  "a:1-1000": "x:1",
  "a:5-10": "x:2",
  "a:8-12": "x:3",
  "a": "x:4",
  "a:9": "x:5"
} } } }`,
    expected: [
      'vpc.jsonc:4:3: error: the ports of "a:8-12" overlap with those of "a:5-10" on line 3 [overlapping-ports]',
      "    Neither range is inside the other, so neither wins for :8-10. Split one of them.",
    ],
  },
];
