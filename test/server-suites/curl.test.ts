/** Commands that the traffic page writes, in a shell and with Debian's curl: the target gets the same request once more. */

import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { type HttpOrigin, startHttpOrigin } from "../servers/http-origin.ts";
import { socketIn } from "../servers/socket-path.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { type TlsOrigin, startTlsOrigin } from "../servers/tls-server.ts";
import { TUNNEL } from "../setup/test-worker.ts";
import { createFolder } from "../setup/vpc-folder.ts";
import { type Shown, callOnce, sortedRequest, startShown } from "../ui/start-shown.ts";

const WAIT = { timeout: 30_000 };
const stack = new AsyncDisposableStack();
let origin: HttpOrigin;
let secure: TlsOrigin;
let shown: Shown;
/** The requests that the target got. */
const asked: string[] = [];

function answer(request: string): string {
  asked.push(request);
  return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
}

beforeAll(async () => {
  const authority = makeAuthority("Authority");
  const { folder } = stack.use(await createFolder({ "ca.pem": authority.cert }));
  const [plainSocket, secureSocket] = [socketIn(folder, "plain.sock"), socketIn(folder, "secure.sock")];
  const certified = authority.issue("secure.internal", { names: ["secure.internal"] });
  origin = stack.use(await startHttpOrigin(answer));
  secure = stack.use(await startTlsOrigin({ ...certified, answer }));
  stack.use(await startHttpOrigin(answer, { path: plainSocket }));
  stack.use(await startTlsOrigin({ ...certified, answer, path: secureSocket }));
  const ca = [path.join(folder, "ca.pem")];
  const toSecure = `https://127.0.0.1:${secure.port}`;
  const routes = {
    "a.internal": `127.0.0.1:${origin.port}`,
    "secure.internal": { target: `127.0.0.1:${secure.port}`, ca },
    // The Worker asks in plain HTTP or for another name than the certificate has.
    "upgraded.internal": { target: toSecure, tls_settings: { cert_verification_mode: "disabled" } },
    "unnamed.internal": { target: toSecure, ca, tls_settings: { cert_verification_mode: "verify_ca" } },
    "socket.internal": `unix:${plainSocket}`,
    "secure.internal:8443": { target: `unix:${secureSocket}`, ca },
  } as const;
  shown = stack.use(await startShown({ networks: { [TUNNEL]: { routes } } }));
  await shown.open();
});
afterAll(() => stack.disposeAsync());
beforeEach(() => {
  asked.length = 0;
});

function run(command: string): Promise<object> {
  return promisify(execFile)("sh", ["-c", command]);
}

test.each([
  ["a GET", { url: "http://a.internal/users/7?x=1&y=it's%20[1]" }],
  ["a POST with a body", { url: "http://a.internal:8080/users", method: "POST", size: 300 }],
  ["a HEAD", { url: "http://a.internal/users", method: "HEAD" }],
  ["another method", { url: "http://a.internal/users/7", method: "DELETE" }],
  ["TLS", { url: "https://secure.internal/users/7?x=1" }],
  ["a POST over TLS", { url: "https://secure.internal/users", method: "POST", size: 300 }],
  ["TLS to a target of a plain request", { url: "http://upgraded.internal/users/7" }],
  ["TLS to a target with another name", { url: "https://unnamed.internal/users/7" }],
  ["a Unix socket", { url: "http://socket.internal/users/7" }],
  ["a Unix socket, with a port in the URL", { url: "http://socket.internal:8080/users/7", method: "PUT", size: 5 }],
  ["TLS over a Unix socket", { url: "https://secure.internal:8443/users/7" }],
])("%s: curl asks the target the same", async (_, argument) => {
  const id = await callOnce(shown, "fetch", argument);
  const { json } = await shown.ask("GET", `api/calls/${id}/curl`);
  await run(json.text);
  const [first = "", second = ""] = asked.map((request) => sortedRequest(request));
  expect(second).toBe(first);
  expect(asked).toHaveLength(2);
});

test("curl checks the certificate with the same root, and sends the same server name", async () => {
  const id = await callOnce(shown, "fetch", { url: "https://secure.internal/checked" });
  const { json } = await shown.ask("GET", `api/calls/${id}/curl`);
  expect(json.text).toMatch(/--cacert \S+ca\.pem/);
  expect(json.text).not.toContain("--insecure");
  const before = secure.handshakes.length;
  await run(json.text);
  expect(secure.handshakes.slice(before)).toMatchObject([{ serverName: "secure.internal" }]);
  // Without the root, curl refuses.
  const unsure = json.text.replace(/ --cacert \S+/, "");
  await expect(run(unsure)).rejects.toThrow("certificate");
});

test("what curl can't check is said", async () => {
  const id = await callOnce(shown, "fetch", { url: "https://unnamed.internal/" });
  const { json } = await shown.ask("GET", `api/calls/${id}/curl`);
  expect(json.text).toContain("--insecure");
  expect(json.note).toContain("can't check a certificate without its name");
});

test.each([
  ["quotes, lines and signs", 'it\'s "$HOME" `id` \\n %s\n!important @file'],
  ["bytes that are no text", "\0\u0001é"],
])("%s in fields and body arrive as they are", async (_, text) => {
  const id = await callOnce(shown, "fetch", { url: "http://a.internal/", method: "PUT", size: 1 });
  const field = 'it\'s "$HOME" `id` \\n %s!';
  const again = await shown.ask("POST", `api/calls/${id}/again`, {
    headers: [["x-odd", field]],
    body: text,
  });
  await expect.poll(() => asked.length, WAIT).toBe(2);
  await expect.poll(() => shown.scenario.journal.entries.at(-1)?.duration, WAIT).toBeDefined();
  const { json } = await shown.ask("GET", `api/calls/${again.json.id}/curl`);
  await run(json.text);
  expect(sortedRequest(asked[2]!)).toBe(sortedRequest(asked[1]!));
  expect(asked[2]).toContain(field);
  expect(asked[2]!.endsWith(`\r\n\r\n${Buffer.from(text).toString("latin1")}`)).toBe(true);
});
