/** A key that was pasted where something else is meant, mostly the name of a file, is described and never quoted. */

import { generateKeyPairSync } from "node:crypto";

import { describe, expect, test } from "vitest";

import { hideSecrets, looksLikeContents } from "../../plugin/read/hide-secrets.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { createFolder, networkBinding, serviceBinding } from "../setup/vpc-folder.ts";

const CLIENT = "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f";
const client = makeAuthority("Corp").issue("app");

const KEYS = [
  generateKeyPairSync("rsa", { modulusLength: 2048 }),
  generateKeyPairSync("ec", { namedCurve: "P-256" }),
  generateKeyPairSync("ed25519"),
].map(({ privateKey }) => privateKey);
const RSA_SEC = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ type: "pkcs1", format: "pem" });
const EC_SEC = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export({ type: "sec1", format: "pem" });
const PEMS = [...KEYS.map((key) => key.export({ type: "pkcs8", format: "pem" })), RSA_SEC, EC_SEC].map(String);

/** The lines between the armour of a PEM file. */
function bodyOf(pem: string): string {
  return pem.replaceAll(/-----.*-----\n/g, "");
}

/** Everything that a user may paste, and what it has of the key. */
const PASTED = PEMS.flatMap((pem) => {
  const der = bodyOf(pem).replaceAll("\n", "");
  const whole = Buffer.from(pem).toString("base64");
  return [
    pem,
    bodyOf(pem),
    der,
    whole,
    `base64:${der}`,
    `base64:${whole}`,
    `data:application/x-pem-file;base64,${whole}`,
    Buffer.from(der, "base64").toString("base64url"),
    Buffer.from(der, "base64").toString("hex"),
  ];
});

/** No part of a key is in the lines. The first characters are the same in all keys of a kind. */
function expectHidden(lines: string, pasted: string): void {
  const text = bodyOf(pasted).replaceAll("\n", "");
  for (let start = 40; start + 16 <= text.length; start += 16)
    expect(lines).not.toContain(text.slice(start, start + 16));
}

test("all forms of a key look like the contents of a file; names don't", () => {
  expect(PASTED.filter((pasted) => !looksLikeContents(pasted))).toEqual([]);
  for (const name of [
    "client.key",
    "./certs/client.key",
    "C:\\Users\\me\\client.key",
    `/home/${"a".repeat(100)}/client.key`,
    "Certificates/Production2/EuropeWest/TeamA/ServiceB/ClientC/KeysD/2026/client",
    `../${"Ab1".repeat(40)}/client.pem`,
    "a-name-in-lower-case-with-many-words-which-has-no-dot-but-is-longer-than-sixty-four",
  ])
    expect(looksLikeContents(name)).toBe(false);
  expect(looksLikeContents("é".repeat(128))).toBe(true);
  expect(looksLikeContents("folder/".repeat(200))).toBe(true);
});

test("what is no key stays as it is", () => {
  for (const text of [
    'the root certificate "./certs/corp.pem" does not exist',
    `Its full path is /tmp/vpc-AbC123/Some/Long/Folder/Names/That/Go/On/For/A/While/And/Have/No/Dots/client.key.`,
    `the service "e6a0817c-79c5-40ca-9776-a1c019defe70" has no "target"`,
    `the route "${"a".repeat(63)}.${"b".repeat(63)}.internal" is never reached`,
  ])
    expect(hideSecrets(text)).toBe(text);
});

