/** Our secrets and the user's must not appear in a terminal, CI logs, errors or files. */

import { readFileSync, statSync } from "node:fs";
import path from "node:path";

import { expect, test, vi } from "vitest";

import { captureConfigs } from "../capnp/capture.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { closedPort, reset, startTcpServer } from "../servers/tcp-server.ts";
import { SERVICE, TUNNEL, startTestWorker } from "../setup/test-worker.ts";
import { MINIFLARE_VPC, serve } from "../wrangler/run.ts";
import { createProject } from "../wrangler/temporary-project.ts";
import { NO_SCRIPT, testOn } from "../setup/only-on.ts";

/** The tests put it into every place of a request where people put secrets. */
const SECRET = "hunter2-do-not-print";
/** As workerd's config has it. The egress proxy's secret is `randomBytes(32).toString("base64url")`. */
const OUR_SECRETS = /(?<=EGRESS_SECRET\0+)[\w-]{43}(?=\0)/g;

testOn(
  "posix",
  NO_SCRIPT,
  "neither the terminal nor an error shows a request's secrets or ours, for any failure",
  async () => {
    await using good = await startHttpOrigin(ok("good"));
    await using resetting = await startTcpServer(reset);
    await using garbage = await startTcpServer((socket) => socket.end("no HTTP"));
    await using cut = await startTcpServer((socket) =>
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\na"),
    );
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
    // Each target through the direct path, through the egress proxy, and with TLS although it speaks none.
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
    const { result: worker, configs } = await captureConfigs(() =>
      startTestWorker({
        config: { networks: { [TUNNEL]: { routes } }, connectTimeout: 1000, dnsTimeout: 1000 },
        ops: {
          async try(env, [host, secret]: [string, string]) {
            const shown: string[] = [];
            const show = (error: unknown): void => {
              const { name, message, stack, cause } = error as Error;
              shown.push(name, message, String(stack), String(cause), JSON.stringify(error));
            };
            const init = {
              headers: { Authorization: `Bearer ${secret}`, Cookie: `session=${secret}`, "X-Api-Key": secret },
            };
            for (const url of [`http://${host}/?token=${secret}`, `http://me:${secret}@${host}/#${secret}`]) {
              await env.NET.fetch(url, init)
                .then((response: Response) => response.text())
                .catch(show);
              await env.NET.fetch(url, { ...init, method: "POST", body: secret })
                .then((response: Response) => response.text())
                .catch(show);
            }
            try {
              const socket = await env.NET.connect(`${host}:80`);
              const writer = socket.writable.getWriter();
              await writer.write(new TextEncoder().encode(secret));
              await writer.close();
              await new Response(socket.readable).text();
            } catch (error) {
              show(error);
            }
            return shown.join("\n");
          },
        },
      }),
    );
    await using _ = worker;
    const [config = new Uint8Array()] = configs;
    const ours = new Set(Buffer.from(config).toString("latin1").match(OUR_SECRETS));
    expect(ours.size).toBe(1);

    for (const host of [...Object.keys(routes), "unrouted.internal", "10.1.2.3"]) {
      const shown = await worker.call<string>("try", [host, SECRET]);
      // The Worker may see its own URL in an error of workerd's `fetch`.
      const words = shown
        .split("\n")
        .filter((line) => !/credentials|Invalid URL/.test(line))
        .join("\n");
      expect(`${host}: ${words}`).not.toContain(SECRET);
      // Compares booleans, so that a failure of the test doesn't print the secret.
      expect([host, [...ours].some((secret) => shown.includes(secret))]).toEqual([host, false]);
    }
    await vi.waitFor(() => expect(worker.output()).toContain("GET http://good.internal/?… →"));
    expect(worker.output()).toContain("ProxyError: connection_refused");
    expect(worker.output()).not.toContain(SECRET);
    for (const secret of ours) expect(worker.output().includes(secret)).toBe(false);
    // The target received its own secret, and none of ours.
    expect(good.requests.join()).toContain(`Bearer ${SECRET}`);
    for (const secret of ours) expect(good.requests.join().includes(secret)).toBe(false);
  },
);

test("a misplaced password in a vpc config is not printed", async () => {
  const config = { services: { [SERVICE]: `https://me:${SECRET}@localhost:1/` } };
  const starting = startTestWorker({ config, ops: {} });
  const error = await starting.then(() => undefined, String);
  expect(error).toContain("https://me:…@localhost:1/");
  expect(error).not.toContain(SECRET);
});

test(
  "with miniflare-vpc dev, only the Worker gets .dev.vars, and only the user can read the generated config",
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
    // Windows has no modes: the access list of the folder decides.
    expect(statSync(file).mode & 0o777).toBe(process.platform === "win32" ? 0o666 : 0o600);
    expect(readFileSync(file, "utf8")).not.toContain(SECRET);
  },
);
