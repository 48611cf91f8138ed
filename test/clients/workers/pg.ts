/** `pg` in a Worker, for the PostgreSQL from npm and Debian's. */

import { Pool } from "pg";
import { createPgPool } from "../../../fixtures/client-libraries/pg.ts";
import { type Env, scenarioWorker } from "./scenarios.ts";

function pool({ NETWORK, DB }: Env, host = "db.internal"): Pool {
  if (DB !== undefined) return new Pool({ connectionString: DB.connectionString, max: 5 });
  return createPgPool(NETWORK, `postgres://postgres:postgres@${host}:5432/postgres`, { max: 5 });
}

export default scenarioWorker({
  async query(env) {
    const clients = pool(env);
    const { rows } = await clients.query("select $1::int + 1 as sum, current_database() as database", [41]);
    await clients.end();
    return rows;
  },

  async prepared(env) {
    const clients = pool(env);
    const client = await clients.connect();
    const double = async (n: number): Promise<unknown> =>
      (await client.query({ name: "double", text: "select $1::int * 2 as n", values: [n] })).rows[0]?.n;
    const answers = [await double(1), await double(2)];
    const { rows } = await client.query(
      "select count(*)::int as count from pg_prepared_statements where name = 'double'",
    );
    client.release();
    await clients.end();
    return { answers, prepared: rows[0]?.count };
  },

  async transaction(env) {
    const clients = pool(env);
    const client = await clients.connect();
    await client.query("create temp table kept (n int)");
    await client.query("begin");
    await client.query("insert into kept select generate_series(1, 3)");
    await client.query("rollback");
    await client.query("begin");
    await client.query("insert into kept values (1)");
    await client.query("commit");
    const { rows } = await client.query("select count(*)::int as count from kept");
    client.release();
    await clients.end();
    return rows[0]?.count;
  },

  /** What other connections see during an open transaction. */
  async isolation(env) {
    const clients = pool(env);
    await clients.query("drop table if exists ledger");
    await clients.query("create table ledger (n int)");
    const count = async (): Promise<number> =>
      (await clients.query("select count(*)::int as n from ledger")).rows[0]?.n;
    const writer = await clients.connect();
    await writer.query("begin");
    await writer.query("insert into ledger values (1)");
    const during = await Promise.all([count(), count(), count()]);
    await writer.query("commit");
    writer.release();
    const after = await count();
    await clients.end();
    return { during, after };
  },

  /** Five slow queries at the same time, each on its own connection. */
  async concurrent(env) {
    const clients = pool(env);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => clients.query("select pg_backend_pid() as pid, pg_sleep(0.3)")),
    );
    const size = clients.totalCount;
    await clients.end();
    return { size, backends: new Set(answers.map(({ rows }) => rows[0]?.pid)).size };
  },

  async large(env, query) {
    const clients = pool(env);
    const { rows } = await clients.query("select repeat('x', 1000) as text from generate_series(1, $1::int)", [
      query.get("rows"),
    ]);
    await clients.end();
    return { rows: rows.length, length: rows.reduce((sum, { text }) => sum + text.length, 0) };
  },

  async upload(env, query) {
    const clients = pool(env);
    const text = "y".repeat(Number(query.get("length")));
    const { rows } = await clients.query(
      "select length($1::text) as length, md5($1::text) = md5(repeat('y', $2)) as same",
      [text, text.length],
    );
    await clients.end();
    return rows[0];
  },

  /** A message that the server sends on an idle connection. */
  async notify(env) {
    const clients = pool(env);
    const listener = await clients.connect();
    const heard = new Promise((resolve) => listener.once("notification", ({ payload }) => resolve(payload)));
    await listener.query("listen news");
    await clients.query("select pg_notify('news', 'hello')");
    const payload = await heard;
    listener.release();
    await clients.end();
    return payload;
  },

  async sqlError(env) {
    const clients = pool(env);
    const error = await clients.query("select no_such_column").catch((reason: unknown) => reason);
    const { rows } = await clients.query("select 1 as one");
    await clients.end();
    return { code: error instanceof Error && "code" in error && error.code, next: rows[0]?.one };
  },

  /** The server ends a connection, and the pool opens another one. */
  async terminated(env) {
    const clients = pool(env);
    clients.on("error", () => {});
    const error = await clients
      .query("select pg_terminate_backend(pg_backend_pid())")
      .catch((reason: unknown) => String(reason));
    const { rows } = await clients.query("select 1 as one");
    await clients.end();
    return { error, next: rows[0]?.one };
  },

  /** On one connection: waits at the gate before each step. @returns milliseconds, or the error */
  async steps(env, query) {
    const clients = pool(env);
    clients.on("error", () => {});
    const client = await clients.connect();
    client.on("error", () => {});
    const seen: Record<string, number | string> = {};
    for (const step of query.get("steps")?.split(",") ?? []) {
      await (await fetch(`${query.get("gate")}/${step}`)).text();
      const begun = Date.now();
      seen[step] = await client.query("select repeat('x', 100000) as text").then(
        ({ rows }) => (rows[0]?.text.length === 100_000 ? Date.now() - begun : "other rows"),
        (error: unknown) => String(error),
      );
    }
    client.release(true);
    return seen;
  },

  async connectTo(env, query) {
    await pool(env, query.get("host") ?? "").query("select 1");
  },
});
