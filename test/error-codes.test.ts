/**
 * Every error code from every cause it has: what the Worker sees, what the developer reads, and that a
 * healthy target is reached at once afterwards.
 */

import { describe, expect, test, vi } from "vitest";
import { type ProxyErrorCode, PROXY_ERROR_CODES } from "../service-worker/proxy-error.ts";
import { type Cause, type Causes, TUNNEL, causeOps } from "./cases/cause.ts";
import * as connection from "./cases/causes-connection.ts";
import * as http from "./cases/causes-http.ts";
import * as policy from "./cases/causes-policy.ts";
import { ok, startHttpOrigin } from "./servers/http-origin.ts";
import { startSession } from "./session.ts";

/** Codes that no cause on this machine brings about, and why. */
const POLICY_ONLY: Partial<Record<ProxyErrorCode, string>> = {
  destination_ip_prohibited: "a policy of the account forbids an address; here that is a deny",
};

const CAUSES: Record<ProxyErrorCode, Causes> = {
  connection_refused: connection.REFUSED,
  connection_terminated: connection.TERMINATED,
  connection_timeout: connection.TIMED_OUT,
  connection_limit_reached: connection.LIMITED,
  destination_unavailable: policy.UNAVAILABLE,
  destination_not_found: policy.NOT_FOUND,
  destination_ip_prohibited: {},
  destination_ip_unroutable: policy.UNROUTABLE,
  proxy_loop_detected: policy.LOOP,
  dns_error: {},
  dns_timeout: {},
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
};

describe.each(PROXY_ERROR_CODES)("%s", (code) => {
  test("has a cause, or a reason why not", () => {
    expect(Object.keys(CAUSES[code]).length > 0).not.toBe(code in POLICY_ONLY);
  });

  test.each(Object.entries({ ...CAUSES[code], ...policy.denied(code) }))("%s", async (_, prepare) => {
    await using stack = new AsyncDisposableStack();
    const cause = await prepare(stack);
    const healthy = stack.use(await startHttpOrigin(ok("healthy")));
    await using session = await startSession({ config: configOf(cause, healthy.port), ops: causeOps });
    const { port } = await session.miniflare.ready;
    const failing = session.call(cause.op, cause.argument.replace("PORT", port));
    await expect(failing).rejects.toThrow(`ProxyError: ${code}`);
    await expect(failing).rejects.toHaveProperty("message", `ProxyError: ${code}`);
    await vi.waitFor(() => expect(session.output()).toMatch(cause.says));
    expect(session.output()).toContain(`ProxyError: ${code}\n`);
    if (code !== "rate_limited") expect(await session.call("fetch", "http://healthy.internal/")).toBe("healthy");
    // Neither a stack nor a word of the runtime's own.
    expect(session.output()).not.toMatch(/stack:|workerd@|internal error|\n\s+at |Uncaught/i);
  });
});

function configOf({ config, network, routes }: Cause, healthyPort: number): object {
  const healthy = { "healthy.internal": `127.0.0.1:${healthyPort}` };
  return { ...config, networks: { [TUNNEL]: { ...network, routes: { ...routes, ...healthy } } } };
}
