/** What "certificates" says the ids in records are, and every mistake in it. */

import path from "node:path";

import { describe, expect, test } from "vitest";

import type { TlsPolicy } from "../../service-worker/routing/table.ts";
import { makeAuthority, selfSign } from "../servers/tls-certificates.ts";
import {
  SERVICE_ID,
  TUNNEL_ID,
  type VpcFolder,
  createFolder,
  networkBinding,
  serviceBinding,
} from "../setup/vpc-folder.ts";

const AUTHORITY = "5f2a7c1e-0b1d-4a8e-9f35-6f1c8a7d2b90";
const CLIENT = "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f";

const DAY = 24 * 60 * 60 * 1000;
const corp = makeAuthority("Corp");
const client = corp.issue("app");
const other = corp.issue("other");
const old = corp.issue("old", { notBefore: new Date(Date.now() - 3 * DAY), notAfter: new Date(Date.now() - DAY) });
const early = corp.issue("early", { notBefore: new Date(Date.now() + DAY), notAfter: new Date(Date.now() + 3 * DAY) });
const gone = selfSign("Gone", { notBefore: new Date(Date.now() - 3 * DAY), notAfter: new Date(Date.now() - DAY) });
const FILES = {
  "certs/early.pem": early.cert + early.key,
  "certs/gone.pem": gone.cert,
  "certs/corp.pem": corp.cert,
  "certs/client.pem": client.cert,
  "certs/client.key": client.key,
  "certs/both.pem": client.key + client.cert + corp.cert,
  "certs/reversed.pem": corp.cert + client.cert,
  "certs/other.key": other.key,
  "certs/old.pem": old.cert + old.key,
};

const HOST = `"host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } }`;
const TLS = `"tls_settings": { "cert_verification_mode": "verify_full", "certificate_authority": "${AUTHORITY}", "client_certificate": "${CLIENT}" }`;
const BOTH = `"certificates": { "${AUTHORITY}": { "ca": "certs/corp.pem" }, "${CLIENT.toUpperCase()}": { "cert": "./certs/client.pem", "key": "certs/client.key" } }`;

function inFolder(vpc: VpcFolder): TlsPolicy {
  const certs = path.join(vpc.folder, "certs");
  const files = { cert: path.join(certs, "client.pem"), key: path.join(certs, "client.key") };
  return { verify: "verify_full", ca: [], authority: path.join(certs, "corp.pem"), client: files };
}

describe("the certificates of a service", () => {
  test.each([
    ["a record with a target", `{ "name": "users", "type": "http", ${HOST}, ${TLS}, "target": "https://localhost:1" }`],
    ["a record that its network routes", `{ "name": "users", "type": "http", ${HOST}, ${TLS} }`],
    ["a service that is just a target", `{ "target": "localhost:1", ${TLS} }`],
    ["a tcp record", `{ "name": "users", "type": "tcp", "tcp_port": 1, ${HOST}, ${TLS} }`],
  ])("%s", async (_, entry) => {
    await using vpc = await createFolder({
      ...FILES,
      "vpc.jsonc": `{ ${BOTH}, "services": { "API": ${entry} }, "networks": { "NET": { "routes": { "users.internal": "localhost:1" } } } }`,
    });
    const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API"), networkBinding("NET")])]);
    expect(vpc.format(loaded)).toEqual([]);
    expect(loaded.table.bindings["app/API"]?.tls).toEqual(inFolder(vpc));
    // A call on the network is not one on the service.
    expect(loaded.table.bindings["app/NET"]?.tls).toEqual({ verify: "verify_full", ca: [] });
    const { files } = loaded;
    expect(files).toEqual(expect.arrayContaining(Object.values(inFolder(vpc).client ?? {})));
    expect(files).toContain(inFolder(vpc).authority);
  });

  test("null is none; one file can hold the certificate, its key and its issuer", async () => {
    await using vpc = await createFolder({
      ...FILES,
      "vpc.jsonc": `{
  "certificates": { "${CLIENT}": { "cert": "certs/both.pem", "key": "certs/both.pem" } },
  "services": {
    "A": { "target": "localhost:1", ${TLS.replace(`"${AUTHORITY}"`, "null")} },
    "B": { "target": "localhost:1", "tls_settings": { "cert_verification_mode": "disabled", "certificate_authority": null, "client_certificate": null } },
    "C": { "target": "localhost:1", "tls_settings": { "cert_verification_mode": "disabled", "client_certificate": "${CLIENT}" } } } }`,
    });
    const loaded = await vpc.load([
      vpc.worker(
        "app",
        ["A", "B", "C"].map((name) => serviceBinding(name, name)),
      ),
    ]);
    expect(vpc.format(loaded)).toEqual([]);
    const both = path.join(vpc.folder, "certs/both.pem");
    const presented = { cert: both, key: both };
    expect(["A", "B", "C"].map((name) => loaded.table.bindings[`app/${name}`]?.tls)).toEqual([
      { verify: "verify_full", ca: [], client: presented },
      { verify: "disabled", ca: [] },
      { verify: "disabled", ca: [], client: presented },
    ]);
  });
});

