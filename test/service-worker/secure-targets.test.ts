/** Which https targets get a client of workerd's own. A request must find it by the same name. */

import { expect, test } from "vitest";
import { MAX_SECURE, knownSecureTargets } from "../../plugin/miniflare/known-secure-targets.ts";

import { explain } from "../../service-worker/routing/explain.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import type { RoutingTable } from "../../service-worker/routing/table.ts";
import { createFolder, networkBinding, serviceBinding } from "../setup/vpc-folder.ts";

async function tableOf(config: object): Promise<RoutingTable> {
  await using vpc = await createFolder();
  await vpc.write("vpc.json", JSON.stringify(config));
  const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET"), serviceBinding("API")])]);
  return loaded.table;
}

function wayOf(table: RoutingTable, bindingName: string, url: string): string | undefined {
  const known = knownSecureTargets(table);
  const options = { index: indexTable(table), bindingId: `app/${bindingName}`, known };
  return explain({ op: "fetch", url: new URL(url) }, options).passage?.way;
}

const record = {
  type: "http",
  name: "users",
  host: { hostname: "users.internal", resolver_network: { tunnel_id: "550e8400-e29b-41d4-a716-446655440000" } },
};

test.each<[title: string, config: object, binding: "NET" | "API", url: string, way: "direct" | "egress"]>([
  ["an exact name", routes({ "a.internal": "localhost:1" }), "NET", "https://A.internal.:9/", "direct"],
  [
    "an exact name with a port",
    routes({ "a.internal:8443": "127.0.0.1" }),
    "NET",
    "https://a.internal:8443/",
    "direct",
  ],
  ["an https:// target", routes({ "a.internal": "https://[::1]:1" }), "NET", "http://a.internal/", "direct"],
  ["a port that comes with the request", routes({ "a.internal": "127.0.0.1" }), "NET", "https://a.internal/", "egress"],
  ["a wildcard", routes({ "*.internal": "127.0.0.1:1" }), "NET", "https://a.internal/", "egress"],
  ["an address", routes({ "10.0.0.1": "127.0.0.1:1" }), "NET", "https://10.0.0.1/", "egress"],
  ["a target with a name", routes({ "a.internal": "box.lan:1" }), "NET", "https://a.internal/", "egress"],
  ["a Unix socket", routes({ "a.internal": "unix:/a.sock" }), "NET", "https://a.internal/", "egress"],
  [
    "a limit of the route",
    routes({ "a.internal": { target: "127.0.0.1:1", readTimeout: 1 } }),
    "NET",
    "https://a.internal/",
    "egress",
  ],
  [
    "another mode",
    routes({ "a.internal": { target: "127.0.0.1:1", tls_settings: { cert_verification_mode: "verify_ca" } } }),
    "NET",
    "https://a.internal/",
    "egress",
  ],
  ["a record's host", services({ ...record, target: "localhost:1" }), "API", "https://users.internal/", "direct"],
  ["another host", services({ ...record, target: "localhost:1" }), "API", "https://other.internal/", "egress"],
  ["a shorthand, which names no host", services("https://localhost:1"), "API", "https://users.internal/", "egress"],
  [
    "the route of a record's host",
    {
      services: { API: { ...record, https_port: 8443 } },
      networks: { [record.host.resolver_network.tunnel_id]: { routes: { "users.internal:8443": "localhost:1" } } },
    },
    "API",
    "https://users.internal/",
    "direct",
  ],
])("%s", async (_, config, binding, url, way) => {
  expect(wayOf(await tableOf(config), binding, url)).toBe(way);
});

test.each([
  ["my_service.internal", "direct"],
  ["a--b.c", "direct"],
  ["xn--bcher-kva.internal", "direct"],
  ["1.2.internal", "direct"],
  ["single", "direct"],
  [`${"a".repeat(63)}.internal`, "direct"],
  [`${"a".repeat(64)}.internal`, "egress"],
  ["-a.internal", "egress"],
  ["a.b-.internal", "egress"],
])("the name %s, for which workerd's TLS may have no use", async (name, way) => {
  expect(wayOf(await tableOf(routes({ [name]: "127.0.0.1:1" })), "NET", `https://${name}/`)).toBe(way);
});

test("if there are too many, those that say https come first", async () => {
  const names = Array.from({ length: MAX_SECURE }, (_, index) => `n${index}.internal`);
  const plain = Object.fromEntries(names.map((name, index) => [name, `localhost:${index + 1000}`]));
  const said = { "said.internal": "https://localhost:1", "default.internal:443": "localhost:2" };
  const table = await tableOf(routes({ ...plain, ...said }));
  expect(knownSecureTargets(table).size).toBe(MAX_SECURE);
  const ways = ["n0", `n${MAX_SECURE - 3}`, `n${MAX_SECURE - 2}`, "said", "default"].map((name) =>
    wayOf(table, "NET", `https://${name}.internal/`),
  );
  expect(ways).toEqual(["direct", "direct", "egress", "direct", "direct"]);
});

test("routes that trust the same roots share a service", async () => {
  const table = await tableOf(
    routes({ "a.internal:1": { target: "127.0.0.1:1" }, "a.internal:2": { target: "127.0.0.1:1", connectTimeout: 9 } }),
  );
  expect(knownSecureTargets(table).size).toBe(1);
});

function routes(entries: object): object {
  return { networks: { NET: { routes: entries } } };
}

function services(entry: object | string): object {
  return { services: { API: entry } };
}
