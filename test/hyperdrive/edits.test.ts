/** Edits during `miniflare-vpc dev` of a Worker with a Hyperdrive binding. */

import { expect, test } from "vitest";
import { MINIFLARE_VPC, serve } from "../wrangler/run.ts";
import { ANSWER, WRANGLER_CONFIG, databaseProject, startDatabase, vpcConfig } from "./database-project.ts";

const LOGIN = { service: "orders-db", database: "orders", user: "app", passwordEnv: "DB_PASSWORD" };

test.each([".env", ".env.local"])("another password in %s needs a restart, and only that is said", async (file) => {
  await using database = await startDatabase();
  using project = databaseProject(database, {
    "vpc.jsonc": vpcConfig(database, { hyperdrive: { DB: LOGIN } }),
    [file]: "DB_PASSWORD=pass-one\n",
  });
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
  expect(JSON.parse(await server.get("/")).known.password).toBe("pass-one");
  project.write(file, "DB_PASSWORD=pass-two\n");
  await server.printed(/There is another login for DB now: restart to apply it\./);
  expect(JSON.parse(await server.get("/")).known.password).toBe("pass-one");
  expect(server.output()).not.toContain("Applied");
  expect(server.output()).not.toContain("pass-");
});

test("a Hyperdrive binding that is added without an entry is refused in words, and the session goes on", async () => {
  await using database = await startDatabase();
  using project = databaseProject(database);
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
  expect(JSON.parse(await server.get("/"))).toEqual(ANSWER);
  const [known] = (WRANGLER_CONFIG as { hyperdrive: object[] }).hyperdrive;
  project.write("wrangler.jsonc", { ...WRANGLER_CONFIG, hyperdrive: [known, { binding: "MORE", id: "1".repeat(32) }] });
  await server.printed(/the Hyperdrive binding "MORE" .* so every connection is refused \[no-hyperdrive-entry\]/);
  await expect.poll(async () => JSON.parse(await server.get("/"))).toEqual(ANSWER);
});

test("without an entry, dev starts and says what check says", async () => {
  await using database = await startDatabase();
  using project = databaseProject(database, { "vpc.jsonc": { services: {} } });
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
  await server.printed(/the Hyperdrive binding "DB" .* so every connection is refused \[no-hyperdrive-entry\]/);
  expect(await server.get("/")).toContain("ProxyError: destination_not_found");
  await server.printed(/destination_not_found/);
});