/** Where it stands, and the first line of what is reported. */
const FIELDS: [field: string, config: (pasted: string) => object, text: string, example: string][] = [
  [
    "key",
    (key) => ({ certificates: { [CLIENT]: { cert: "client.pem", key } } }),
    `"key" is not the name of a file; it looks like the contents of one`,
    "./client.key",
  ],
  [
    "cert",
    (cert) => ({ certificates: { [CLIENT]: { cert, key: "client.key" } } }),
    `"cert" is not the name of a file; it looks like the contents of one`,
    "./client.pem",
  ],
  [
    "an authority",
    (ca) => ({ certificates: { [CLIENT]: { ca } } }),
    `"ca" is not the name of a file; it looks like the contents of one`,
    "./authority.pem",
  ],
  [
    "ca",
    (ca) => ({ ca: [ca] }),
    "the root certificate is not the name of a file; it looks like the contents of one",
    "./root.pem",
  ],
  [
    "ca of a network",
    (ca) => ({ networks: { NET: { ca: [ca] } } }),
    "the root certificate is not the name of a file; it looks like the contents of one",
    "./root.pem",
  ],
  [
    "compose",
    (compose) => ({ networks: { NET: { compose } } }),
    "the compose file is not the name of a file; it looks like the contents of one",
    "./compose.yaml",
  ],
  [
    "har",
    (har) => ({ services: { API: { har } } }),
    "the recording is not the name of a file; it looks like the contents of one",
    "./users.har",
  ],
  [
    "openapi",
    (name) => ({ services: { API: `openapi:${name}` } }),
    "the OpenAPI document is not the name of a file; it looks like the contents of one",
    "./users.yaml",
  ],
  [
    "the file of an answer",
    (file) => ({ services: { API: { respond: { file } } } }),
    "the file of the answer is not the name of a file; it looks like the contents of one",
    "./answer.json",
  ],
];

describe("in place of a name", () => {
  test.each(FIELDS)("in place of the name of a file: %s", async (_, configOf, text, example) => {
    await using vpc = await createFolder({ "client.pem": client.cert, "client.key": client.key });
    for (const pasted of PASTED) {
      const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API"), networkBinding("NET")])], {
        source: configOf(pasted),
      });
      expect(loaded.diagnostics).toContainEqual(
        expect.objectContaining({
          severity: "error",
          code: "invalid-value",
          text: expect.stringContaining(text) as string,
          notes: [`Save it in a file, and write the name of that file: "${example}".`],
        }),
      );
      // As JSON, nothing is cut.
      expectHidden(JSON.stringify([loaded.diagnostics, loaded.table, loaded.files]).replaceAll("\\n", ""), pasted);
    }
  });
});

const ELSEWHERE: [place: string, config: (pasted: string) => object][] = [
  ["the section", (certificates) => ({ certificates })],
  ["an id", (id) => ({ certificates: { [id]: { ca: "client.pem" } } })],
  ["an entry", (entry) => ({ certificates: { [CLIENT]: entry } })],
  ["a target", (target) => ({ services: { API: target } })],
  ["a socket", (socket) => ({ services: { API: `unix:${socket}` } })],
  ["a URL", (host) => ({ services: { API: `http://${host}` } })],
  ["a Worker", (name) => ({ services: { API: `worker:${name}` } })],
  [
    "an id of a record",
    (id) => ({ services: { API: { target: "localhost:1", tls_settings: { client_certificate: id } } } }),
  ],
  ["a key of the file", (key) => ({ [key]: 1 })],
];

describe("in place of anything else", () => {
  test.each(ELSEWHERE)("elsewhere: %s", async (_, configOf) => {
    await using vpc = await createFolder({ "client.pem": client.cert });
    for (const pasted of PASTED) {
      const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API"), networkBinding("NET")])], {
        source: configOf(pasted),
      });
      expect(loaded.diagnostics.map(({ severity }) => severity)).toContain("error");
      expectHidden(JSON.stringify(loaded.diagnostics).replaceAll("\\n", ""), pasted);
    }
  });

  test("in a file that is not JSON for it", async () => {
    for (const pasted of PASTED) {
      for (const text of [
        `{ "certificates": { "${CLIENT}": { "key": "${pasted}" } } }`,
        `{ "certificates": { "${CLIENT}": { "key": ${pasted} } } }`,
      ]) {
        await using vpc = await createFolder({ "vpc.jsonc": text });
        const { diagnostics } = await vpc.load([vpc.worker("app", [serviceBinding("API")])]);
        expect(diagnostics).not.toEqual([]);
        expectHidden(JSON.stringify(diagnostics).replaceAll("\\n", ""), pasted);
      }
    }
  });
});
