/** `pg` and `mysql2` in a Node script, over `env.NET.connect()`: the same few lines as in a Worker. */

import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import path from "node:path";
import mysql from "mysql2";
import type { Pool, PoolOptions } from "mysql2/promise";
import { getPlatformProxy } from "miniflare-vpc/wrangler";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres } from "../../fixtures/private-services/postgres.ts";
import { closedPort } from "../servers/tcp-server.ts";
import { createProject } from "../wrangler/temporary-project.ts";
import { TUNNEL } from "./start-scenarios.ts";

/** Files for a Worker, whose types this program doesn't have. */
const LIBRARIES = path.join(import.meta.dirname, "../../fixtures/client-libraries");
const { createPgPool } = (await import(`${LIBRARIES}/pg.ts`)) as {
  createPgPool: (network: object, url: string, options?: pg.PoolConfig) => pg.Pool;
};
const { createMysqlPool } = (await import(`${LIBRARIES}/mysql2.ts`)) as {
  createMysqlPool: (network: object, url: string, options?: PoolOptions) => Pool;
};

const stack = new AsyncDisposableStack();
let NET: object;

beforeAll(async () => {
  const postgres = stack.use(await startPostgres(0));
  const mysqlPort = await startMysql();
  const project = stack.use(
    createProject({
      "wrangler.jsonc": {
        name: "script",
        compatibility_date: "2026-08-01",
        vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL }],
      },
      "vpc.json": {
        networks: {
          NET: {
            routes: {
              "db.internal:5432": `127.0.0.1:${postgres.port}`,
              "db.internal:3306": `127.0.0.1:${mysqlPort}`,
              "down.internal": `127.0.0.1:${await closedPort()}`,
            },
          },
        },
      },
    }),
  );
  const configPath = path.join(project.folder, "wrangler.jsonc");
  const { env, dispose } = await getPlatformProxy<{ NET: object }>({ configPath, persist: false });
  stack.defer(dispose);
  ({ NET } = env);
}, 60_000);
afterAll(() => stack.disposeAsync());

/** mysql2's own server: the real protocol, with an answer to each statement. */
async function startMysql(): Promise<number> {
  const server = (mysql as unknown as { createServer(): MysqlServer }).createServer();
  server.on("connection", (connection) => {
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: "8.0.0",
      connectionId: 1,
      statusFlags: 2,
      characterSet: 45,
      // Neither TLS nor compression.
      capabilityFlags: 0xff_f7_df,
      authCallback(_user, accept) {
        accept(null);
        connection.sequenceId = 0;
      },
    });
    connection.on("query", (sql: string) => {
      const large = /^select repeat\('x', (\d+)\)/.exec(sql)?.[1];
      if (sql === "select * from nothing") connection.writeError({ code: 1146, message: "no such table" });
      else answer(connection, large === undefined ? `you said: ${sql}` : "x".repeat(Number(large)));
      // Each command begins a new sequence, which mysql2's server leaves to its user.
      connection.sequenceId = 0;
    });
    connection.on("error", () => connection.destroy());
  });
  server.listen(0, "127.0.0.1");
  // oxlint-disable-next-line no-underscore-dangle
  const listener = server._server;
  if (!listener.listening) await once(listener, "listening");
  stack.defer(() => new Promise<void>((resolve) => void listener.close(() => resolve())));
  return (listener.address() as AddressInfo).port;
}

/** What mysql2's types leave out. */
interface MysqlServer {
  on(event: "connection", listener: (connection: MysqlPeer) => void): void;
  listen(port: number, host: string): void;
  _server: Server;
}

interface MysqlPeer {
  on(event: "query", listener: (sql: string) => void): void;
  on(event: "error", listener: () => void): void;
  destroy(): void;
  serverHandshake(
    settings: Record<string, unknown> & { authCallback(user: object, accept: (error: null) => void): void },
  ): void;
  sequenceId: number;
  writeError(error: { code: number; message: string }): void;
  writeTextResult(rows: object[], columns: object[]): void;
}

function answer(connection: MysqlPeer, said: string): void {
  const column = { catalog: "def", schema: "", table: "", orgTable: "", name: "said", orgName: "said" };
  connection.writeTextResult(
    [{ said }],
    [{ ...column, characterSet: 45, columnLength: 4_000_000, columnType: 253, flags: 0, decimals: 0 }],
  );
}

test("pg: queries, a prepared statement, an error and 2 MB of rows", async () => {
  const pool = createPgPool(NET, "postgres://postgres@db.internal:5432/postgres", { max: 1 });
  const double = async (n: number): Promise<unknown> =>
    (await pool.query({ name: "double", text: "select $1::int * 2 as n", values: [n] })).rows[0];
  expect([await double(1), await double(2)]).toEqual([{ n: 2 }, { n: 4 }]);
  await expect(pool.query("select nothing")).rejects.toMatchObject({ code: "42703" });
  const { rows } = await pool.query("select repeat('x', 1000) as text from generate_series(1, 2000)");
  expect(rows.reduce((sum, { text }) => sum + text.length, 0)).toBe(2_000_000);
  await pool.end();
});

function mysqlPool(host: string): Pool {
  return createMysqlPool(NET, `mysql://app:secret@${host}:3306/shop`, { connectionLimit: 2 });
}

test("mysql2: queries at the same time, an error and 2 MB of a row", async () => {
  const pool = mysqlPool("db.internal");
  const ask = async (sql: string): Promise<unknown> => (await pool.query(sql))[0];
  expect(await Promise.all([ask("select 1"), ask("select 2")])).toEqual([
    [{ said: "you said: select 1" }],
    [{ said: "you said: select 2" }],
  ]);
  await expect(ask("select * from nothing")).rejects.toThrow("no such table");
  expect(await ask("select repeat('x', 2000000)")).toEqual([{ said: "x".repeat(2_000_000) }]);
  await pool.end();
});

test.each([
  ["down.internal", "connection_refused"],
  ["unknown.internal", "destination_not_found"],
])("without a connection to %s, both reject with %s", async (host, code) => {
  const postgres = createPgPool(NET, `postgres://postgres@${host}:5432/postgres`);
  await expect(postgres.query("select 1")).rejects.toThrow(`ProxyError: ${code}`);
  await postgres.end();
  const pool = mysqlPool(host);
  await expect(pool.query("select 1")).rejects.toThrow(`ProxyError: ${code}`);
  await pool.end();
});
