/** What must not be read in a terminal, in the logs of CI, in an error or in a file: secrets, ours and the user's. */

import { readFileSync, statSync } from "node:fs";
import path from "node:path";

import { expect, test, vi } from "vitest";

import { captureConfigs } from "./capnp/capture.ts";
import { ok, startHttpOrigin } from "./servers/http-origin.ts";
import { closedPort, reset, startTcpServer } from "./servers/tcp-server.ts";
import { SERVICE, TUNNEL, startSession } from "./session.ts";
import { MINIFLARE_VPC, serve } from "./wrangler/run.ts";
import { createProject } from "./wrangler/temporary-project.ts";

/** In every place of a request where people put secrets. */
const SECRET = "hunter2-do-not-print";
/** `randomBytes(32).toString("base64url")`, as the egress proxy's and the control socket's are. */
const OUR_SECRETS = /(?<![\w-])[\w-]{43}(?![\w-])/g;

test("neither the terminal nor an error tells of a request's secrets, or of ours, whatever fails", async () => {
  await using good = await startHttpOrigin(ok("good"));
  await using resetting = await startTcpServer(reset);
  await using garbage = await startTcpServer((socket) => socket.end("no HTTP"));
  await using cut = await startTcpServer((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\na"));
  const refused = await closedPort();
  const targets: Record<string, string> = {
    "good.internal": `127.0.0.1:${good.port}`,
    "reset.internal": `127.0.0.1:${resetting.port}`,
    "garbage.internal": `127.0.0.1:${garbage.port}`,
    "cut.internal": `127.0.0.1:${cut.port}`,
    "refused.internal": `127.0.0.1:${refused}`,
    "unknown.internal": "does-not-exist.invalid:80",
    "unix.internal": "unix:/does/not/exist",
  };
  // Once over the direct path, once through the egress proxy, once with TLS to what speaks none.
  const routes = {
    ...targets,
    ...Object.fromEntries(
      Object.entries(targets).map(([host, target]) => [
        host.replace(".", ".e."),
        target.replace("127.0.0.1", "localhost"),
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(targets)
        .filter(([, target]) => /^\d/.test(target))
        .map(([host, target]) => [host.replace(".", ".tls."), `https://${target}`]),
    ),
    "no.internal": { deny: "http_request_denied" } as const,
  };
  const { result: session, configs } = await captureConfigs(() =>
    startSession({
      config: { networks: { [TUNNEL]: { routes } }, connectTimeout: 1000, dnsTimeout: 1000 },
      ops: {
        async try(env, [host, secret]: [string, string]) {
          const told: string[] = [];
          const tell = (error: unknown): void => {
            const { name, message, stack, cause } = error as Error;
            told.push(name, message, String(stack), String(cause), JSON.stringify(error));
          };
          const init = {
            headers: { Authorization: `Bearer ${secret}`, Cookie: `session=${secret}`, "X-Api-Key": secret },
          };
          for (const url of [`http://${host}/?token=${secret}`, `http://me:${secret}@${host}/#${secret}`]) {
            await env.NET.fetch(url, init)
              .then((response: Response) => response.text())
              .catch(tell);
            await env.NET.fetch(url, { ...init, method: "POST", body: secret })
              .then((response: Response) => response.text())
              .catch(tell);
          }
          try {
            const socket = await env.NET.connect(`${host}:80`);
            const writer = socket.writable.getWriter();
            await writer.write(new TextEncoder().encode(secret));
            await writer.close();
            await new Response(socket.readable).text();
          } catch (error) {
            tell(error);
          }
          return told.join("\n");
        },
      },
    }),
  );
  await using _ = session;
  const [config = new Uint8Array()] = configs;
  const ours = new Set(Buffer.from(config).toString("latin1").match(OUR_SECRETS));
  expect(ours.size).toBeGreaterThanOrEqual(2);

  for (const host of [...Object.keys(routes), "unrouted.internal", "10.1.2.3"]) {
    const told = await session.call<string>("try", [host, SECRET]);
    // A URL that workerd's own `fetch` refuses is the Worker's own to see.
    const words = told
      .split("\n")
      .filter((line) => !/credentials|Invalid URL/.test(line))
      .join("\n");
    expect(`${host}: ${words}`).not.toContain(SECRET);
    // Without quoting the secret itself.
    expect([host, [...ours].some((secret) => told.includes(secret))]).toEqual([host, false]);
  }
  await vi.waitFor(() => expect(session.output()).toContain("GET http://good.internal/?… →"));
  expect(session.output()).toContain("ProxyError: connection_refused");
  expect(session.output()).not.toContain(SECRET);
  for (const secret of ours) expect(session.output().includes(secret)).toBe(false);
  // What was meant for the target arrived there, and nothing of ours with it.
  expect(good.requests.join()).toContain(`Bearer ${SECRET}`);
  for (const secret of ours) expect(good.requests.join().includes(secret)).toBe(false);
});

test("a password in a vpc config that does not belong there is not repeated", async () => {
  const config = { services: { [SERVICE]: `https://me:${SECRET}@localhost:1/` } };
  const starting = startSession({ config, ops: {} });
  const error = await starting.then(() => undefined, String);
  expect(error).toContain("https://me:…@localhost:1/");
  expect(error).not.toContain(SECRET);
});

test(
  "miniflare-vpc dev keeps .dev.vars to the Worker, and its generated config to the user",
  { timeout: 60_000 },
  async () => {
    using project = createProject({
      "wrangler.json": {
        name: "api",
        main: "index.js",
        compatibility_date: "2026-01-01",
        vpc_services: [{ binding: "API", service_id: SERVICE }],
      },
      "index.js": `export default { async fetch(_, env) {
      const answer = await env.API.fetch("http://api.internal/?key=" + env.SECRET, { headers: { Authorization: env.SECRET } }).catch(String);
      return new Response(answer + " " + env.SECRET.length);
    } }`,
      ".dev.vars": `SECRET=${SECRET}`,
      "vpc.jsonc": { services: { [SERVICE]: `http://127.0.0.1:${await closedPort()}` } },
    });
    await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
    expect(await server.get("/")).toBe(`Error: ProxyError: connection_refused ${SECRET.length}`);
    await server.printed(/connection_refused/);
    expect(server.output()).not.toContain(SECRET);
    const [generated = ""] = project.leftovers();
    const file = path.join(project.folder, generated);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).not.toContain(SECRET);
  },
);
