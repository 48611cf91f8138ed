/** Compares `pg` in a Worker over `env.NET.connect()` with `pg` over `cloudflare:sockets`. */

import type { BenchInstance } from "./instance.ts";
import { type Subject, again, measure } from "./measure.ts";
import { type BenchReport, report } from "./report.ts";
import type { SuiteContext } from "./suite.ts";

const DIRECT = "cloudflare:sockets";
const BINDING = "env.NET.connect";
const TRAFFIC = "env.NET.connect, traffic lines";

export async function* benchPostgres(context: SuiteContext): AsyncGenerator<BenchReport> {
  const { upstream, quiet, talking } = context;
  for (const isReconnecting of [false, true]) {
    const subject = (name: string, instance: BenchInstance, through?: string): Subject => ({
      name,
      run: (operations) =>
        instance.run("query", {
          ...(through !== undefined && { through }),
          address: through === undefined ? `127.0.0.1:${upstream.postgres}` : "db.internal:5432",
          operations,
          isReconnecting,
        }),
    });
    const direct = subject(DIRECT, quiet);
    const subjects = [direct, again(direct), subject(BINDING, quiet, "NET"), subject(TRAFFIC, talking, "NET")];
    yield report({
      title: `PostgreSQL, ${isReconnecting ? "a connection for each query" : "one connection"}`,
      operation: "a query",
      samples: await measure(subjects, context.rounds(0.5)),
      pairs: [
        { subject: `${DIRECT}, again`, against: DIRECT },
        { subject: BINDING, against: DIRECT, ...(isReconnecting && { goal: 1.15 }) },
        { subject: TRAFFIC, against: DIRECT },
      ],
    });
  }
}
