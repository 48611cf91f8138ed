/**
 * The measured Worker. Each request performs many operations through one of its bindings. The caller measures the time,
 * because the clock stands still in a Worker while it computes.
 */

import type { Jobs } from "../jobs.ts";
import { type Env, fetchMany, transfer } from "./http.ts";
import { connectAndAsk, connectMany, download, roundTrips, upload } from "./tcp.ts";
import { query } from "./postgres.ts";

const jobs: { [Name in keyof Jobs]: (env: Env, argument: Jobs[Name]) => Promise<void> } = {
  fetchMany,
  transfer,
  connectMany,
  connectAndAsk,
  roundTrips,
  download,
  upload,
  query,
};

const worker: ExportedHandler<Env> = {
  async fetch(request, env) {
    const job = new URL(request.url).pathname.slice(1);
    if (!(job in jobs)) return new Response(`there is no job ${job}`, { status: 404 });
    await jobs[job as keyof Jobs](env, await request.json<never>());
    return new Response();
  },
};

export default worker;
