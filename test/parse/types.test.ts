/** Type errors in a config: each `@ts-expect-error` is an error itself if the line compiles. */

import type { MiniflareOptions } from "miniflare";
import { type VpcConfig, defineVpcConfig, withVpc } from "miniflare-vpc";
import { expect, expectTypeOf, it } from "vitest";

const options: MiniflareOptions = { workers: [{ config: { name: "app", compatibilityDate: "2026-11-01" } }] };

it("accepts what the schema accepts", () => {
  const config = defineVpcConfig({
    certificates: { a: { ca: "./corp.pem" }, b: { cert: "./client.pem", key: "./client.key" } },
    trust: "production",
    services: {
      API: "http://localhost:3001",
      RECORD: {
        name: "users",
        type: "http",
        host: { hostname: "users.internal", resolver_network: { tunnel_id: "x" } },
        readTimeout: 1000,
        rateLimit: { limit: 10 },
      },
      FUNCTION: (request) => new Response(request.url),
      ANSWERS: { respond: [{ when: { headers: { accept: /json/ } }, json: {} }, { status: 404 }] },
      RECORDED: { har: "./users.har", notFound: "fallback", target: "localhost:1" },
      FAULTY: { target: "localhost:1", faults: [{ type: "http_status", attributes: { status: 503 } }] },
    },
    networks: {
      NET: {
        routes: {
          "a.internal": { deny: "dns_error" },
          "b.internal": { target: "localhost:1", tls_settings: { cert_verification_mode: "disabled" }, ca: ["b.pem"] },
          "c.internal": { target: (request) => new Response(request.url), readTimeout: 1000, workerLimit: 1 },
          "d.internal": {
            target: "localhost:1",
            faults: [
              { type: "latency", stream: "downstream", toxicity: 0.5, attributes: { latency: 200, jitter: 50 } },
              { type: "slicer", attributes: { average_size: 10 } },
              { name: "off", type: "down" },
              { type: "timeout" },
              { type: "failure", attributes: { code: "dns_error" } },
            ],
          },
        },
        resolver_ips: ["10.0.0.53:5353"],
        connectionLimit: 1,
      },
      REAL: "remote",
    },
    seed: 7,
    connectTimeout: 1000,
    rateLimit: { limit: 100, period: 10 },
  });
  expectTypeOf(config).toEqualTypeOf<VpcConfig>();
  expectTypeOf(withVpc(options, { config })).toEqualTypeOf<MiniflareOptions>();
  expect(withVpc(options, { config }).workers).toHaveLength(1);
});

it("refuses a wrong field at compile time", () => {
  // @ts-expect-error: a typo
  defineVpcConfig({ service: {} });
  // @ts-expect-error: not one of the codes
  defineVpcConfig({ networks: { NET: { routes: { "a.internal": { deny: "nope" } } } } });
  // @ts-expect-error: settings without a target
  defineVpcConfig({ networks: { NET: { routes: { "a.internal": { readTimeout: 1000 } } } } });
  // @ts-expect-error: it counts the calls of a binding
  defineVpcConfig({ networks: { NET: { routes: { "a.internal": { target: "a:1", rateLimit: { limit: 1 } } } } } });
  // @ts-expect-error: not one of the faults
  defineVpcConfig({ services: { API: { target: "a:1", faults: [{ type: "latncy" }] } } });
  // @ts-expect-error: an attribute of another fault
  defineVpcConfig({ services: { API: { target: "a:1", faults: [{ type: "latency", attributes: { rate: 1 } }] } } });
  // @ts-expect-error: without the rate
  defineVpcConfig({ services: { API: { target: "a:1", faults: [{ type: "bandwidth" }] } } });
  // @ts-expect-error: a number is not a target
  defineVpcConfig({ services: { API: 3001 } });
  // @ts-expect-error: not an option
  withVpc(options, { configuration: "vpc.jsonc" });
  // @ts-expect-error: seconds as text
  withVpc(options, { config: { connectTimeout: "5s" } });
  // @ts-expect-error: calls without "limit"
  defineVpcConfig({ rateLimit: 100 });
  // @ts-expect-error: a certificate without its key
  defineVpcConfig({ certificates: { a: { cert: "./client.pem" } } });
  // @ts-expect-error: not a mode
  defineVpcConfig({ trust: "strict" });
  // @ts-expect-error: only networks have resolvers
  defineVpcConfig({ resolver_ips: ["10.0.0.53"] });
  expect(() => withVpc({ workers: [] })).toThrow(/options\.workers is empty/);
});
