/** A system that needs seconds to read its own certificates. */

import { mkdtempSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";
import { pathToFileURL } from "node:url";

import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";

import type { EgressOrder, EgressTls } from "../../service-worker/routing/egress-protocol.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { ask, httpTo } from "./ask.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "mvpc-system-roots-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const HOST = "users.internal";
const known = makeAuthority("Known to the vpc config");
const ca = path.join(folder, "known.pem");
const ofSystem = makeAuthority("Known to the system");
await writeFile(ca, known.cert);

/** Milliseconds until the system answers. The thread that asks is blocked for that time. */
const SLOW = 3000;

const preload = path.join(folder, "preload.mjs");
async function answerSlowly(roots: string): Promise<void> {
  await writeFile(
    preload,
    `import tls from "node:tls";
     const { getCACertificates } = tls;
     tls.getCACertificates = (type) => {
       if (type !== "system") return getCACertificates(type);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${SLOW});
       ${roots}
     };`,
  );
}

const asked = new Set<string>();

beforeEach(() => {
  vi.stubEnv("CAROOT", path.join(folder, "no-mkcert"));
  vi.stubEnv("NODE_OPTIONS", `--import=${pathToFileURL(preload).href}`);
  asked.clear();
  const { getCACertificates } = tls;
  vi.spyOn(tls, "getCACertificates").mockImplementation((type = "default") => {
    asked.add(type);
    if (type === "system" || type === "default") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SLOW);
    return getCACertificates(type);
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function overTls(port: number, options: Partial<EgressTls> = {}): EgressOrder {
  return { ...httpTo(port), tls: { hostName: HOST, verify: "verify_full", ca: [ca], ...options } };
}

test("a system that needs 3 s for its roots delays only a call whose certificate no other root issued", async () => {
  await answerSlowly(`return ${JSON.stringify([ofSystem.cert])};`);
  await using plain = await startHttpOrigin(ok("plain"));
  await using trusted = await startTlsOrigin({ ...known.issue(HOST, { names: [HOST] }), answer: ok("trusted") });
  await using slow = await startTlsOrigin({ ...ofSystem.issue(HOST, { names: [HOST] }), answer: ok("slow") });
  const order: string[] = [];
  const call = async (to: EgressOrder): Promise<void> => void order.push((await ask({ order: to })).body);

  const waiting = call(overTls(slow.port));
  await expect.poll(() => slow.accepted).toBe(1);
  await Promise.all([call(httpTo(plain.port)), call(overTls(trusted.port)), call(httpTo(plain.port))]);
  await call(overTls(trusted.port, { verify: "disabled" }));
  await waiting;
  expect([...order].sort()).toEqual(["plain", "plain", "slow", "trusted", "trusted"]);
  expect(order.at(-1)).toBe("slow");
  expect([...asked].sort()).toEqual(["bundled", "extra"]);

  // The system is asked once. Later calls trust its roots, and refuse others as before.
  expect((await ask({ order: overTls(slow.port) })).body).toBe("slow");
  await using stranger = await startTlsOrigin({ ...makeAuthority("Stranger").issue(HOST, { names: [HOST] }) });
  expect((await ask({ order: overTls(stranger.port) })).failure).toMatchObject({
    code: "tls_certificate_error",
    detail: expect.stringContaining('issued by "Stranger", and no trusted root vouches for it'),
  });
  expect(stranger.accepted).toBe(1);
});
