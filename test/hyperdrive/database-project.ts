/** A Worker with a Hyperdrive binding, and a server in place of its database that answers with what it gets. */

import { type TestServer, startTcpServer } from "../servers/tcp-server.ts";
import { type TemporaryProject, createProject } from "../wrangler/temporary-project.ts";

export const HYPERDRIVE_ID = "0d1f6b5f2b6b4c3aa5f0c4d7b3c1e9aa";

/** Says hello to its database, and answers with what it knows of the binding and what came back. */
export const DATABASE_WORKER = `import { connect } from "cloudflare:sockets";
export default {
  async fetch(request, { DB }) {
    const { connectionString, host, port, user, password, database } = DB;
    const url = new URL(connectionString);
    const known = { scheme: url.protocol, user, password, database };
    const inUrl = [url.host === host + ":" + port, url.username, url.password, url.pathname.slice(1)];
    try {
      const socket = connect({ hostname: host, port });
      const writer = socket.writable.getWriter();
      await writer.write(new TextEncoder().encode("hello"));
      const { value } = await socket.readable.getReader().read();
      await socket.close();
      return Response.json({ known, inUrl, said: new TextDecoder().decode(value) });
    } catch (error) {
      return Response.json({ known, inUrl, error: String(error) });
    }
  },
};
`;

export const COMPATIBILITY_DATE = "2026-01-01";

export const WRANGLER_CONFIG: object = {
  name: "api",
  main: "index.js",
  compatibility_date: COMPATIBILITY_DATE,
  hyperdrive: [{ binding: "DB", id: HYPERDRIVE_ID }],
};

export const LOGIN: Record<"database" | "user" | "password", string> = {
  database: "orders",
  user: "app",
  password: "p@ss/word",
};

/** What the Worker answers with if it reaches the server. */
export const ANSWER: object = {
  known: { scheme: "postgresql:", ...LOGIN },
  inUrl: [true, "app", "p%40ss%2Fword", "orders"],
  said: "you said hello",
};

/** For `await using`. */
export function startDatabase(): Promise<TestServer> {
  return startTcpServer((socket) => void socket.once("data", (bytes) => socket.write(`you said ${String(bytes)}`)));
}

/** @param vpc further members of the vpc config */
export function vpcConfig({ port }: Pick<TestServer, "port">, vpc: object = {}): object {
  return {
    services: { "orders-db": `localhost:${port}` },
    hyperdrive: { DB: { service: "orders-db", ...LOGIN } },
    ...vpc,
  };
}

export function databaseProject(database: TestServer, files: Record<string, string | object> = {}): TemporaryProject {
  return createProject({
    "wrangler.jsonc": WRANGLER_CONFIG,
    "index.js": DATABASE_WORKER,
    "vpc.jsonc": vpcConfig(database),
    ...files,
  });
}