describe("a certificate that is missing", () => {
  const record = `"name": "users", "type": "http", ${HOST}`;
  test.each([
    ["is two warnings", `{ ${record}, ${TLS} }`, 2],
    ["with a ca beside it", `{ ${record}, ${TLS}, "ca": ["certs/corp.pem"] }`, 2],
    ["with a target that may speak TLS", `{ ${record}, ${TLS}, "target": "localhost:1" }`, 2],
    ["with a Unix socket", `{ ${record}, ${TLS}, "target": "unix:/tmp/s" }`, 2],
    ["with a recording of a target", `{ ${record}, ${TLS}, "target": { "har": "a.har", "target": "localhost:1" } }`, 2],
    ["with a plain HTTP port only", `{ ${record}, "http_port": 80, ${TLS}, "target": "localhost:1" }`, 0],
    [
      "with a plain HTTP port only, and a TLS target",
      `{ ${record}, "http_port": 80, ${TLS}, "target": "https://localhost:1" }`,
      2,
    ],
    ["with plain HTTP", `{ ${record}, ${TLS}, "target": "http://localhost:1" }`, 0],
    ["with a stand-in", `{ ${record}, ${TLS}, "target": { "respond": {} } }`, 0],
    [
      "in a tcp record, whose connections have no TLS of ours",
      `{ "name": "db", "type": "tcp", "tcp_port": 1, ${HOST}, ${TLS} }`,
      0,
    ],
  ])("%s", async (_, entry, count) => {
    const config = `{ "services": { "API": ${entry} }, "networks": { "${TUNNEL_ID}": {} } }`;
    await using vpc = await createFolder({ "vpc.jsonc": config, ...FILES });
    const { diagnostics, table } = await vpc.load([vpc.worker("app", [serviceBinding("API", SERVICE_ID)])]);
    expect(diagnostics.filter(({ code }) => code === "missing-certificate")).toHaveLength(count);
    expect(table.bindings["app/API"]?.tls).not.toHaveProperty("client");
    expect(table.bindings["app/API"]?.tls).not.toHaveProperty("authority");
  });

  test("that several services name is one warning, which names them", async () => {
    const entry = (id: string): string => `{ "target": "localhost:1",
    ${TLS.replaceAll(CLIENT, id)} }`;
    await using vpc = await createFolder({
      ...FILES,
      "vpc.jsonc": `{
  "certificates": { "${AUTHORITY}": { "ca": "certs/corp.pem" } },
  "services": { "A": ${entry(CLIENT)}, "B": ${entry(CLIENT.toUpperCase())}, "C": ${entry(CLIENT)} } }`,
    });
    const bindings = ["A", "B", "C"].map((name) => serviceBinding(name, name));
    const loaded = await vpc.load([vpc.worker("app", bindings)]);
    expect(vpc.format(loaded)).toEqual([
      `vpc.jsonc:4:129: warning: "client_certificate" of "A", "B", "C" is "${CLIENT}", which "certificates" doesn't have: no client certificate is presented [missing-certificate]`,
      `    Add "${CLIENT}": { "cert": "./client.pem", "key": "./client.key" } to "certificates".`,
    ]);
    for (const name of ["A", "B", "C"]) expect(loaded.table.bindings[`app/${name}`]?.tls?.missing).toHaveLength(1);
  });

  test("with a section that has others: the line to add", async () => {
    await using vpc = await createFolder({
      ...FILES,
      "vpc.jsonc": `{
  "certificates": { "${AUTHORITY}": { "ca": "certs/corp.pem" } },
  "services": { "API": { "target": "localhost:1",
    ${TLS} } } }`,
    });
    expect(vpc.format(await vpc.load([vpc.worker("app", [serviceBinding("API")])]))).toEqual([
      `vpc.jsonc:4:129: warning: "client_certificate" is "${CLIENT}", which "certificates" doesn't have: no client certificate is presented [missing-certificate]`,
      `    Add "${CLIENT}": { "cert": "./client.pem", "key": "./client.key" } to "certificates".`,
    ]);
  });
});

