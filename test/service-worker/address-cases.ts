/** `parseHost` and `parseEndpoint`: spellings of a destination and their normal form. */

import { isProblem, maskBytes, parseEndpoint, parseHost } from "../../service-worker/routing/address.ts";
import type { Case } from "../setup/case.ts";

const sameHost: [written: string, normal: string][] = [
  ["users.internal", "users.internal"],
  ["USERS.Internal", "users.internal"],
  ["users.internal.", "users.internal"],
  ["users.internal...", "users.internal"],
  ["users.internal\u3002\uff0e\uff61", "users.internal"],
  ["my_service", "my_service"],
  ["localhost", "localhost"],
  ["bücher.internal", "xn--bcher-kva.internal"],
  ["10.0.1.50", "10.0.1.50"],
  ["10.0.1.50.", "10.0.1.50"],
  ["10.1", "10.0.0.1"],
  ["167772161", "10.0.0.1"],
  ["0x0a000001", "10.0.0.1"],
  ["0x0a.0.0.1", "10.0.0.1"],
  ["012.0.0.1", "10.0.0.1"],
  ["１０.0.0.1", "10.0.0.1"],
  ["::1", "::1"],
  ["[::1]", "::1"],
  ["FD00:0:0:0:0:0:0:1", "fd00::1"],
  ["fd00:0:0:1:0:0:0:1", "fd00:0:0:1::1"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["::ffff:a00:1", "10.0.0.1"],
  ["0:0:0:0:0:ffff:0a00:0001", "10.0.0.1"],
  ["::10.0.0.1", "::a00:1"],
  ["64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
];

const notHosts: [written: string, problem: string][] = [
  ["", "is empty"],
  [".", "is not a host name or an IP address"],
  ["a b", 'contains the character " "'],
  ["a\tb", 'contains the character "\\t"'],
  ["a/b", 'contains the character "/"'],
  ["user@host", 'contains the character "@"'],
  ["a?b", 'contains the character "?"'],
  ["a#b", 'contains the character "#"'],
  ["a\\b", 'contains the character "\\\\"'],
  ["10.0.0%2e1", 'contains the character "%"'],
  ["fe80::1%eth0", 'contains the character "%"'],
  ["a..b", "has an empty label"],
  [".internal", "has an empty label"],
  ["10.0.0.256", "is not a host name or an IP address"],
  ["1.2.3.4.5", "is not a host name or an IP address"],
  ["a:b", "is not an IPv6 address"],
  ["::10.0.0.1.", "is not an IPv6 address"],
  ["::ffff:010.0.0.1", "is not an IPv6 address"],
  ["::1]:80", "is not an IPv6 address"],
  ["[10.0.0.1]", "has brackets around something that is not an IPv6 address"],
  [`${"a".repeat(250)}.com`, "is 254 characters long; a name has at most 253"],
];

const endpoints: [written: string, result: string][] = [
  ["db.internal:5432", "db.internal 5432"],
  ["10.0.1.50:6379", "10.0.1.50 6379"],
  ["[fd00::1]:80", "fd00::1 80"],
  ["0x0a.1:80", "10.0.0.1 80"],
  ["db:1", "db 1"],
  ["db:65535", "db 65535"],
  ["db", "has no port"],
  ["db:", "has no port"],
  ["[fd00::1]", "has no port"],
  ["db:0", "has the port 0, which is not between 1 and 65535"],
  ["db:70000", "has the port 70000, which is not between 1 and 65535"],
  ["db:80x", 'has the port "80x", which is not a number'],
  ["db:-1", 'has the port "-1", which is not a number'],
  ["db:1e3", 'has the port "1e3", which is not a number'],
  [":80", "has a host that is empty"],
  ["fd00::1:80", "is an IPv6 address without brackets; write [address]:port"],
  ["user@db:80", 'has a host that contains the character "@"'],
  ["http://db:80", "is an IPv6 address without brackets; write [address]:port"],
];

const masks: [bytes: number[], prefix: number, masked: number[]][] = [
  [[10, 255, 255, 255], 8, [10, 0, 0, 0]],
  [[10, 255, 255, 255], 9, [10, 128, 0, 0]],
  [[10, 1, 2, 3], 32, [10, 1, 2, 3]],
  [[10, 1, 2, 3], 0, [0, 0, 0, 0]],
  [[10, 1, 2, 3], 31, [10, 1, 2, 2]],
];

export const addressCases: Case[] = [
  ...sameHost.map(([written, normal]) => ({
    title: `host ${JSON.stringify(written)} is ${normal}`,
    actual: () => hostText(written),
    expected: normal,
  })),
  ...notHosts.map(([written, problem]) => ({
    title: `host ${JSON.stringify(written.slice(0, 20))} ${problem}`,
    actual: () => parseHost(written),
    expected: { problem },
  })),
  ...endpoints.map(([written, result]) => ({
    title: `endpoint ${written}: ${result}`,
    actual: () => endpointText(written),
    expected: result,
  })),
  ...masks.map(([bytes, prefix, masked]) => ({
    title: `${bytes.join(".")} masked to /${prefix}`,
    actual: () => maskBytes(bytes, prefix),
    expected: masked,
  })),
];

function hostText(written: string): string {
  const host = parseHost(written);
  return isProblem(host) ? host.problem : host.text;
}

function endpointText(written: string): string {
  const endpoint = parseEndpoint(written);
  return isProblem(endpoint) ? endpoint.problem : `${endpoint.host.text} ${endpoint.port}`;
}
