/** A redirect is a new request of the Worker: it only reaches targets of the Worker's routes, in every spelling. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { type TestServer, startTcpServer } from "../servers/tcp-server.ts";
import { SERVICE, type TestWorker, TUNNEL, startTestWorker } from "../setup/test-worker.ts";

/** `PORT` is replaced by the port of the vault, which has no route. */
const LOCATIONS = [
  "http://127.0.0.1:PORT/",
  "http://localhost:PORT/",
  "http://2130706433:PORT/",
  "http://0x7f.1:PORT/",
  "http://[::ffff:127.0.0.1]:PORT/",
  "http://[::1]:PORT/",
  "//127.0.0.1:PORT/",
  "\\\\127.0.0.1:PORT\\",
  "http:\\\\127.0.0.1:PORT\\",
  "http://open.internal@127.0.0.1:PORT/",
  "http://open.internal:PORT@127.0.0.1:PORT/",
  "HTTP://LOCALHOST.:PORT/",
  "https://127.0.0.1:PORT/",
  "ftp://127.0.0.1:PORT/",
  "file:///etc/passwd",
  "data:text/plain,vault",
  "unix:/etc/passwd",
  "http://blocked.internal/",
  "http://BLOCKED.internal./",
];

const stack = new AsyncDisposableStack();
let vault: TestServer;
let location = "";
const workers: Record<string, TestWorker> = {};
const DATES = ["2021-01-01", "2026-11-01"];

beforeAll(async () => {
  vault = stack.use(await startTcpServer((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nvault")));
  const origin = stack.use(
    await startHttpOrigin((request) => {
      const status = /^GET \/go\/(\d{3}) /.exec(request)?.[1];
      return status === undefined
        ? ok(`open ${request.split("\r\n", 1)[0]}`)
        : `HTTP/1.1 ${status} Elsewhere\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
    }),
  );
  const target = `127.0.0.1:${origin.port}`;
  const routes = {
    "direct.internal": target,
    "egress.internal": "localhost",
    "blocked.internal": { deny: "destination_ip_prohibited" } as const,
  };
  for (const compatibilityDate of DATES) {
    workers[compatibilityDate] = stack.use(
      await startTestWorker({
        compatibilityDate,
        config: { services: { [SERVICE]: `http://${target}` }, networks: { [TUNNEL]: { routes } }, traffic: false },
        ops: {
          get: (env, [bindingName, url]: ["API" | "NET", string]) =>
            env[bindingName].fetch(url).then(
              (response: Response) => response.text(),
              (error: Error) => error.message,
            ),
        },
      }),
    );
  }
  ways.egress = `http://egress.internal:${origin.port}`;
});
afterAll(() => stack.disposeAsync());

const ways = { direct: "http://direct.internal", egress: "" };

describe.each(DATES)("a Worker of %s", (date) => {
  describe.each(["direct", "egress"] as const)("%s", (way) => {
    test.each(LOCATIONS)("%s reaches no target without a route", async (text) => {
      location = text.replaceAll("PORT", String(vault.port));
      for (const status of [301, 302, 303, 307, 308]) {
        const answer = await workers[date]?.call("get", ["NET", `${ways[way]}/go/${status}`]);
        // Refused by us, or an invalid URL. For older platforms, a Location that begins with backslashes is a path.
        expect(answer).toMatch(
          /^ProxyError: (destination_(ip_unroutable|not_found|ip_prohibited)|http_request_denied)$|^open GET \/go\/\S*(\\|%5C)|URL|redirect/i,
        );
      }
      expect(vault.accepted).toBe(0);
    });
  });

  test("through a service, every redirect leads back to the service", async () => {
    for (const text of ["http://127.0.0.1:PORT/new", "//blocked.internal/new", "/new"]) {
      location = text.replaceAll("PORT", String(vault.port));
      const answer = await workers[date]?.call("get", ["API", "http://users.internal/go/302"]);
      expect(answer).toBe("open GET /new HTTP/1.1");
    }
    expect(vault.accepted).toBe(0);
  });
});
