/** Our listeners refuse strangers: another user, a web page in the developer's browser, a name that was rebound to loopback. */

import { execFile } from "node:child_process";
import { readFileSync, readdirSync, statSync } from "node:fs";
import type http from "node:http";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { ORDER_HEADER } from "../../service-worker/routing/egress-protocol.ts";
import { type Control, startControl } from "../../plugin/control/control.ts";
import { findRunning } from "../../plugin/scenario/running.ts";
import type { Scenario } from "../../plugin/scenario/scenario.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer, type TestServer } from "../servers/tcp-server.ts";
import { type TestWorker, TUNNEL, startTestWorker } from "../setup/test-worker.ts";
import { startShown } from "../ui/start-shown.ts";
import { describeOn } from "../setup/only-on.ts";

let worker: TestWorker;
let vault: TestServer;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const origin = stack.use(await startHttpOrigin(ok("origin")));
  vault = stack.use(await startTcpServer((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nvault")));
  const routes = { "a.internal": `127.0.0.1:${origin.port}` };
  worker = stack.use(
    await startTestWorker({
      config: { networks: { [TUNNEL]: { routes } } },
      ops: { get: async (env) => (await env.NET.fetch("http://a.internal/")).text() },
    }),
  );
});
afterAll(() => stack.disposeAsync());

/** Requests that a page can make a browser send. It can only add header fields after a preflight, which is the first one. */
const FROM_A_PAGE: [what: string, method: string, headers: Record<string, string>, body?: string][] = [
  [
    "a preflight",
    "OPTIONS",
    { "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": `authorization,${ORDER_HEADER}` },
  ],
  ["a preflight for a private network", "OPTIONS", { "Access-Control-Request-Private-Network": "true" }],
  ["a simple GET", "GET", {}],
  ["a form", "POST", { "Content-Type": "text/plain" }, '{"version":1,"generation":1e9}'],
  [
    "a beacon with a null origin",
    "POST",
    { Origin: "null", "Content-Type": "application/x-www-form-urlencoded" },
    "a=b",
  ],
  [
    "a WebSocket",
    "GET",
    {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    },
  ],
  ["a guess", "POST", { Authorization: "Bearer guess" }, "{}"],
  ["another scheme", "POST", { Authorization: "Basic Og==" }, "{}"],
  ["an empty secret", "POST", { Authorization: "Bearer " }, "{}"],
];
const PAGE = { Host: "rebound.attacker.example:1234", Origin: "https://attacker.example" };

/** Private directories of this process, with its sockets. */
function directories(): string[] {
  return readdirSync(os.tmpdir())
    .filter((name) => name.startsWith(`mvpc-${process.pid}-`))
    .map((name) => path.join(os.tmpdir(), name));
}

describeOn("posix", "on Windows a port listens, see below", "only sockets in a private directory listen", () => {
  test("no other user can open the directory", () => {
    expect(directories()).toHaveLength(1);
    for (const directory of directories()) {
      expect(statSync(directory).mode & 0o777).toBe(0o700);
      expect(readdirSync(directory)).toEqual(["egress.sock"]);
      expect(statSync(path.join(directory, "egress.sock")).isSocket()).toBe(true);
    }
  });

  describe("the egress proxy", () => {
    test.each(FROM_A_PAGE)("%s is refused and reaches nothing", async (_, method, headers, body) => {
      const [directory = ""] = directories();
      const order = { op: "http", target: { type: "address", host: "127.0.0.1", port: vault.port }, limits: {} };
      const answer = await send(
        {
          socketPath: path.join(directory, "egress.sock"),
          method,
          headers: { ...PAGE, [ORDER_HEADER]: JSON.stringify(order), ...headers },
        },
        body,
      );
      expectNothing(answer);
      expect(vault.accepted).toBe(0);
      expect(await worker.call("get")).toBe("origin");
    });
  });
});

describe("the control server of dev", () => {
  const TOKEN = "a-token-for-this-test";
  let control: Control;
  let scenario: Scenario;
  let socketPath: string;
  let secret: string;
  let port: number;
  let modes: number[];

  beforeAll(async () => {
    vi.stubEnv("MINIFLARE_VPC_TOKEN", TOKEN);
    const running = findRunning(String((await worker.miniflare.getBindings())["MINIFLARE_VPC"]));
    const [privateDirectory = ""] = directories();
    if (running === undefined) throw new Error("the instance has no scenario");
    ({ scenario } = running);
    control = await startControl(scenario, { folders: [], port: 0, privateDirectory });
    port = Number(new URL(control.url ?? "").port);
    const announced = readdirSync(privateDirectory).find((name) => name.endsWith(".json")) ?? "";
    const file = path.join(privateDirectory, announced);
    ({ socketPath, token: secret } = JSON.parse(readFileSync(file, "utf8")).address);
    modes = [file, socketPath].map((each) => statSync(each).mode & 0o777);
  });
  test("only this user can read where it is, and its token has 256 random bits", () => {
    expect(modes).toEqual([0o600, 0o600]);
    expect(Buffer.from(secret, "base64url")).toHaveLength(32);
  });

  afterAll(async () => {
    vi.unstubAllEnvs();
    await control.close();
  });

  /** A rule that a stranger would like to add. */
  const RULE = JSON.stringify({ who: "NET", to: "passthrough" });
  const FORBIDDEN = JSON.stringify({
    error:
      'the path must begin with the token that "miniflare-vpc dev --control" prints, and "Host" and "Origin" must be this machine.',
    status: 403,
  });

  /** What a stranger gets, and what it has done. */
  const describeEffect = ({ status, headers, body }: Answer): object => ({
    status,
    body,
    cors: Object.keys(headers).filter((field) => field.startsWith("access-control")),
    rules: scenario.rules,
    isObserved: scenario.isObserved,
  });
  const NOTHING = { status: 403, body: FORBIDDEN, cors: [], rules: [], isObserved: false };

  test.each(FROM_A_PAGE)("%s is refused, with and without the token", async (_, method, headers, body) => {
    for (const place of [{ host: "127.0.0.1", port }, { socketPath }]) {
      for (const token of [TOKEN, secret, "guess"]) {
        const all = { ...PAGE, ...headers };
        const answer = await send({ ...place, method, path: `/${token}/rules`, headers: all }, body);
        expect(describeEffect(answer)).toEqual(NOTHING);
      }
    }
  });

  const here = "127.0.0.1:1";
  test.each([
    ["without a token", "/rules", {}],
    ["without a token, on a path that is not there", "/nothing", {}],
    ["with a wrong token of the same length", `/${TOKEN.replace("a", "b")}/rules`, {}],
    ["with the token in the query", `/?token=${TOKEN}`, {}],
    ["with a foreign Origin", `/${TOKEN}/rules`, { Origin: "https://attacker.example" }],
    ["with another port of this machine as Origin", `/${TOKEN}/rules`, { Origin: "http://127.0.0.1:2" }],
    ["with Origin: null", `/${TOKEN}/rules`, { Origin: "null" }],
    ["with a name that was rebound to this machine", `/${TOKEN}/rules`, { Host: "rebound.attacker.example" }],
    ["with a name that begins like this machine's", `/${TOKEN}/rules`, { Host: "127.0.0.1.attacker.example" }],
  ])("%s: 403", async (_, at, headers) => {
    const all = { Host: here, ...headers };
    const answer = await send({ host: "127.0.0.1", port, method: "POST", path: at, headers: all }, RULE);
    expect(describeEffect(answer)).toEqual(NOTHING);
  });

  test("with the token, a path that is not there is 404, and the socket has its own token", async () => {
    for (const [place, token, status] of [
      [{ host: "127.0.0.1", port }, TOKEN, 404],
      [{ host: "127.0.0.1", port }, secret, 403],
      [{ socketPath }, secret, 404],
      [{ socketPath }, TOKEN, 403],
    ] as const) {
      const answer = await send({ ...place, path: `/${token}/nothing`, headers: { Host: here } });
      expect(answer.status).toBe(status);
    }
  });
});

describe("the page that shows the traffic", () => {
  let scenario: Scenario;
  let url: URL;
  let port: number;

  beforeAll(async () => {
    const shown = stack.use(await startShown({ networks: { [TUNNEL]: { routes: {} } } }));
    ({ scenario } = shown);
    url = new URL(shown.url);
    port = Number(url.port);
  });

  const FORBIDDEN = JSON.stringify({
    error:
      'the address must be the one that the session prints after "Traffic", and "Host" and "Origin" must be this machine.',
    status: 403,
  });
  const PATHS = ["", "app.js", "app.css", "icon.svg", "index.html", "api/feed", "api/rules", "api/requests", "nothing"];

  async function effectOf(options: http.RequestOptions, text?: string): Promise<object> {
    const { status, body, headers } = await send({ host: "127.0.0.1", port, ...options }, text);
    const given = Object.keys(headers).filter((field) => /^access-control|^set-cookie/.test(field));
    return { status, body, given, isObserved: scenario.isObserved, rules: scenario.rules };
  }
  const REFUSED = { status: 403, body: FORBIDDEN, given: [], isObserved: false, rules: [] };

  test.each(PATHS)("a stranger gets nothing from %j", async (file) => {
    const at = `${url.pathname}${file}`;
    for (const headers of [
      { Origin: "https://attacker.example" },
      { Origin: "null" },
      { Origin: `http://127.0.0.1:${port + 1}` },
      { Origin: `https://${url.host}` },
      { Host: "rebound.attacker.example" },
      { Host: `127.0.0.1.attacker.example:${port}` },
      { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors" },
      { "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors" },
    ]) {
      expect(await effectOf({ path: at, headers: { Host: url.host, ...headers } })).toEqual(REFUSED);
    }
    const upgrade = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version": "13",
    };
    for (const headers of [{ Origin: "https://attacker.example" }, { Origin: "null" }, { Host: "attacker.example" }]) {
      expect(await effectOf({ path: at, headers: { Host: url.host, ...upgrade, ...headers } })).toEqual(REFUSED);
    }
    const guess = at.replace(/^\/./, (start) => (start === "/x" ? "/y" : "/x"));
    for (const other of [`/${file}`, guess, `/?token=${url.pathname.slice(1, -1)}`]) {
      expect(await effectOf({ path: other, headers: { Host: url.host } })).toEqual(REFUSED);
    }
  });

  test.each(FROM_A_PAGE)("another page with the token: %s is refused", async (_, method, headers, body) => {
    const all = { ...PAGE, ...headers };
    expect(await effectOf({ method, path: `${url.pathname}api/rules`, headers: all }, body)).toEqual(REFUSED);
  });

  const RULE = JSON.stringify({ who: "NET", respond: { status: 500 } });
  const JSON_TYPE = { "Content-Type": "application/json" };
  test.each([
    ["POST", "api/rules", "without an Origin", JSON_TYPE, 403],
    ["POST", "api/rules", "with the Origin of another port", { ...JSON_TYPE, Origin: "http://127.0.0.1:1" }, 403],
    ["POST", "api/rules", "of another site", { ...JSON_TYPE, "Sec-Fetch-Site": "same-site" }, 403],
    ["POST", "api/rules", "as a form of the page itself", { "Content-Type": "text/plain" }, 415],
    ["POST", "api/calls/1/again", "without an Origin", JSON_TYPE, 403],
    ["POST", "api/calls/1/deny", "without an Origin", JSON_TYPE, 403],
    ["DELETE", "api/rules", "without an Origin", {}, 403],
    ["DELETE", "api/requests", "without an Origin", {}, 403],
  ])("%s %s %s changes nothing", async (method, file, _, headers: Record<string, string>, status) => {
    const own = status === 415 ? { Origin: url.origin } : {};
    const all = { Host: url.host, ...own, ...headers };
    const effect = await effectOf(
      { method, path: url.pathname + file, headers: all },
      method === "POST" ? RULE : undefined,
    );
    expect(effect).toMatchObject({ status, given: [], isObserved: false, rules: [] });
  });

  test("its token has 144 random bits, and each file forbids whatever the page does not need", async () => {
    expect(Buffer.from(url.pathname.slice(1, -1), "base64url")).toHaveLength(18);
    for (const file of ["app.js", "app.css", "icon.svg", "nothing"]) {
      const { headers } = await send({
        host: "127.0.0.1",
        port,
        path: url.pathname + file,
        headers: { Host: url.host },
      });
      expect(headers).toMatchObject({
        "content-security-policy": `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws://127.0.0.1:${port}; img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'`,
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
      });
      expect(headers["set-cookie"]).toBeUndefined();
    }
    // A link to it may be anywhere, such as in a terminal that is a web page.
    const link = { Host: url.host, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate" };
    const { status, headers } = await send({ host: "127.0.0.1", port, path: url.pathname.slice(0, -1), headers: link });
    expect([status, headers.location]).toEqual([308, url.pathname]);
  });
});

test("if the egress proxy listens on loopback, a page gets nothing from it", async () => {
  const server = new URL("../../plugin/egress/server.ts", import.meta.url).href;
  const order = { op: "http", target: { type: "address", host: "127.0.0.1", port: vault.port }, limits: {} };
  const source = `
    import { egressProxy } from ${JSON.stringify(server)};
    const { address } = await egressProxy();
    const [host, port] = address.split(":");
    ${send.toString()}
    const answers = [];
    for (const [, method, headers, body] of ${JSON.stringify(FROM_A_PAGE)}) {
      const all = { ...${JSON.stringify(PAGE)}, ${JSON.stringify(ORDER_HEADER)}: ${JSON.stringify(JSON.stringify(order))}, ...headers };
      answers.push(await send({ host, port, method, headers: all }, body));
    }
    console.log(JSON.stringify({ host, answers }));
    process.exit();`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      // The code only checks this value; what it then does works on every platform.
      "--import=data:text/javascript,Object.defineProperty(process,'platform',{value:'win32'})",
      "--experimental-strip-types",
      "--no-warnings",
      "--input-type=module",
      "-e",
      source,
    ],
    { env: { ...process.env, TEMP: os.tmpdir() } },
  );
  const { host, answers } = JSON.parse(stdout) as { host: string; answers: Answer[] };
  expect(host).toBe("127.0.0.1");
  expect(answers).toHaveLength(FROM_A_PAGE.length);
  for (const answer of answers) expectNothing(answer);
  expect(vault.accepted).toBe(0);
});

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** Its source also runs in another process. */
function send(options: http.RequestOptions, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // Not the import, because it has another name after this file is transformed.
    const request = process.getBuiltinModule("node:http").request({ agent: false, ...options });
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    request.end(body);
  });
}

function expectNothing({ status, headers, body }: Answer): void {
  expect(status).toBe(403);
  expect(body).toBe("");
  expect(Object.keys(headers).filter((field) => field.startsWith("access-control"))).toEqual([]);
}
