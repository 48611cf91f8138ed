/** Client certificates at servers that people run: OpenSSL's own, and Debian's nginx. */

import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { VpcConfig } from "../../plugin/config.ts";
import { type Certified, makeAuthority } from "../servers/tls-certificates.ts";
import { callOnce, startShown } from "../ui/start-shown.ts";
import { type TestWorker, type VpcFetcher, startTestWorker } from "../setup/test-worker.ts";
import { startMutualNginx } from "./servers/nginx.ts";
import { startOpenssl } from "./servers/openssl.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "vpc-mutual-"));
afterAll(() => rm(folder, { recursive: true }));
beforeAll(() => {
  // This machine may have mkcert's root.
  process.env["CAROOT"] = path.join(folder, "no-mkcert");
});

const DAY = 24 * 60 * 60 * 1000;
const root = makeAuthority("Corp");
const server = root.issue("users", { names: ["users.internal"] });
const AUTHORITY = "5f2a7c1e-0b1d-4a8e-9f35-6f1c8a7d2b90";
const clients = {
  good: root.issue("good"),
  stranger: makeAuthority("Stranger").issue("stranger"),
  expired: root.issue("expired", { notBefore: new Date(Date.now() - 3 * DAY), notAfter: new Date(Date.now() - DAY) }),
};
const ids: Record<keyof typeof clients, string> = {
  good: "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f",
  stranger: "c1e5f4a3-0d9c-4e8b-9f70-2b3c4d5e6f70",
  expired: "d2f6a5b4-1e0d-4f9c-8a81-3c4d5e6f7081",
};
const BINDINGS = [...Object.keys(ids), "none"];

const save = (name: string, { cert, key }: Certified): Promise<void> =>
  writeFile(path.join(folder, `${name}.pem`), cert + key);
await writeFile(path.join(folder, "corp.pem"), root.cert);
for (const [name, client] of Object.entries(clients)) await save(name, client);

function configFor(port: number): VpcConfig {
  const files = Object.entries(ids).map(([name, id]) => {
    const file = path.join(folder, `${name}.pem`);
    return [id, { cert: file, key: file }] as const;
  });
  const services = BINDINGS.map((name) => [
    name,
    {
      target: `https://127.0.0.1:${port}`,
      tls_settings: {
        cert_verification_mode: "verify_full" as const,
        certificate_authority: AUTHORITY,
        client_certificate: name === "none" ? null : ids[name as keyof typeof ids],
      },
    },
  ]);
  return {
    certificates: { [AUTHORITY]: { ca: path.join(folder, "corp.pem") }, ...Object.fromEntries(files) },
    services: Object.fromEntries(services) as NonNullable<VpcConfig["services"]>,
  };
}

const env = Object.fromEntries(BINDINGS.map((name) => [name, { type: "vpc-service", id: name }]));

function start(port: number): Promise<TestWorker> {
  return startTestWorker<Record<string, VpcFetcher>>({
    config: configFor(port),
    env,
    ops: {
      get: async (bindings, name: string) => {
        const response = await bindings[name]!.fetch("https://users.internal/");
        return `${response.status} ${await response.text()}`;
      },
    },
  });
}

describe.each(["1.3", "1.2"] as const)("OpenSSL, TLS %s", (version) => {
  test("accepts the right certificate, and its alerts say what is wrong with another one", async () => {
    await using openssl = await startOpenssl({ server, clientRoot: root.cert, version });
    await using worker = await start(openssl.port);
    expect(await worker.call("get", "good")).toMatch(/^200 [^]*TLSv1\.[^]*CN ?= ?good/);
    for (const [name, reason] of [
      ["stranger", 'refuses the client certificate "stranger" of'],
      ["stranger", 'stranger.pem: it doesn\'t know its issuer "Stranger"'],
      ["expired", "expired.pem: it has expired, or isn't valid yet"],
      ["none", "the target requires a client certificate"],
    ] as const) {
      await expect(worker.call("get", name)).rejects.toThrow("ProxyError: tls_protocol_error");
      await expect.poll(() => worker.output()).toContain(reason);
    }
    expect(await worker.call("get", "good")).toMatch(/^200 /);
  });
});

describe("nginx", () => {
  test("sees each service's own certificate, and answers those that it refuses itself", async () => {
    await using nginx = await startMutualNginx({ server, clientRoot: root.cert });
    await using worker = await start(nginx.port);
    for (const _ of [1, 2]) {
      expect(await worker.call("get", "good")).toBe("200 SUCCESS CN=good");
      expect(await worker.call("get", "none")).toBe("200 NONE ");
      expect(await worker.call("get", "stranger")).toMatch(/^400 /);
    }
  });

  test("the command that the traffic page copies presents the certificate, too", async () => {
    await using nginx = await startMutualNginx({ server, clientRoot: root.cert });
    await using shown = await startShown(configFor(nginx.port), {
      API: { type: "vpc-service", id: "good" },
      NET: { type: "vpc-service", id: "none" },
    });
    await shown.open();
    const id = await callOnce(shown, "fetch", { binding: "API", url: "https://users.internal/" });
    const { json } = await shown.ask("GET", `api/calls/${id}/curl`);
    const { stdout } = await promisify(execFile)("sh", ["-c", json.text]);
    expect(stdout).toBe("SUCCESS CN=good");
  });
});
