/** Imports of records with certificates, and with unknown fields: nothing is lost silently. */

import { SERVICE_ID, TUNNEL_ID } from "../setup/vpc-folder.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { type ImportCase, NEXT } from "./case.ts";

const root = makeAuthority("Corp");
const client = root.issue("app");

const AUTHORITY = "5f2a7c1e-0b1d-4a8e-9f35-6f1c8a7d2b90";
const CLIENT = "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f";

const RECORD = {
  service_id: SERVICE_ID,
  name: "users",
  type: "http",
  host: { hostname: "users.internal", resolver_network: { tunnel_id: TUNNEL_ID } },
  tls_settings: {
    cert_verification_mode: "verify_ca",
    certificate_authority: AUTHORITY,
    client_certificate: CLIENT,
  },
};

const written = (tls: string): string => `{
  "$schema": "./node_modules/miniflare-vpc/vpc.schema.json",
  "services": {
    "${SERVICE_ID}": {
      "name": "users",
      "type": "http",
      "host": {
        "hostname": "users.internal",
        "resolver_network": { "tunnel_id": "${TUNNEL_ID}" }
      },
      "tls_settings": ${tls}
    }
  }
}
`;
const BOTH = `{
        "cert_verification_mode": "verify_ca",
        "certificate_authority": "${AUTHORITY}",
        "client_certificate": "${CLIENT}"
      }`;
const ADDED = ["vpc.jsonc: 1 service written", `    added    "${SERVICE_ID}"  users`, ...NEXT];

const warnings = (authority: string, client: string): string[] => [
  `${authority}: warning: "certificate_authority" is "${AUTHORITY}", which "certificates" doesn't have [missing-certificate]`,
  `    Say what it is on this machine: add "${AUTHORITY}": { "ca": "./authority.pem" } to "certificates" in vpc.jsonc.`,
  `${client}: warning: "client_certificate" is "${CLIENT}", which "certificates" doesn't have [missing-certificate]`,
  `    Say what it is on this machine: add "${CLIENT}": { "cert": "./client.pem", "key": "./client.key" } to "certificates" in vpc.jsonc.`,
];
const unknown = (place: string, what: string): string[] => [
  `${place}: warning: ${what} is unknown, so it was not imported [field-not-imported]`,
  "    A newer version of miniflare-vpc may support it.",
];

const HEAD = `✅ Retrieved VPC service: ${SERVICE_ID}
   Name: users
   Type: http
`;
const TAIL = `   Hostname: users.internal
   Tunnel ID: ${TUNNEL_ID}
   Created: 9/23/2025, 2:01:28 PM
   Modified: 9/23/2025, 2:01:28 PM
`;

