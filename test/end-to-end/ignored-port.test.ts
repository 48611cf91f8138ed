/** A VPC Service ignores the port in a URL or address. A message says so once for each binding, if the port differs. */

import { expect, test } from "vitest";
import { type Destination, decide } from "../../service-worker/routing/decide.ts";
import { describeIgnoredPort, portInUrl } from "../../service-worker/routing/ignored-port.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import { destinationOf } from "../../service-worker/routing/transport.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { SERVICE, TUNNEL, startTestWorker, type TestEnv } from "../setup/test-worker.ts";
import { DEFAULT_SETTINGS } from "../../plugin/model.ts";
import { type Binding, type Service, TABLE_VERSION, type Target } from "../../service-worker/routing/table.ts";

type Ports = Omit<Service, "label" | "origin">;

function describe(service: Ports, asked: Destination, port: number | undefined): string | undefined {
  const shared = { workerName: "api", configFile: "vpc.jsonc", limits: DEFAULT_SETTINGS.limits, traffic: false };
  const named: Service = { label: "users", origin: "vpc.jsonc:1:1", ...service };
  const API: Binding = {
    ...shared,
    kind: "service",
    bindingName: "API",
    label: "API",
    serviceId: SERVICE,
    tls: { verify: "verify_full", ca: [] },
    service: named,
  };
  const index = indexTable({ version: TABLE_VERSION, generation: 1, bindings: { API }, networks: [] });
  return describeIgnoredPort(decide(index, "API", asked), { scheme: asked.scheme, port });
}

const record: Ports = { type: "http", hosts: ["users.internal"], httpPort: 8080, httpsPort: 8443 };
const shorthand = { hosts: [], httpPort: 80, httpsPort: 443 };
const local: Target = { type: "address", host: "localhost", port: 3001 };

test.each<[url: string, Ports, Target, isIgnored: boolean]>([
  ["http://users.internal/", record, local, false],
  ["http://users.internal:80/", record, local, false],
  ["http://users.internal:81/", record, local, true],
  ["http://users.internal:8080/", record, local, false],
  ["https://users.internal:8080/", record, local, true],
  ["https://users.internal:8443/", record, local, false],
  ["http://users.internal:3001/", record, local, false],
  ["http://users.internal:3001/", { ...shorthand, type: "http" }, local, false],
  ["http://users.internal:8080/", { ...shorthand, type: "http" }, local, true],
  ["http://users.internal:8080/", { ...shorthand, type: "both" }, { type: "worker", workerName: "x" }, true],
  ["http://users.internal:8080/", { type: "http", hosts: ["users.internal"], httpsPort: 8443 }, local, false],
])("%s on %o, target %o: %s", (text, service, target, isIgnored) => {
  const url = new URL(text);
  const words = describe({ ...service, target }, destinationOf(url), portInUrl(url));
  expect(words !== undefined).toBe(isIgnored);
});

test.each<[what: string, port: number, Ports, Target, isIgnored: boolean]>([
  ["a record", 5432, { type: "tcp", hosts: ["db.internal"], tcpPort: 5432 }, local, false],
  ["a record", 5433, { type: "tcp", hosts: ["db.internal"], tcpPort: 5432 }, local, true],
  ["a target", 3001, { type: "both", hosts: [], tcpPort: 3001 }, local, false],
  ["a target", 5432, { type: "both", hosts: [], tcpPort: 3001 }, local, true],
  ["a Unix socket", 5432, { type: "both", hosts: [], tcpPort: 1 }, { type: "unix", path: "/db" }, false],
])("connect() to %s at port %i", (_what, port, service, target, isIgnored) => {
  const words = describe({ ...service, target }, { scheme: "tcp", host: "db.internal", port }, port);
  expect(words !== undefined).toBe(isIgnored);
});

test("the message appears once for each VPC Service, and never for a VPC Network", async () => {
  await using origin = await startHttpOrigin(ok("users"));
  await using worker = await startTestWorker({
    config: {
      services: { [SERVICE]: `http://127.0.0.1:${origin.port}` },
      networks: { [TUNNEL]: { routes: { "users.internal:8080": `127.0.0.1:${origin.port}` } } },
    },
    ops: {
      get: async (env, [binding, url]: [keyof TestEnv, string]) => (await env[binding].fetch(url)).text(),
    },
  });
  expect(await worker.call("get", ["NET", "http://users.internal:8080/"])).toBe("users");
  expect(await worker.call("get", ["API", "http://users.internal/"])).toBe("users");
  expect(worker.output()).not.toContain("ignored");
  for (const port of [8080, 8080, 8081])
    expect(await worker.call("get", ["API", `http://users.internal:${port}/`])).toBe("users");
  expect(worker.output().match(/.*is ignored.*/g)).toEqual([
    "API  the URL's port 8080 is ignored: a VPC Service uses its own, in production too (warned once)",
  ]);
});
