/** `mysql2` in a Worker. */

import { type Pool, type RowDataPacket, createPool } from "mysql2/promise";
import { createMysqlPool } from "../../../fixtures/client-libraries/mysql2.ts";
import { type Env, scenarioWorker } from "./scenarios.ts";

function pool({ NETWORK, DB }: Env, host = "db.internal"): Pool {
  if (DB !== undefined) {
    const { host: server, port, user, password, database } = DB;
    return createPool({ host: server, port, user, password, database, connectionLimit: 5, disableEval: true });
  }
  return createMysqlPool(NETWORK, `mysql://app:secret@${host}:3306/shop`, { connectionLimit: 5 });
}

/** The rows of a query or a prepared statement. */
type Rows = RowDataPacket[];

export default scenarioWorker({
  async query(env) {
    const clients = pool(env);
    const [rows] = await clients.query<Rows>("select ? + 1 as sum, database() as name", [41]);
    await clients.end();
    return rows;
  },

  async prepared(env) {
    const clients = pool(env);
    const client = await clients.getConnection();
    const double = async (n: number): Promise<unknown> =>
      (await client.execute<Rows>("select cast(? as signed) * 2 as n", [n]))[0][0]?.["n"];
    const answers = [await double(1), await double(2)];
    const [rows] = await client.query<Rows>("show session status like 'Com_stmt_prepare'");
    client.release();
    await clients.end();
    return { answers, prepared: Number(rows[0]?.["Value"]) };
  },

  /** What other connections see during an open transaction. */
  async isolation(env) {
    const clients = pool(env);
    await clients.query("create or replace table ledger (n int) engine=innodb");
    const count = async (): Promise<unknown> =>
      (await clients.query<Rows>("select count(*) as n from ledger"))[0][0]?.["n"];
    const writer = await clients.getConnection();
    await writer.beginTransaction();
    await writer.query("insert into ledger values (1)");
    const during = await Promise.all([count(), count(), count()]);
    await writer.commit();
    writer.release();
    const after = await count();
    await clients.end();
    return { during, after };
  },

  /** Five slow queries at the same time, each on its own connection. */
  async concurrent(env) {
    const clients = pool(env);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => clients.query<Rows>("select connection_id() as id, sleep(0.3)")),
    );
    await clients.end();
    return new Set(answers.map(([rows]) => rows[0]?.["id"])).size;
  },

  async large(env, query) {
    const clients = pool(env);
    const [rows] = await clients.query<Rows>(
      `select repeat('x', 1000) as text from seq_1_to_${Number(query.get("rows"))}`,
    );
    await clients.end();
    return { rows: rows.length, length: rows.reduce((sum, row) => sum + String(row["text"]).length, 0) };
  },

  async upload(env, query) {
    const clients = pool(env);
    const text = "y".repeat(Number(query.get("length")));
    const [rows] = await clients.query<Rows>("select length(?) as length", [text]);
    await clients.end();
    return rows[0]?.["length"];
  },

  async sqlError(env) {
    const clients = pool(env);
    const error: unknown = await clients.query("select no_such_column").catch((reason: unknown) => reason);
    const [rows] = await clients.query<Rows>("select 1 as one");
    await clients.end();
    return { code: error instanceof Error && "code" in error && error.code, next: rows[0]?.["one"] };
  },

  /** The server ends a connection, and the pool opens another one. */
  async terminated(env) {
    const clients = pool(env);
    const client = await clients.getConnection();
    const ended = new Promise((resolve) => client.once("error", resolve));
    const error = await client.query("kill connection_id()").catch((reason: unknown) => String(reason));
    await Promise.race([ended, client.query("select 1").catch(() => undefined)]);
    client.destroy();
    const [rows] = await clients.query<Rows>("select 1 as one");
    await clients.end();
    return { error, next: rows[0]?.["one"] };
  },

  async connectTo(env, query) {
    await pool(env, query.get("host") ?? "").query("select 1");
  },
});
