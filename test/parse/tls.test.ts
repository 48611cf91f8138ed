/** The certificates that a binding accepts, from the vpc config. */

import path from "node:path";

import { expect, test } from "vitest";

import type { TlsPolicy } from "../../service-worker/routing/table.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { SERVICE_ID, TUNNEL_ID, createFolder, networkBinding, serviceBinding } from "../setup/vpc-folder.ts";

const MESH_ID = "cf1:network";
const HOST = `"host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } }`;
const { cert } = makeAuthority("Test root");
const FILES = { "all.pem": cert, "service.pem": cert, "network.pem": cert, "certs/other.pem": cert };

async function policiesOf(config: string): Promise<Record<string, TlsPolicy>> {
  await using vpc = await createFolder({ "vpc.jsonc": config, ...FILES });
  const bindings = [
    serviceBinding("API"),
    serviceBinding("SHORT", "another-id"),
    networkBinding("NET"),
    networkBinding("MESH", MESH_ID),
  ];
  const loaded = await vpc.load([vpc.worker("app", bindings)]);
  expect(vpc.format(loaded).filter((line) => line.includes("error"))).toEqual([]);
  return Object.fromEntries(
    Object.entries(loaded.table.bindings).flatMap(([key, binding]) =>
      "tls" in binding
        ? [[key, { ...binding.tls, ca: binding.tls.ca.map((file) => path.relative(vpc.folder, file)) }]]
        : [],
    ),
  );
}

test("by default every certificate is verified, with the roots at the top level", async () => {
  expect(
    await policiesOf(`{
  "ca": ["all.pem"],
  "services": { "${SERVICE_ID}": { "name": "users", "type": "http", ${HOST} }, "SHORT": "localhost:1" },
  "networks": { "${TUNNEL_ID}": {} }
}`),
  ).toEqual({
    "app/API": { verify: "verify_full", ca: ["all.pem"] },
    "app/SHORT": { verify: "verify_full", ca: ["all.pem"] },
    "app/NET": { verify: "verify_full", ca: ["all.pem"] },
    "app/MESH": { verify: "verify_full", ca: ["all.pem"] },
  });
});

test("a service has its record's mode, and its own roots plus its network's; cf1:network has the roots of all networks", async () => {
  expect(
    await policiesOf(`{
  "ca": ["all.pem"],
  "services": {
    "${SERVICE_ID}": { "name": "users", "type": "http", ${HOST}, "ca": ["service.pem", "all.pem"],
      "tls_settings": { "cert_verification_mode": "verify_ca" } },
    "SHORT": "localhost:1",
  },
  "networks": {
    "NET": { "ca": ["network.pem"], "tls_settings": { "cert_verification_mode": "disabled" } },
    "OTHER": { "ca": ["certs/other.pem"], "tls_settings": null },
    "${MESH_ID}": { "tls_settings": { "cert_verification_mode": "verify_ca" } },
  }
}`),
  ).toEqual({
    "app/API": { verify: "verify_ca", ca: ["all.pem", "service.pem", "network.pem"] },
    "app/SHORT": { verify: "verify_full", ca: ["all.pem"] },
    "app/NET": { verify: "disabled", ca: ["all.pem", "network.pem"] },
    "app/MESH": { verify: "verify_ca", ca: ["all.pem", "network.pem", path.join("certs", "other.pem")] },
  });
});

test("a service with its own target does not use the roots of its network", async () => {
  expect(
    await policiesOf(`{
  "services": { "${SERVICE_ID}": { "name": "users", "type": "http", ${HOST}, "ca": ["service.pem"], "target": "https://localhost:1" } },
  "networks": { "NET": { "ca": ["network.pem"] } }
}`),
  ).toMatchObject({ "app/API": { ca: ["service.pem"] }, "app/NET": { ca: ["network.pem"] } });
});

test("under production, no ca counts: of the config, an entry or a route", async () => {
  const tls = { verify: "verify_full", ca: [], trust: "production" };
  expect(
    await policiesOf(`{
  "trust": "production",
  "ca": ["all.pem"],
  "services": { "${SERVICE_ID}": { "name": "users", "type": "http", ${HOST}, "ca": ["service.pem"] } },
  "networks": { "NET": { "ca": ["network.pem"] } }
}`),
  ).toEqual({ "app/API": tls, "app/SHORT": tls, "app/NET": tls, "app/MESH": tls });

  await using vpc = await createFolder({
    ...FILES,
    "vpc.jsonc": `{ "trust": "production", "networks": { "NET": { "routes": {
      "a.internal": { "target": "a:1", "ca": ["all.pem"] },
      "b.internal": { "target": "b:1", "ca": ["all.pem"], "connectTimeout": 9 } } } } }`,
  });
  const { table } = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
  expect(table.networks[0]?.routes.map(({ settings }) => settings)).toEqual([
    undefined,
    { limits: { connectTimeout: 9 } },
  ]);
});

test("mistakes have their positions", async () => {
  await using vpc = await createFolder({
    "vpc.jsonc": `{
  "services": { "${SERVICE_ID}": { "name": "users", "type": "http", ${HOST}, "ca": ["gone.pem"], "target": "localhost:1" } },
  "networks": { "${TUNNEL_ID}": {
    "ca": [4, "vpc.jsonc"],
    "tls_settings": { "cert_verification_mode": "off" }
  } }
}`,
  });
  const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API"), networkBinding("NET")])]);
  expect(vpc.format(loaded)).toEqual([
    expect.stringMatching(
      /^vpc\.jsonc:2:\d+: error: the root certificate "gone\.pem" does not exist \[ca-not-found\]$/,
    ),
    "    Its full path is FOLDER/gone.pem.",
    'vpc.jsonc:4:12: error: "ca[0]" is 4, but must be a string [invalid-value]',
    'vpc.jsonc:4:15: error: the root certificate "vpc.jsonc" contains no certificate in PEM form [ca-invalid]',
    "    A PEM file has blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
    'vpc.jsonc:5:49: error: "cert_verification_mode" is "off", but must be "verify_full", "verify_ca" or "disabled" [invalid-value]',
  ]);
});
