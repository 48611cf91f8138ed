/** One vpc config in JSONC, TOML and TypeScript, and the one table it becomes. */

import path from "node:path";
import { rootCertificates } from "node:tls";

import { expect, test } from "vitest";

import { TABLE_VERSION } from "../../service-worker/routing/table.ts";
import { SERVICE_ID, TUNNEL_ID, createFolder, networkBinding, serviceBinding } from "../setup/vpc-folder.ts";

const RESOLVER = `"resolver_network": { "tunnel_id": "${TUNNEL_ID}" }`;

const jsonc = `// The office, at home.
{
  "$schema": "./node_modules/miniflare-vpc/vpc.schema.json",
  "services": {
    "${SERVICE_ID}": { /* pasted */ "name": "users", "type": "http", "http_port": 8080,
      "host": { "hostname": "users.internal", ${RESOLVER} } },
  },
  "networks": { "${TUNNEL_ID}": { "routes": { "users.internal": "passthrough", "10.9.0.0/16": { "deny": "dns_error" },
      "own.internal": { "target": "localhost:1", "tls_settings": { "cert_verification_mode": "disabled" }, "ca": ["root.pem"], "readTimeout": 5 } },
    "resolver_ips": ["10.0.0.53:5353"], "readTimeout": 2000 } },
  "ca": ["./root.pem"], "connectTimeout": 1000, "workerLimit": 8, "traffic": false, "rateLimit": { "limit": 20 },
}`;
const toml = `
ca = ["./root.pem"]
connectTimeout = 1_000
workerLimit = 8
traffic = false
rateLimit = { limit = 20 }

[services.${SERVICE_ID}]
name = "users"
type = "http"
http_port = 8080
created_at = 2026-01-02T03:04:05Z
host.hostname = "users.internal"
host.resolver_network = { tunnel_id = "${TUNNEL_ID}" }

[networks."${TUNNEL_ID}"]
resolver_ips = ["10.0.0.53:5353"]
readTimeout = 2_000

[networks."${TUNNEL_ID}".routes]
"users.internal" = "passthrough"
"10.9.0.0/16" = { deny = "dns_error" }

[networks."${TUNNEL_ID}".routes."own.internal"]
target = "localhost:1"
ca = ["root.pem"]
readTimeout = 5
tls_settings.cert_verification_mode = "disabled"
`;
const module = `
import { defineVpcConfig } from "miniflare-vpc";
const own = { target: "localhost:1", tls_settings: { cert_verification_mode: "disabled" }, ca: ["root.pem"], readTimeout: 5 };
const tunnel = { tunnel_id: "${TUNNEL_ID}" };
export default defineVpcConfig({
  services: {
    "${SERVICE_ID}": {
      name: "users", type: "http", http_port: 8080, target: undefined,
      host: { hostname: "users.internal", resolver_network: tunnel },
    },
    LATER: undefined,
  },
  networks: { [tunnel.tunnel_id]: {
    routes: { "users.internal": "passthrough", "10.9.0.0/16": { deny: "dns_error" }, later: undefined, "own.internal": own },
    resolver_ips: ["10.0.0.53:5353"], readTimeout: 2000, writeTimeout: undefined } },
  ca: ["./root.pem"], connectTimeout: 1000, workerLimit: 8, traffic: false, rateLimit: { limit: 20, period: undefined },
})`;
const formats: [file: string, text: string][] = [
  ["vpc.jsonc", jsonc],
  ["vpc.jsonc", `\uFEFF${jsonc.replaceAll("\n", "\r\n")}`],
  ["vpc.json", jsonc],
  ["vpc.toml", toml],
  ["vpc.toml", toml.replaceAll("\n", "\r\n")],
  ["vpc.config.mjs", module],
  ["vpc.config.js", module],
  ["vpc.config.ts", `const unused: string = "";${module} as const;`.replace("}) as const", "} as const)")],
  ["vpc.config.mts", `type Unused = string;${module}`],
];

test.each(formats)("%s", async (file, text) => {
  await using vpc = await createFolder({ [file]: text, "root.pem": rootCertificates.slice(0, 2).join("\n") });
  const app = vpc.worker("app", [serviceBinding("USERS"), networkBinding("NET")]);
  const loaded = await vpc.load([app], { generation: 7 });
  expect(vpc.format(loaded)).toEqual([]);
  const base = {
    workerName: "app",
    configFile: path.join(vpc.folder, file),
    limits: {
      connectTimeout: 1000,
      dnsTimeout: 5000,
      readTimeout: 2000,
      rateLimit: { limit: 20, period: 60 },
      workerLimit: 8,
    },
    traffic: false,
  };
  const tls = { verify: "verify_full", ca: [path.join(vpc.folder, "root.pem")] };
  const anywhere: unknown = expect.stringMatching(/vpc\.[a-z.]+:\d+:\d+$/);
  expect(loaded.table).toEqual({
    version: TABLE_VERSION,
    generation: 7,
    bindings: {
      "app/USERS": {
        ...base,
        bindingName: "USERS",
        label: "USERS",
        kind: "service",
        tls,
        serviceId: SERVICE_ID,
        service: {
          type: "http",
          label: "users",
          origin: anywhere,
          hosts: ["users.internal"],
          httpPort: 8080,
          network: 0,
          networkId: TUNNEL_ID,
        },
      },
      "app/NET": {
        ...base,
        bindingName: "NET",
        label: "NET",
        kind: "network",
        tls,
        networkId: TUNNEL_ID,
        network: 0,
      },
    },
    networks: [
      {
        networkId: TUNNEL_ID,
        origin: anywhere,
        routes: [
          {
            text: "users.internal",
            match: { type: "name", name: "users.internal" },
            target: { type: "passthrough", resolvers: ["10.0.0.53:5353"] },
            origin: anywhere,
          },
          {
            text: "10.9.0.0/16",
            match: { type: "cidr", address: "10.9.0.0", prefix: 16 },
            target: { type: "deny", code: "dns_error" },
            origin: anywhere,
          },
          {
            text: "own.internal",
            match: { type: "name", name: "own.internal" },
            target: { type: "address", host: "localhost", port: 1 },
            settings: { verify: "disabled", ca: tls.ca, limits: { readTimeout: 5 } },
            origin: anywhere,
          },
        ],
      },
    ],
  });
  expect(loaded.files[0]).toBe(path.join(vpc.folder, file));
});
