/** What TypeScript says of a wrong config: each `@ts-expect-error` is an error itself if the line compiles. */

import type { MiniflareOptions } from "miniflare";
import { type VpcConfig, defineVpcConfig, withVpc } from "miniflare-vpc";
import { expect, expectTypeOf, it } from "vitest";

const options: MiniflareOptions = { workers: [{ config: { name: "app", compatibilityDate: "2026-11-01" } }] };

it("accepts what the schema accepts", () => {
  const config = defineVpcConfig({
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
    },
    networks: {
      NET: { routes: { "a.internal": { deny: "dns_error" } }, resolver_ips: ["10.0.0.53:5353"], connectionLimit: 1 },
      REAL: "remote",
    },
    connectTimeout: 1000,
    rateLimit: { limit: 100, period: 10 },
  });
  expectTypeOf(config).toEqualTypeOf<VpcConfig>();
  expectTypeOf(withVpc(options, { config })).toEqualTypeOf<MiniflareOptions>();
  expect(withVpc(options, { config }).workers).toHaveLength(1);
});

it("refuses a wrong field at compile time", () => {
  // @ts-expect-error: a slip of the finger
  defineVpcConfig({ service: {} });
  // @ts-expect-error: not one of the codes
  defineVpcConfig({ networks: { NET: { routes: { "a.internal": { deny: "nope" } } } } });
  // @ts-expect-error: a number is no target
  defineVpcConfig({ services: { API: 3001 } });
  // @ts-expect-error: not an option
  withVpc(options, { configuration: "vpc.jsonc" });
  // @ts-expect-error: seconds as text
  withVpc(options, { config: { connectTimeout: "5s" } });
  // @ts-expect-error: calls without "limit"
  defineVpcConfig({ rateLimit: 100 });
  // @ts-expect-error: resolvers are a network's
  defineVpcConfig({ resolver_ips: ["10.0.0.53"] });
  expect(() => withVpc({ workers: [] })).toThrow(/options\.workers is empty/);
});
