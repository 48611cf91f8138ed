/** A Worker whose paths are scenarios. It answers with what the scenario returned or threw. */

export interface Env {
  NETWORK: Fetcher;
  /** If there is one, the library connects with it, not with `NETWORK`. */
  DB?: Hyperdrive;
}

/** The result must be JSON data. */
export type Scenario = (env: Env, query: URLSearchParams) => Promise<unknown>;

export function scenarioWorker(scenarios: Record<string, Scenario>): ExportedHandler<Env> {
  return {
    async fetch(request, env) {
      const { pathname, searchParams } = new URL(request.url);
      const scenario = scenarios[pathname.slice(1)];
      if (scenario === undefined) return Response.json({ thrown: `there is no scenario ${pathname}` });
      const begun = Date.now();
      try {
        return Response.json({ returned: await scenario(env, searchParams) });
      } catch (error) {
        return Response.json({ thrown: String(error), milliseconds: Date.now() - begun });
      }
    },
  };
}
