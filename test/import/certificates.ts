/** Imports of records with certificates, and with unknown fields: nothing is lost silently. */

import { SERVICE_ID, TUNNEL_ID } from "../setup/vpc-folder.ts";
import { type ImportCase, NEXT } from "./case.ts";

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
  `${authority}: warning: "certificate_authority" has no effect on this machine yet [certificate-without-effect]`,
  '    Name the PEM file of the authority in "ca": ["./authority.pem"], beside "tls_settings".',
  `${client}: warning: "client_certificate" has no effect on this machine yet [certificate-without-effect]`,
  '    No client certificate is sent. Use a target that works without one, or plain HTTP: "target": "http://localhost:3001".',
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
