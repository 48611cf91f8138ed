/** docs/control.openapi.yaml describes the API that there is. */

import { readFileSync } from "node:fs";
import path from "node:path";

import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { echo, startTcpServer } from "../servers/tcp-server.ts";
import { TUNNEL } from "../setup/test-worker.ts";
import { REPOSITORY } from "../wrangler/temporary-project.ts";
import { startControlled } from "./start-controlled.ts";

const text = readFileSync(path.join(REPOSITORY, "docs/control.openapi.yaml"), "utf8");

interface Operation {
  responses: Record<string, unknown>;
}
interface Schema {
  properties?: object;
  allOf?: ({ $ref: string } | Schema)[];
}
interface Description {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}
const { paths, components }: Description = parse(text);

test("it is OpenAPI 3.1", async () => {
  const validator = new Validator();
  expect(await validator.validate(parse(text))).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
  // The validator finds mistakes.
  expect((await new Validator().validate({ openapi: "3.1.0", info: {} })).valid).toBe(false);
});

const BODIES: Record<string, unknown> = {
  "post /rules": { who: "api.internal", times: 1000, faults: [{ type: "latency", attributes: { latency: 1 } }] },
  "post /proxies": { name: "api.internal" },
  "post /proxies/{proxy}": { enabled: true },
  "patch /proxies/{proxy}": { enabled: true },
  "post /proxies/{proxy}/toxics": { type: "latency" },
  "post /proxies/{proxy}/toxics/{toxic}": { toxicity: 0.5 },
  "patch /proxies/{proxy}/toxics/{toxic}": { toxicity: 0.5 },
  "post /populate": [{ name: "api.internal" }],
};
const TOXICS = "/proxies/{proxy}/toxics";
/** What empties comes last. */
const METHODS = ["post", "patch", "get", "delete"];

test("each operation answers with the status that the file names", async () => {
  await using origin = await startHttpOrigin(ok("from the origin"));
  await using server = await startTcpServer(echo);
  const routes = { "api.internal": `127.0.0.1:${origin.port}`, "db.internal:5432": `127.0.0.1:${server.port}` };
  await using controlled = await startControlled({ config: { networks: { [TUNNEL]: { routes } } } });
  const { ask, call, url } = controlled;
  await ask("GET", "/requests");
  await call("fetch", { url: "http://api.internal/" });
  await call("connect", { address: "db.internal:5432", text: "ping" });
  await expect(call("connect", { address: "nowhere.internal:1", text: "" })).rejects.toThrow("destination_not_found");
  const failed: string[] = [];
  const operations = Object.entries(paths).flatMap(([route, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => ({ route, method, operation })),
  );
  expect(operations.length).toBeGreaterThan(25);
  const ordered = METHODS.flatMap((method) => operations.filter((each) => each.method === method));
  for (const { route, method, operation } of ordered) {
    await ask("DELETE", "/rules");
    const { id } = (await ask("POST", "/rules", { who: "api.internal", faults: [{ type: "latency" }] })).json;
    if (operation !== paths[TOXICS]?.["post"]) await ask("POST", "/proxies/api.internal/toxics", { type: "latency" });
    const at = route
      .replace("{id}", id)
      .replace("{proxy}", "api.internal")
      .replace("{toxic}", "latency_downstream")
      .replace("{entry}", route.startsWith("/requests") ? "1" : "2")
      .replace("{part}", route.startsWith("/requests") ? "response" : "received");
    const body = BODIES[`${method} ${route}`];
    const given = new AbortController();
    const response = await fetch(url + at, {
      method: method.toUpperCase(),
      signal: given.signal,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const isStream = response.headers.get("content-type") === "text/event-stream";
    const answer = isStream ? "" : await response.text();
    given.abort();
    const good = Object.keys(operation.responses).find((status) => status.startsWith("2"));
    if (String(response.status) !== good) failed.push(`${method} ${at}: ${response.status} ${answer}`);
    expect(Object.keys(operation.responses), `${method} ${route}`).toContain("403");
  }
  expect(failed).toEqual([]);
});

test("it names every field of an entry and of a listed rule", async () => {
  await using origin = await startHttpOrigin(ok("from the origin"));
  await using server = await startTcpServer(echo);
  const routes = { "api.internal": `127.0.0.1:${origin.port}`, "db.internal:5432": `127.0.0.1:${server.port}` };
  await using controlled = await startControlled({ config: { networks: { [TUNNEL]: { routes } } } });
  const { ask, call } = controlled;
  await ask("POST", "/rules", { who: "db.internal:5432", faults: [{ type: "latency" }] });
  await call("fetch", { url: "http://api.internal/", method: "POST", size: 3 });
  await call("connect", { address: "db.internal:5432", text: "ping" });
  await expect(call("fetch", { url: "http://nowhere.internal/" })).rejects.toThrow("destination_not_found");
  const fieldsOf = (schema: Schema): string[] => [
    ...Object.keys(schema.properties ?? {}),
    ...(schema.allOf ?? []).flatMap((part) => fieldsOf("$ref" in part ? schemaOf(part.$ref) : part)),
  ];
  for (const [at, schema] of [
    ["/requests", "Request"],
    ["/connections", "Connection"],
    ["/rules", "ListedRule"],
  ] as const) {
    const { json } = await ask("GET", at);
    expect(json.length).toBeGreaterThan(0);
    for (const entry of json) expect(fieldsOf(schemaOf(schema))).toEqual(expect.arrayContaining(Object.keys(entry)));
  }
});

function schemaOf(ref: string): Schema {
  return components.schemas[ref.split("/").at(-1) ?? ""] ?? {};
}
