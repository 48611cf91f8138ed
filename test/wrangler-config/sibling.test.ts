import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../plugin/wrangler-config/read-wrangler.ts";
import { SIBLING_PATTERN, siblingName, siblingPid, writeSibling } from "../../plugin/wrangler-config/sibling.ts";

interface Options {
  env?: string;
  remote?: string[];
  userFile?: string;
}

function rewrite(raw: JsonObject, { env, remote = [], userFile = "/app/wrangler.toml" }: Options = {}): JsonObject {
  const before = structuredClone(raw);
  const text = writeSibling(
    { file: "/app/wrangler.toml", raw },
    { pluginPackage: "/pkg/index.js", env, userFile, isRemote: (bindingName) => remote.includes(bindingName) },
  );
  expect(raw, "the given config is not changed").toEqual(before);
  return JSON.parse(text);
}

function plugged(name: string, type: string, kind: "service" | "network", env?: string): JsonObject {
  return {
    name,
    type,
    dev: {
      plugin: { package: "/pkg/index.js", name: kind === "service" ? "VPC Service" : "VPC Network" },
      options: {
        bindingType: `vpc-${kind}`,
        id: type,
        ...(env === undefined ? {} : { env }),
        wranglerConfig: "/app/wrangler.toml",
      },
    },
  };
}

const USERS = { binding: "USERS", service_id: "0199" };
const MESH = { binding: "MESH", network_id: "cf1:network" };
const TUNNEL = { binding: "TUNNEL", tunnel_id: "550e", remote: true };

describe("the rewritten config", () => {
  test("is the same without VPC bindings", () => {
    const raw = { name: "api", vars: { A: [1, null, { b: "c" }] }, env: { staging: {} }, unsafe: { bindings: [] } };
    expect(rewrite(raw)).toEqual(raw);
  });

  test("gives every VPC binding to the plugin and keeps the rest", () => {
    const raw = { $schema: "s", name: "api", main: "src/i.ts", vpc_services: [USERS], vpc_networks: [MESH, TUNNEL] };
    expect(rewrite(raw)).toEqual({
      ...raw,
      vpc_services: [],
      vpc_networks: [],
      unsafe: {
        bindings: [
          plugged("USERS", "0199", "service"),
          plugged("MESH", "cf1:network", "network"),
          plugged("TUNNEL", "550e", "network"),
        ],
      },
    });
  });

  test("keeps the user's unsafe bindings and puts them first", () => {
    const own = { name: "OWN", type: "ratelimit", simple: { limit: 1, period: 60 } };
    const raw = { unsafe: { metadata: { a: 1 }, bindings: [own] }, vpc_services: [USERS] };
    expect(rewrite(raw)["unsafe"]).toEqual({
      metadata: { a: 1 },
      bindings: [own, plugged("USERS", "0199", "service")],
    });
  });

  test("does not move remote bindings and bindings that wrangler refuses", () => {
    const refused = { binding: "X", service_id: "1", remote: false };
    const raw = { vpc_services: [USERS, refused], vpc_networks: [MESH, TUNNEL] };
    expect(rewrite(raw, { remote: ["MESH"] })).toEqual({
      vpc_services: [refused],
      vpc_networks: [MESH],
      unsafe: { bindings: [plugged("USERS", "0199", "service"), plugged("TUNNEL", "550e", "network")] },
    });
  });
});

describe("with an environment", () => {
  test("the environment is rewritten, and the top level keeps only bindings that the environment lacks", () => {
    const raw = {
      name: "api",
      vpc_services: [USERS, { binding: "OTHER", service_id: "2" }],
      env: { staging: { vars: {}, vpc_services: [USERS] }, production: { vpc_networks: [MESH] } },
    };
    expect(rewrite(raw, { env: "staging" })).toEqual({
      name: "api",
      vpc_services: [{ binding: "OTHER", service_id: "2" }],
      env: {
        staging: { vars: {}, vpc_services: [], unsafe: { bindings: [plugged("USERS", "0199", "service", "staging")] } },
        production: { vpc_networks: [MESH] },
      },
    });
  });

  test("if the environment has no section, the top level is rewritten", () => {
    expect(rewrite({ vpc_services: [USERS] }, { env: "staging" })).toEqual({
      vpc_services: [],
      unsafe: { bindings: [plugged("USERS", "0199", "service", "staging")] },
    });
  });
});

test("wrangler generates no types from the rewritten config", () => {
  expect(rewrite({ dev: { port: 1, generate_types: true } })).toEqual({ dev: { port: 1, generate_types: false } });
});

test("fields that wrangler adds to a redirected config are dropped, and the user's config is named instead", () => {
  const raw = { name: "api", topLevelName: "api", userConfigPath: "/app/wrangler.toml", vpc_services: [USERS] };
  const sibling = rewrite(raw, { userFile: "/app/user.jsonc" });
  expect(Object.keys(sibling)).toEqual(["name", "vpc_services", "unsafe"]);
  expect(JSON.stringify(sibling)).toContain('"wranglerConfig":"/app/user.jsonc"');
});

test("the name of a sibling contains the process id", () => {
  expect(siblingPid(siblingName(123, 4))).toBe(123);
  for (const name of [
    "wrangler.json",
    ".wrangler-vpc-1.json",
    ".wrangler-vpc-1-0.json.bak",
    "x.wrangler-vpc-1-0.json",
  ]) {
    expect(siblingPid(name)).toBeUndefined();
  }
  const pattern = new RegExp(`^${SIBLING_PATTERN.replaceAll(".", String.raw`\.`).replace("*", ".*")}$`);
  expect(siblingName(123, 4)).toMatch(pattern);
});
