/** `postgres` in a Worker, for the PostgreSQL from npm and Debian's. */

import postgres, { type Sql } from "postgres";
import { createPostgresPool } from "../../../fixtures/client-libraries/postgres.ts";
import { type Env, scenarioWorker } from "./scenarios.ts";

function pool({ NETWORK, DB }: Env, host = "db.internal"): Sql {
  if (DB !== undefined) return postgres(DB.connectionString, { max: 5, onnotice: () => {} });
  return createPostgresPool(NETWORK, `postgres://postgres:postgres@${host}:5432/postgres`, {
    max: 5,
    onnotice: () => {},
  });
}

export default scenarioWorker({
  async query(env) {
    const sql = pool(env);
    const rows = await sql`select ${41}::int + 1 as sum, current_database() as database`;
    await sql.end();
    return rows;
  },

  async prepared(env) {
    const sql = pool(env);
    const connection = await sql.reserve();
    const double = async (n: number): Promise<unknown> => (await connection`select ${n}::int * 2 as n`)[0]?.["n"];
    const answers = [await double(1), await double(2)];
    const [row] =
      await connection`select count(*)::int as count from pg_prepared_statements where statement like '%* 2 as n'`;
    connection.release();
    await sql.end();
    return { answers, prepared: row?.["count"] };
  },

  async transaction(env) {
    const sql = pool(env);
    const connection = await sql.reserve();
    await connection`create temp table kept (n int)`;
    await connection`begin`;
    await connection`insert into kept select generate_series(1, 3)`;
    await connection`rollback`;
    await connection`begin`;
    await connection`insert into kept values (1)`;
    await connection`commit`;
    const [row] = await connection`select count(*)::int as count from kept`;
    connection.release();
    await sql.end();
    return row?.["count"];
  },

  /** What other connections see during an open transaction. */
  async isolation(env) {
    const sql = pool(env);
    await sql`drop table if exists ledger`;
    await sql`create table ledger (n int)`;
    const count = async (): Promise<unknown> => (await sql`select count(*)::int as n from ledger`)[0]?.["n"];
    const during = await sql.begin(async (writer) => {
      await writer`insert into ledger values (1)`;
      return await Promise.all([count(), count(), count()]);
    });
    const after = await count();
    await sql.end();
    return { during, after };
  },

  /** Five slow queries at the same time, each on its own connection. */
  async concurrent(env) {
    const sql = pool(env);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => sql`select pg_backend_pid() as pid, pg_sleep(0.3)::text`),
    );
    await sql.end();
    return { size: 5, backends: new Set(answers.map(([row]) => row?.["pid"])).size };
  },

  async large(env, query) {
    const sql = pool(env);
    const rows = await sql`select repeat('x', 1000) as text from generate_series(1, ${query.get("rows")}::int)`;
    await sql.end();
    return { rows: rows.length, length: rows.reduce((sum, { text }) => sum + text.length, 0) };
  },

  async upload(env, query) {
    const sql = pool(env);
    const text = "y".repeat(Number(query.get("length")));
    const [row] =
      await sql`select length(${text}::text) as length, md5(${text}::text) = md5(repeat('y', ${text.length}::int)) as same`;
    await sql.end();
    return row;
  },

  /** Fetches the rows in hundreds, with a slow reader. */
  async slowReader(env, query) {
    const sql = pool(env);
    let rows = 0;
    let length = 0;
    const cursor = sql`select repeat('x', 10000) as text from generate_series(1, ${query.get("rows")}::int)`.cursor(
      100,
    );
    for await (const batch of cursor) {
      await scheduler.wait(5);
      rows += batch.length;
      for (const { text } of batch) length += text.length;
    }
    await sql.end();
    return { rows, length };
  },

  /** A message that the server sends on an idle connection. */
  async notify(env) {
    const sql = pool(env);
    const { promise, resolve } = Promise.withResolvers<string>();
    await sql.listen("news", resolve);
    await sql.notify("news", "hello");
    const payload = await promise;
    await sql.end();
    return payload;
  },

  async sqlError(env) {
    const sql = pool(env);
    const error: unknown = await sql`select no_such_column`.catch((reason: unknown) => reason);
    const [row] = await sql`select 1 as one`;
    await sql.end();
    return { code: error instanceof Error && "code" in error && error.code, next: row?.["one"] };
  },

  /** The server ends a connection, and the pool opens another one. */
  async terminated(env) {
    const sql = pool(env);
    const error = await sql`select pg_terminate_backend(pg_backend_pid())`.catch((reason: unknown) => String(reason));
    const [row] = await sql`select 1 as one`;
    // Without a limit, it waits forever for the query of the lost connection, in Node too.
    await sql.end({ timeout: 1 });
    return { error, next: row?.["one"] };
  },

  async connectTo(env, query) {
    const sql = pool(env, query.get("host") ?? "");
    await sql`select 1`;
  },
});
