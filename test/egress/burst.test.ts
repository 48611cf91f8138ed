/** Many calls begin at once while this process is busy: none is lost. */

import { afterAll, beforeAll, expect, test } from "vitest";

import { ops } from "../control/start-controlled.ts";
import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { type TestWorker, TUNNEL, startTestWorker } from "../setup/test-worker.ts";

/** Milliseconds. */
const BUSY = 1500;
const stack = new AsyncDisposableStack();
let origin: HttpOrigin;
let worker: TestWorker;

beforeAll(async () => {
  origin = stack.use(
    await startHttpOrigin(() => {
      // The egress proxy is in this process, so it accepts nothing meanwhile.
      for (const until = performance.now() + BUSY; origin.requests.length === 1 && performance.now() < until;);
      return ok("x");
    }),
  );
  // A fault that never acts leads all calls through the egress proxy.
  const faults = [{ type: "latency", toxicity: 0, attributes: { latency: 1 } } as const];
  const routes = { "a.internal": { target: `127.0.0.1:${origin.port}`, faults } };
  worker = stack.use(await startTestWorker({ config: { networks: { [TUNNEL]: { routes } } }, ops }));
});
afterAll(() => stack.disposeAsync());

test("a thousand calls of one request, while the process can't accept connections", async () => {
  await worker.call("many", { from: 0, count: 1000 });
  expect(origin.requests).toHaveLength(1000);
}, 60_000);