/** What is wrong with the entry of CLIENT, and how it is reported. */
const mistakes: [title: string, entry: string, expected: string[]][] = [
  [
    "not an object",
    `"certs/client.pem"`,
    [
      'vpc.jsonc:2:43: error: the certificate is "certs/client.pem", but must be an object [invalid-certificate]',
      '    Write { "cert": "./client.pem", "key": "./client.key" }, or { "ca": "./authority.pem" } for an authority.',
    ],
  ],
  [
    "nothing in it",
    `{}`,
    [
      'vpc.jsonc:2:3: error: the certificate has neither "ca" nor "cert" and "key" [invalid-certificate]',
      '    A client certificate is { "cert": "./client.pem", "key": "./client.key" }, and an authority is { "ca": "./authority.pem" }.',
    ],
  ],
  [
    "both kinds",
    `{ "ca": "certs/corp.pem", "cert": "certs/client.pem" }`,
    [
      'vpc.jsonc:2:3: error: "ca" cannot be used with "cert" and "key" [invalid-certificate]',
      '    A client certificate is { "cert": "./client.pem", "key": "./client.key" }, and an authority is { "ca": "./authority.pem" }.',
    ],
  ],
  [
    "no key",
    `{ "cert": "certs/client.pem" }`,
    [
      'vpc.jsonc:2:3: error: a client certificate lacks "key" [missing-field]',
      '    Add "key": the name of a PEM file.',
    ],
  ],
  [
    "a wrong field and a wrong value",
    `{ "cert": 1, "key": "certs/client.key", "passphrase": "x" }`,
    [
      'vpc.jsonc:2:53: error: "cert" is 1, but must be the name of a PEM file [invalid-value]',
      'vpc.jsonc:2:83: error: "passphrase" is not a field of a client certificate [unknown-field]',
      "    Valid fields: cert, key.",
    ],
  ],
  [
    "no such files",
    `{ "cert": "gone.pem", "key": "gone.key" }`,
    [
      'vpc.jsonc:2:53: error: the client certificate "gone.pem" does not exist [cert-not-found]',
      "    Its full path is FOLDER/gone.pem.",
      'vpc.jsonc:2:72: error: the private key "gone.key" does not exist [key-not-found]',
      "    Its full path is FOLDER/gone.key.",
    ],
  ],
  [
    "no such key",
    `{ "cert": "certs/client.pem", "key": "gone.key" }`,
    [
      'vpc.jsonc:2:80: error: the private key "gone.key" does not exist [key-not-found]',
      "    Its full path is FOLDER/gone.key.",
    ],
  ],
  [
    "the files the other way round",
    `{ "cert": "certs/client.key", "key": "certs/client.pem" }`,
    [
      'vpc.jsonc:2:53: error: the client certificate "certs/client.key" contains no certificate in PEM form [cert-invalid]',
      "    A PEM file has blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
      'vpc.jsonc:2:80: error: the private key "certs/client.pem" contains no private key in PEM form [key-invalid]',
      "    A PEM file has a block from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----.",
    ],
  ],
  [
    "another's key",
    `{ "cert": "certs/client.pem", "key": "certs/other.key" }`,
    [
      'vpc.jsonc:2:80: error: the private key "certs/other.key" is not the key of the certificate "app" in FOLDER/certs/client.pem [key-mismatch]',
      "    Name the key that the certificate was issued for.",
    ],
  ],
  [
    "the issuer's certificate first",
    `{ "cert": "certs/reversed.pem", "key": "certs/client.key" }`,
    [
      'vpc.jsonc:2:82: error: the private key "certs/client.key" is not the key of the certificate "Corp" in FOLDER/certs/reversed.pem [key-mismatch]',
      "    It is the key of a later certificate of that file. Put that one first.",
    ],
  ],
  [
    "expired",
    `{ "cert": "certs/old.pem", "key": "certs/old.pem" }`,
    [
      expect.stringMatching(
        /^vpc\.jsonc:2:53: warning: the client certificate "certs\/old\.pem" expired on \w{3} .* GMT \[certificate-expired\]$/,
      ) as string,
      "    A target that checks it refuses it. Renew it.",
    ],
  ],
  [
    "not valid yet",
    `{ "cert": "certs/early.pem", "key": "certs/early.pem" }`,
    [
      expect.stringMatching(
        /^vpc\.jsonc:2:53: warning: the client certificate "certs\/early\.pem" isn't valid before \w{3} .* GMT \[certificate-not-yet-valid\]$/,
      ) as string,
      "    A target that checks it refuses it until then. Check this machine's clock.",
    ],
  ],
  [
    "an authority, for a client certificate",
    `{ "ca": "certs/corp.pem" }`,
    [
      `vpc.jsonc:4:5: error: "client_certificate" is "${CLIENT}", which is an authority on line 2 [wrong-certificate]`,
      `    Write "${CLIENT}": { "cert": "./client.pem", "key": "./client.key" }.`,
    ],
  ],
  [
    "an authority without a certificate",
    `{ "ca": "certs/client.key" }`,
    [
      'vpc.jsonc:2:51: error: the authority "certs/client.key" contains no certificate in PEM form [ca-invalid]',
      "    A PEM file has blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
    ],
  ],
];

