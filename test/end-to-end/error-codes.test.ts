/** Every error code from each of its causes: the Worker's error, the message in the terminal, and that the next request works. */

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type ProxyErrorCode, PROXY_ERROR_CODES } from "../../service-worker/routing/error-codes.ts";
import { type Cause, type Causes, SERVICE, TUNNEL, causeOps } from "./cause.ts";
import * as connection from "./causes-connection.ts";
import * as http from "./causes-http.ts";
import * as policy from "./causes-policy.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { type TestWorker, startTestWorker } from "../setup/test-worker.ts";

/** In production, a policy of the account forbids an address. On this machine, only a `deny` has this code. */
type PolicyOnly = "destination_ip_prohibited";

const CAUSES = {
  connection_refused: connection.REFUSED,
  connection_terminated: connection.TERMINATED,
  connection_timeout: connection.TIMED_OUT,
  connection_limit_reached: connection.LIMITED,
  destination_unavailable: policy.UNAVAILABLE,
  destination_not_found: policy.NOT_FOUND,
  destination_ip_unroutable: policy.UNROUTABLE,
  proxy_loop_detected: policy.LOOP,
  dns_error: connection.DNS_ERROR,
  dns_timeout: connection.DNS_TIMED_OUT,
  tls_protocol_error: connection.TLS_PROTOCOL,
  tls_certificate_error: connection.TLS_CERTIFICATE,
  http_request_error: http.REQUEST_ERROR,
  http_upgrade_failed: http.UPGRADE_FAILED,
  http_request_denied: policy.DENIED,
  http_protocol_error: http.NOT_HTTP,
  http_response_incomplete: http.INCOMPLETE,
  connection_read_timeout: http.READ_TIMED_OUT,
  connection_write_timeout: http.WRITE_TIMED_OUT,
  rate_limited: policy.RATE_LIMITED,
  proxy_internal_error: policy.INTERNAL,
} satisfies Record<Exclude<ProxyErrorCode, PolicyOnly>, Causes>;

const HEALTHY = "0199f0a4-0000-7000-8000-000000000001";
const env = {
  API: { type: "vpc-service", id: SERVICE },
  NET: { type: "vpc-network", tunnelId: TUNNEL },
  HEALTHY: { type: "vpc-service", id: HEALTHY },
};

describe.each(Object.entries<Causes>(CAUSES))("%s", (code, causes) => {
  test.each(Object.entries(causes))("%s", async (_, prepare) => {
    await using stack = new AsyncDisposableStack();
    const cause = await prepare(stack);
    const healthy = stack.use(await startHttpOrigin(ok("healthy")));
    await using worker = await startTestWorker({ config: configOf(cause, healthy.port), env, ops: causeOps });
    const { port } = await worker.miniflare.ready;
    await expect(worker.call(cause.op, cause.argument.replace("PORT", port))).rejects.toMatchObject({
      message: `ProxyError: ${code}`,
    });
    await vi.waitFor(() => expect(worker.output()).toMatch(cause.says));
    expect(worker.output()).toContain(`ProxyError: ${code}\n`);
    // A target that was not known at the start has a lane by then.
    for (let times = 0; cause.op === "fetch" && !cause.variesOnLane && times < 3; times++) {
      const before = worker.output().length;
      await expect(worker.call(cause.op, cause.argument)).rejects.toMatchObject({
        message: expect.stringMatching(`^ProxyError: (${code}|${cause.onLane ?? code})$`),
      });
      await vi.waitFor(() => expect(worker.output().slice(before)).toMatch(cause.says));
    }
    expect(await worker.call("healthy")).toBe("healthy");
    // No stack, and no message of the runtime.
    expect(worker.output()).not.toMatch(/stack:|workerd@|internal error|\n\s+at |Uncaught/i);
  });
});

function configOf({ config, network, routes }: Cause, healthyPort: number): object {
  return {
    ...config,
    services: { ...config?.services, [HEALTHY]: `127.0.0.1:${healthyPort}` },
    networks: { [TUNNEL]: { ...network, routes: { ...network?.routes, ...routes } } },
  };
}

describe("deny", () => {
  let worker: TestWorker;
  beforeAll(async () => {
    const routes = Object.fromEntries(PROXY_ERROR_CODES.map((code) => [`${code}.internal`, { deny: code }]));
    worker = await startTestWorker({ config: { networks: { [TUNNEL]: { routes } } }, ops: causeOps });
  });
  afterAll(() => worker[Symbol.asyncDispose]());

  test.each(PROXY_ERROR_CODES)("%s", async (code) => {
    const message = `ProxyError: ${code}`;
    await expect(worker.call("fetch", `http://${code}.internal/`)).rejects.toMatchObject({ message });
    await expect(worker.call("connect", `${code}.internal:1`)).rejects.toMatchObject({ message });
    await vi.waitFor(() =>
      expect(worker.output()).toContain(`connect ${code}.internal:1  ${message}\n  the vpc config denies it`),
    );
  });
});
