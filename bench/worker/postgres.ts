/** Queries of `pg`, over either kind of socket. */

import { connect } from "cloudflare:sockets";
import { createPgPool } from "../../fixtures/client-libraries/pg.ts";
import type { Queries } from "../jobs.ts";
import { type Env, bindingOf } from "./http.ts";

export async function query(env: Env, { through, address, operations, isReconnecting }: Queries): Promise<void> {
  const network = through === undefined ? ({ connect } as Fetcher) : bindingOf(env, through);
  const pool = createPgPool(network, `postgres://postgres:postgres@${address}/postgres`, {
    max: 1,
    ...(isReconnecting && { maxUses: 1 }),
  });
  for (let done = 0; done < operations; done++) {
    const { rows } = await pool.query("select item, quantity from orders where customer = $1", [1]);
    if (rows.length !== 2) throw new Error(`${rows.length} rows`);
  }
  await pool.end();
}