test.each(mistakes)("a mistake: %s", async (_, entry, expected) => {
  await using vpc = await createFolder({
    ...FILES,
    "vpc.jsonc": `{ "certificates": {
  "${CLIENT}": ${entry} },
  "services": { "API": { "target": "localhost:1", "tls_settings": { "cert_verification_mode": "verify_full",
    "client_certificate": "${CLIENT}" } } } }`,
  });
  expect(vpc.format(await vpc.load([vpc.worker("app", [serviceBinding("API")])]))).toEqual(expected);
});

test("an authority that has expired", async () => {
  await using vpc = await createFolder({
    ...FILES,
    "vpc.jsonc": `{ "certificates": { "${AUTHORITY}": { "ca": "certs/gone.pem" } },
  "services": { "API": { "target": "localhost:1",
    "tls_settings": { "cert_verification_mode": "verify_full", "certificate_authority": "${AUTHORITY}" } } } }`,
  });
  expect(vpc.format(await vpc.load([vpc.worker("app", [serviceBinding("API")])]))).toEqual([
    expect.stringMatching(/: warning: the authority "certs\/gone\.pem" expired on .* GMT \[certificate-expired\]$/),
    "    No target's certificate is accepted with it. Renew it.",
  ]);
});

test("ids that are no uuids, or stand there twice, and a mode that doesn't exist", async () => {
  await using vpc = await createFolder({
    ...FILES,
    "vpc.jsonc": `{
  "trust": "strict",
  "certificates": { "corp": { "ca": "certs/corp.pem" },
    "${AUTHORITY}": { "ca": "certs/corp.pem" },
    "${AUTHORITY.toUpperCase()}": { "ca": "certs/corp.pem" } } }`,
  });
  expect(vpc.format(await vpc.load([vpc.worker("app", [serviceBinding("API")])])).slice(0, 5)).toEqual([
    expect.stringMatching(/no-entry/),
    expect.any(String),
    'vpc.jsonc:2:12: error: "trust" is "strict", but must be "local" or "production" [invalid-value]',
    'vpc.jsonc:3:21: error: the key "corp" of "certificates" must be a uuid [invalid-certificate-id]',
    '    Write the id that "certificate_authority" or "client_certificate" of a record has.',
  ]);
});