export const CERTIFICATE_FILES: ImportCase[] = [
  {
    title: "certificates: the API, and an unknown field",
    files: { "users.json": JSON.stringify({ ...RECORD, color: "blue", shape: null }, undefined, 1) },
    expected: written(BOTH),
    out: ADDED,
    err: [...warnings("users.json:13:3", "users.json:14:3"), ...unknown("users.json:16:2", 'the field "color"')],
  },
  {
    title: "certificates: the API, and a config that has them already",
    files: { "users.json": JSON.stringify(RECORD), "corp.pem": root.cert, "client.pem": client.cert + client.key },
    args: "users.json",
    config: `{
  "services": {},
  "certificates": { "${AUTHORITY.toUpperCase()}": { "ca": "./corp.pem" }, "${CLIENT}": { "cert": "client.pem", "key": "client.pem" } }
}
`,
    expected: `{
  "services": {
    "${SERVICE_ID}": {
      "name": "users",
      "type": "http",
      "host": {
        "hostname": "users.internal",
        "resolver_network": { "tunnel_id": "${TUNNEL_ID}" }
      },
      "tls_settings": ${BOTH}
    }
  },
  "certificates": { "${AUTHORITY.toUpperCase()}": { "ca": "./corp.pem" }, "${CLIENT}": { "cert": "client.pem", "key": "client.pem" } }
}
`,
    out: ADDED,
  },
  {
    title: "certificates: the API, with a new client certificate for a record that is there",
    files: { "users.json": JSON.stringify(RECORD), "corp.pem": root.cert },
    args: "users.json",
    config: `{
  "services": {
    "${SERVICE_ID}": {
      "name": "users",
      "type": "http",
      "host": {
        "hostname": "users.internal",
        "resolver_network": { "tunnel_id": "${TUNNEL_ID}" }
      },
      "tls_settings": { "cert_verification_mode": "verify_ca", "certificate_authority": "${AUTHORITY}" },
      "target": "localhost:8443"
    }
  },
  "certificates": { "${AUTHORITY}": { "ca": "./corp.pem" } }
}
`,
    expected: `{
  "services": {
    "${SERVICE_ID}": {
      "name": "users",
      "type": "http",
      "host": {
        "hostname": "users.internal",
        "resolver_network": { "tunnel_id": "${TUNNEL_ID}" }
      },
      "tls_settings": { "cert_verification_mode": "verify_ca", "certificate_authority": "${AUTHORITY}", "client_certificate": "${CLIENT}" },
      "target": "localhost:8443"
    }
  },
  "certificates": { "${AUTHORITY}": { "ca": "./corp.pem" } }
}
`,
    out: [
      "vpc.jsonc: 1 service written",
      `    changed  "${SERVICE_ID}"  users`,
      `        tls_settings.client_certificate: "${CLIENT}"`,
    ],
    err: warnings("", "users.json:1:308").slice(2),
  },
  {
    title: "certificates: the API, without certificates",
    files: {
      "users.json": JSON.stringify({
        ...RECORD,
        tls_settings: { cert_verification_mode: "disabled", certificate_authority: null, client_certificate: null },
      }),
    },
    expected: written('{ "cert_verification_mode": "disabled" }'),
    out: ADDED,
  },
  {
    title: "certificates: wrangler, and an unknown line",
    files: {
      "get.txt": `${HEAD}   Cert Verification Mode: verify_ca
   Certificate Authority: ${AUTHORITY}
   Client Certificate: ${CLIENT}
   Color: blue
${TAIL}`,
    },
    expected: written(BOTH),
    out: ADDED,
    err: [...warnings("get.txt:1:1", "get.txt:1:1"), ...unknown("get.txt:7", '"Color"')],
  },
  ...[
    ["disabled", "None"],
    ["verify_full", "None (system trust store)"],
  ].map(([mode, none]) => ({
    title: `certificates: wrangler, without certificates, with ${mode}`,
    files: {
      "get.txt": `${HEAD}   Cert Verification Mode: ${mode}\n   Certificate Authority: ${none}\n   Client Certificate: None\n${TAIL}`,
    },
    expected: written(`{ "cert_verification_mode": "${mode}" }`),
    out: ADDED,
  })),
  {
    title: "certificates: Terraform, and an unknown argument",
    files: {
      "main.tf": `resource "cloudflare_connectivity_directory_service" "users" {
  account_id = var.account
  depends_on = [cloudflare_zero_trust_tunnel_cloudflared.main]
  service_id = "${SERVICE_ID}"
  name = "users"
  type = "http"
  host = { hostname = "users.internal", resolver_network = { tunnel_id = "${TUNNEL_ID}" } }
  tls_settings = {
    cert_verification_mode = "verify_ca"
    certificate_authority  = "${AUTHORITY}"
    client_certificate     = "${CLIENT}"
  }
  color = "blue"
  lifecycle { prevent_destroy = true }
}
`,
    },
    expected: written(BOTH),
    out: ADDED,
    err: [...warnings("main.tf:10:30", "main.tf:11:30"), ...unknown("main.tf:13:11", '"color" of "users"')],
  },
  {
    title: "certificates: Terraform's state",
    files: {
      "terraform.tfstate": JSON.stringify(
        {
          terraform_version: "1.9.0",
          resources: [
            {
              type: "cloudflare_connectivity_directory_service",
              name: "users",
              instances: [{ attributes: { ...RECORD, account_id: "023e", id: SERVICE_ID, created_at: "2026-01-01" } }],
            },
          ],
        },
        undefined,
        1,
      ),
    },
    expected: written(BOTH),
    out: ADDED,
    err: warnings("terraform.tfstate:21:8", "terraform.tfstate:22:8"),
  },
];
