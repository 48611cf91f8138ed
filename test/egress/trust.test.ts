/** Whose certificates count, with and without an authority of the record, and under "trust": "production". */

import { mkdtempSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";
import { pathToFileURL } from "node:url";

import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";

import type { EgressOrder } from "../../service-worker/routing/egress-protocol.ts";
import type { TlsPolicy } from "../../service-worker/routing/table.ts";
import { ok } from "../servers/http-origin.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { ask, httpTo } from "./ask.ts";

const HOST = "users.internal";
const folder = mkdtempSync(path.join(os.tmpdir(), "mvpc-trust-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const roots = {
  public: makeAuthority("A public CA"),
  extra: makeAuthority("NODE_EXTRA_CA_CERTS"),
  system: makeAuthority("This machine's own"),
  mkcert: makeAuthority("mkcert's"),
  ca: makeAuthority("The config's"),
  authority: makeAuthority("The record's"),
};
type Root = keyof typeof roots;

const fileOf = (name: Root): string => path.join(folder, `${name}.pem`);
await writeFile(fileOf("ca"), roots.ca.cert);
await writeFile(fileOf("authority"), roots.authority.cert);
const CAROOT = path.join(folder, "mkcert");
await mkdir(CAROOT);
await writeFile(path.join(CAROOT, "rootCA.pem"), roots.mkcert.cert);
// A process that is asked for the system's roots gets this one.
const preload = path.join(folder, "preload.mjs");
await writeFile(
  preload,
  `import tls from "node:tls";
   tls.getCACertificates = (type) => type === "system" ? ${JSON.stringify([roots.system.cert])} : [];`,
);

beforeEach(() => {
  vi.stubEnv("CAROOT", CAROOT);
  vi.stubEnv("NODE_OPTIONS", `--import=${pathToFileURL(preload).href}`);
  vi.spyOn(tls, "getCACertificates").mockImplementation((type) => {
    if (type !== "bundled" && type !== "extra") throw new Error(`the roots "${type}" were read in this process`);
    return [type === "bundled" ? roots.public.cert : roots.extra.cert];
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const authority = fileOf("authority");
const policies: [title: string, policy: Omit<TlsPolicy, "verify">, trusted: Root[], hint: RegExp][] = [
  ["by default", { ca: [fileOf("ca")] }, ["public", "extra", "system", "mkcert", "ca"], /in "ca" of the vpc config/],
  [
    "with an authority",
    { ca: [fileOf("ca")], authority },
    ["extra", "mkcert", "ca", "authority"],
    /^Put the PEM file of its root into .*authority\.pem, which stands for the "certificate_authority" of the record/,
  ],
  ["under production", { ca: [], trust: "production" }, ["public"], /whose record has a "certificate_authority"/],
  [
    "with an authority, under production",
    { ca: [], authority, trust: "production" },
    ["authority"],
    /^Put the PEM file of its root into .*authority\.pem/,
  ],
];

test.each(policies)("%s", async (_, policy, trusted, hint) => {
  const refused = { code: "tls_certificate_error", hint: expect.stringMatching(hint) as string };
  for (const name of Object.keys(roots) as Root[]) {
    await using origin = await startTlsOrigin({ ...roots[name].issue(HOST, { names: [HOST] }), answer: ok("done") });
    const expected = trusted.includes(name) ? { body: "done", failure: undefined } : { body: "", failure: refused };
    for (const verify of ["verify_full", "verify_ca"] as const) {
      const order = { ...httpTo(origin.port), tls: { hostName: HOST, verify, ...policy } };
      const answer = await ask({ order });
      expect({ name, ...answer }).toMatchObject({ name, ...expected });
      // With an authority of the record, "disabled" is refused.
      const isAdvised = answer.failure?.hint?.includes("disabled") ?? false;
      expect(isAdvised).toBe(answer.failure !== undefined && policy.authority === undefined);
    }
  }
});

test("nothing is checked with disabled, under production too", async () => {
  await using origin = await startTlsOrigin({ ...roots.ca.issue("another"), answer: ok("done") });
  const policy: TlsPolicy = { verify: "disabled", ca: [], trust: "production" };
  expect((await ask({ order: { ...httpTo(origin.port), tls: { hostName: HOST, ...policy } } })).body).toBe("done");
});

test("an authority whose file is broken by an edit, and then mended", async () => {
  const file = path.join(folder, "edited.pem");
  await using origin = await startTlsOrigin({
    ...roots.authority.issue(HOST, { names: [HOST] }),
    answer: ok("done"),
  });
  const order: EgressOrder = {
    ...httpTo(origin.port),
    tls: { hostName: HOST, verify: "verify_full", ca: [], authority: file },
  };
  await writeFile(file, "nothing");
  expect((await ask({ order })).failure).toMatchObject({
    code: "tls_certificate_error",
    detail: `the root certificate ${file} contains no certificate in PEM form`,
    hint: 'Restore it, or remove it from "certificates" in the vpc config.',
  });
  await writeFile(file, roots.authority.cert);
  await expect.poll(async () => (await ask({ order })).body).toBe("done");
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  await rm(file);
  await expect
    .poll(async () => [(await ask({ order })).body, warn.mock.calls])
    .toEqual([
      "done",
      [[`miniflare-vpc: the root certificate ${file} does not exist; what it held before stays in force.`]],
    ]);
});
