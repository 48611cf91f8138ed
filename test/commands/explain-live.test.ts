/** `explain` agrees with a live Worker: both run the same table of cases. */

import { mkdtempSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { explainIn, parseAsked } from "../../plugin/commands/explain.ts";
import { loadTable } from "../../plugin/load.ts";
import type { Explanation } from "../../service-worker/routing/explain.ts";
import type { ForwardTarget } from "../../service-worker/routing/forward-target.ts";
import type { RoutingTable } from "../../service-worker/routing/table.ts";
import { type Places, explainBindings, explainCases, explainConfig } from "./explain-cases.ts";
import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { socketIn } from "../servers/socket-path.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { makeAuthority, selfSign } from "../servers/tls-certificates.ts";
import { type TlsOrigin, startTlsOrigin } from "../servers/tls-server.ts";
import { type TestWorker, WorkerError, startTestWorker, type TestEnv } from "../setup/test-worker.ts";

const resources = new AsyncDisposableStack();
const folder = mkdtempSync(path.join(os.tmpdir(), "vpc-explain-"));
const STAND_IN = `
import { WorkerEntrypoint } from "cloudflare:workers";
export default class extends WorkerEntrypoint {
  fetch() { return new Response("worker"); }
  async connect(socket) {
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode("worker"));
    await writer.close();
  }
}`;

interface Seen {
  error?: string;
  /** Which server answered. */
  reached?: string;
  hostHeader?: string;
  /** Null if TLS had no server name. */
  serverName?: string | null;
}

function at({ port }: { port: number }): string {
  return `127.0.0.1:${port}`;
}

let places: Places;
let origins: Record<string, HttpOrigin>;
let tlsOrigins: TlsOrigin[];
let worker: TestWorker;
let table: RoutingTable;
const kinds = new Set<string | undefined>();

beforeAll(async () => {
  // This machine may have mkcert's root.
  process.env["CAROOT"] = path.join(folder, "no-mkcert");
  const root = makeAuthority("Test root");
  const ca = path.join(folder, "root.pem");
  await writeFile(ca, root.cert);
  const certificate = root.issue("secure", { names: ["secure.internal", "named.internal", "10.7.0.1"] });
  const socket = socketIn(folder, "app.sock");
  const plain = resources.use(await startHttpOrigin(ok("plain")));
  const second = resources.use(await startHttpOrigin(ok("second")));
  const socketOrigin = resources.use(await startHttpOrigin(ok("socket"), { path: socket }));
  const secure = resources.use(
    await startTlsOrigin({
      ...certificate,
      answer: `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\ntls`,
    }),
  );
  const selfSigned = resources.use(await startTlsOrigin({ ...selfSign("dev box"), answer: ok("selfSigned") }));
  const tcp = resources.use(await startTcpServer((connection) => void connection.end("tcp")));
  origins = { plain, second, socket: socketOrigin, tls: secure, selfSigned };
  tlsOrigins = [secure, selfSigned];
  places = {
    plain: at(plain),
    second: at(second),
    tls: at(secure),
    selfSigned: at(selfSigned),
    tcp: at(tcp),
    socket,
    ca,
  };
  worker = resources.use(
    await startTestWorker({
      config: explainConfig(places),
      env: Object.fromEntries(
        Object.entries(explainBindings).map(([name, { type, id }]) => [
          name,
          type === "vpc-service"
            ? { type, id }
            : id === "cf1:network"
              ? { type, networkId: id }
              : { type, tunnelId: id },
        ]),
      ),
      workers: [
        {
          config: {
            name: "stand-in",
            compatibilityDate: "2026-11-01",
            compatibilityFlags: ["experimental"],
            manifest: { mainModule: "main.js", modules: { "main.js": { type: "esm", contents: STAND_IN } } },
          },
        },
      ],
      ops: {
        fetch: async (env, [binding, url]: [keyof TestEnv, string]) => (await env[binding].fetch(url)).text(),
        connect: async (env, [binding, address]: [keyof TestEnv, string]) => {
          const connection = await env[binding].connect(address);
          return new Response(connection.readable).text();
        },
      },
    }),
  );
  ({ table } = await loadTable({
    workers: [
      {
        workerName: "app",
        rootPath: undefined,
        bindings: Object.entries(explainBindings).map(([bindingName, { type, id }]) => ({
          bindingName,
          bindingType: type,
          id,
        })),
      },
      { workerName: "stand-in", rootPath: undefined, bindings: [] },
    ],
    source: explainConfig(places),
    env: undefined,
    generation: 0,
  }));
});

afterAll(async () => {
  await resources.disposeAsync();
  await rm(folder, { recursive: true });
});

test.each(explainCases)("%s %s", async (binding, written) => {
  const asked = written.replace("PLAIN", places.plain).replace("TCP", places.tcp);
  const expected = expectationOf(explainIn({ table }, `app/${binding}`, parseAsked(asked)));
  kinds.add(expected.reached);
  expect(await live(binding, asked)).toEqual(expected);
});

test("the cases reach every kind of target", () => {
  expect(kinds).toEqual(
    new Set(["function", "plain", "second", "selfSigned", "socket", "tcp", "tls", "worker", undefined]),
  );
});

/** @returns what the server sees if the explanation is right */
function expectationOf({ decision, passage }: Explanation): Seen {
  if (decision.type === "refuse") return { error: `ProxyError: ${decision.code}` };
  const reached = serverAt(decision.to);
  return {
    reached,
    ...(passage?.hostHeader !== undefined && { hostHeader: passage.hostHeader }),
    ...(passage?.tls !== undefined && { serverName: passage.tls.serverName ?? null }),
  };
}

function serverAt(to: ForwardTarget): string {
  if (to.type === "worker" || to.type === "function" || to.type === "stand-in") return to.type;
  const place = to.type === "unix" ? to.path : `${to.host.replace("localhost", "127.0.0.1")}:${to.port}`;
  const [name] = Object.entries(places).find(([, known]) => known === place) ?? [];
  return name ?? place;
}

async function live(binding: string, asked: string): Promise<Seen> {
  const op = asked.includes("://") ? "fetch" : "connect";
  const before = tlsOrigins.map(({ handshakes }) => handshakes.length);
  try {
    const [reached = "", functionHost] = (await worker.call<string>(op, [binding, asked])).split(" ");
    const request = op === "fetch" ? origins[reached]?.requests.at(-1) : undefined;
    const hostHeader = /^host: (.*)$/im.exec(request ?? "")?.[1]?.trim() ?? functionHost;
    const [handshake] = tlsOrigins.flatMap(({ handshakes }, index) => handshakes.slice(before[index]));
    return {
      reached,
      ...(hostHeader !== undefined && { hostHeader }),
      ...(handshake !== undefined && { serverName: handshake.serverName }),
    };
  } catch (error) {
    if (!(error instanceof WorkerError)) throw error;
    return { error: error.message };
  }
}
