/** Imports of wrangler's output. */

import { SERVICE_ID, TUNNEL_ID } from "../setup/vpc-folder.ts";
import { type ImportCase, NEXT } from "./case.ts";

const OTHER_ID = "0199295b-b3ac-7760-8246-bca40877b3e9";
const OTHER_TUNNEL = "0f3c8d4e-7b1a-4c57-9e58-2a6d1f0b9c33";

export const GET: string = `
 ⛅️ wrangler 4.164.0
────────────────────
🔍 Getting VPC service '${SERVICE_ID}'
✅ Retrieved VPC service: ${SERVICE_ID}
   Name: users-api
   Type: http
   HTTP Port: 8080
   HTTPS Port: 8443
   Cert Verification Mode: disabled
   Hostname: users.internal
   Tunnel ID: ${TUNNEL_ID}
   Resolver IPs: 10.0.0.53, fd00::53
   Created: 9/23/2025, 2:01:28 PM
   Modified: 9/23/2025, 2:01:28 PM
`;
const GET_TCP = `✅ Retrieved VPC service: ${OTHER_ID}
   Name: db: main
   Type: tcp
   TCP Port: 5432
   App Protocol: postgresql
   IPv4: 10.0.0.5
   IPv6: fd00::5
   Tunnel ID: ${OTHER_TUNNEL}
   Created: 9/23/2025, 2:01:28 PM
`;
export const list = (...rows: string[]): string => `📋 Listing VPC services
┌──┬──┐
│ \u001b[34mid\u001b[39m │ name │ type │ ports │ host │ tunnel │ created │ modified │
├──┼──┤
${rows.map((row) => `│ ${row} │ 1/1/2024, 12:00:00 AM │ 1/1/2024, 12:00:00 AM │`).join("\n├──┼──┤\n")}
└──┴──┘
`;

export const WRANGLER_FILES: ImportCase[] = [
  {
    title: "wrangler: get of two services in one file",
    files: { "get.txt": GET + GET_TCP },
    expected: `{
  "$schema": "./node_modules/miniflare-vpc/vpc.schema.json",
  "services": {
    "${SERVICE_ID}": {
      "name": "users-api",
      "type": "http",
      "http_port": 8080,
      "https_port": 8443,
      "host": {
        "hostname": "users.internal",
        "resolver_network": {
          "tunnel_id": "${TUNNEL_ID}",
          "resolver_ips": ["10.0.0.53", "fd00::53"]
        }
      },
      "tls_settings": { "cert_verification_mode": "disabled" }
    },
    "${OTHER_ID}": {
      "name": "db: main",
      "type": "tcp",
      "tcp_port": 5432,
      "app_protocol": "postgresql",
      "host": {
        "ipv4": "10.0.0.5",
        "ipv6": "fd00::5",
        "network": { "tunnel_id": "${OTHER_TUNNEL}" }
      }
    }
  }
}
`,
    out: [
      "vpc.jsonc: 2 services written",
      `    added    "${SERVICE_ID}"  users-api`,
      `    added    "${OTHER_ID}"  db: main`,
      ...NEXT,
    ],
  },
  {
    title: "wrangler: list, with tunnels from the wrangler config, from another file, and unknown",
    files: {
      "list.txt": list(
        `${SERVICE_ID} │ users │ http │ HTTP:80, HTTPS:443 │ users.internal │ 550e8400...`,
        `${OTHER_ID} │ db │ tcp │ TCP:5433 (mysql) │ 10.0.0.6 │ 0f3c8d4e...`,
        `00000000-0000-4000-8000-000000000000 │ lost │ http │  │ 10.0.0.5, fd00::5 │ 12345678...`,
      ),
      "get.txt": GET_TCP,
    },
    args: "list.txt get.txt",
    expected: `{
  "$schema": "./node_modules/miniflare-vpc/vpc.schema.json",
  "services": {
    "${SERVICE_ID}": {
      "name": "users",
      "type": "http",
      "http_port": 80,
      "https_port": 443,
      "host": {
        "hostname": "users.internal",
        "resolver_network": { "tunnel_id": "${TUNNEL_ID}" }
      }
    },
    "${OTHER_ID}": {
      "name": "db: main",
      "type": "tcp",
      "tcp_port": 5432,
      "app_protocol": "postgresql",
      "host": {
        "ipv4": "10.0.0.5",
        "ipv6": "fd00::5",
        "network": { "tunnel_id": "${OTHER_TUNNEL}" }
      }
    }
  }
}
`,
    out: [
      "vpc.jsonc: 2 services written",
      `    added    "${SERVICE_ID}"  users`,
      `    added    "${OTHER_ID}"  db: main`,
      ...NEXT,
    ],
    err: [
      'list.txt:9: error: "lost" uses the tunnel "12345678...": wrangler cuts the id, and no known id starts like that [tunnel-cut]',
      '    Import the output of "npx wrangler vpc service get 00000000-0000-4000-8000-000000000000", which shows the whole id.',
    ],
    exit: 1,
  },
  {
    title: "wrangler: list shows only a part of a record, so it removes no fields",
    files: { "list.txt": list(`${SERVICE_ID} │ users │ http │ HTTP:81 │ users.internal │ 550e8400...`) },
    config: `{ "services": { "${SERVICE_ID}": { "name": "users", "type": "http", "http_port": 80, "https_port": 443,
  "host": { "hostname": "u.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}", "resolver_ips": ["10.0.0.1"] } },
  "tls_settings": { "cert_verification_mode": "verify_ca" }, "target": "localhost:1" } } }`,
    expected: `{ "services": { "${SERVICE_ID}": { "name": "users", "type": "http", "http_port": 81, "https_port": 443,
  "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}", "resolver_ips": ["10.0.0.1"] } },
  "tls_settings": { "cert_verification_mode": "verify_ca" }, "target": "localhost:1" } } }`,
    out: [
      "vpc.jsonc: 1 service written",
      `    changed  "${SERVICE_ID}"  users`,
      "        http_port: 80 → 81",
      '        host.hostname: "u.internal" → "users.internal"',
    ],
  },
];
