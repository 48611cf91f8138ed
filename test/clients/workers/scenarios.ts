/** A Worker whose paths are scenarios, each answered with what it returned or threw. */

export interface Env {
  NETWORK: Fetcher;
}

/** Everything in it survives JSON. */
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
