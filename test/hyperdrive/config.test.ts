/** Hyperdrive entries of a vpc config: their logins, and what is reported between them and the bindings. */

import { afterEach, expect, test, vi } from "vitest";
import type { VpcBinding } from "../../plugin/model.ts";
import { SERVICE_ID, createFolder, serviceBinding } from "../setup/vpc-folder.ts";
import { HYPERDRIVE_ID } from "./database-project.ts";

function hyperdrive(bindingName: string, more: Partial<VpcBinding> = {}): VpcBinding {
  return { bindingName, bindingType: "hyperdrive", id: HYPERDRIVE_ID, ...more };
}

const LOGIN = '"database": "app", "user": "me"';

afterEach(() => vi.unstubAllEnvs());

test("the key is a binding's id or name; the scheme is given, that of the service, or postgresql", async () => {
  await using vpc = await createFolder({
    "vpc.jsonc": `{
  "services": {
    "db": "localhost:5432",
    "${SERVICE_ID}": { "name": "my", "type": "tcp", "tcp_port": 3306, "app_protocol": "mysql", "target": "localhost:3306",
      "host": { "hostname": "my.internal", "resolver_network": { "tunnel_id": "${SERVICE_ID}" } } }
  },
  "hyperdrive": {
    "${HYPERDRIVE_ID}": { "service": "db", ${LOGIN}, "password": "secret-1" },
    "MY": { "service": "${SERVICE_ID.toUpperCase()}", ${LOGIN}, "password": "secret-2" },
    "OLD": { "service": "db", ${LOGIN}, "password": "secret-3", "scheme": "postgres" },
    "ODD": { "service": "${SERVICE_ID}", ${LOGIN}, "password": "secret-4", "scheme": "postgresql" }
  }
}`,
  });
  const others = ["MY", "OLD", "ODD"].map((name) => hyperdrive(name, { id: `id of ${name}` }));
  const loaded = await vpc.load([vpc.worker("app", [hyperdrive("DB"), ...others])]);
  expect(vpc.format(loaded).join("\n")).toMatch(
    /^vpc\.jsonc:11:\d+: warning: "scheme" is "postgresql", but the "app_protocol" of its service is "mysql" \[schemes-differ\]\n +The "scheme" counts/,
  );
  const seen = [...loaded.logins].map(([key, { scheme, password }]) => [key, scheme, password]);
  expect(seen).toEqual([
    ["app/DB", "postgresql", "secret-1"],
    ["app/MY", "mysql", "secret-2"],
    ["app/OLD", "postgresql", "secret-3"],
    ["app/ODD", "postgresql", "secret-4"],
  ]);
  // What the runtime and the page get has no password.
  expect(JSON.stringify(loaded.table)).not.toMatch(/secret-/);
});

test("a password in a variable, in a .env file, and nowhere", async () => {
  await using vpc = await createFolder({
    "vpc.jsonc": `{ "services": { "db": "localhost:5432" },
  "hyperdrive": { "DB": { "service": "db", ${LOGIN}, "passwordEnv": "VPC_TEST_PASSWORD" } } }`,
  });
  const workers = [vpc.worker("app", [hyperdrive("DB")])];
  const passwordOf = async (): Promise<string | undefined> => (await vpc.load(workers)).logins.get("app/DB")?.password;
  const without = await vpc.load(workers);
  expect(vpc.format(without)).toEqual([
    'vpc.jsonc:2:92: error: the variable "VPC_TEST_PASSWORD", which "passwordEnv" names, is not set [password-not-set]',
    "    Set it in the environment before the start: VPC_TEST_PASSWORD=…. wrangler makes a variable of a .env file a binding of the Worker, too.",
  ]);
  // It is read again when that file appears.
  expect(without.files.map((file) => file.slice(vpc.folder.length + 1))).toContain(".env");
  await vpc.write(".env", "VPC_TEST_PASSWORD=from-file\n");
  expect(await passwordOf()).toBe("from-file");
  vi.stubEnv("VPC_TEST_PASSWORD", "from-variable");
  expect(await passwordOf()).toBe("from-variable");
});

test("a binding without an entry, an entry without a binding, and an entry in the wrong section", async () => {
  await using vpc = await createFolder({
    "vpc.jsonc": `{ "services": { "DB": "localhost:5432", "OTHER": "localhost:1" },
  "hyperdrive": { "ORDRES": { "service": "OTHER", ${LOGIN}, "password": "" } } }`,
  });
  const loaded = await vpc.load([vpc.worker("app", [hyperdrive("DB"), hyperdrive("ORDERS", { id: "2" })])]);
  expect(vpc.format(loaded)).toEqual([
    'vpc.jsonc:1:17: error: "DB" is a Hyperdrive binding, but its entry is under "services" [wrong-section]',
    '    Add an entry for it to "hyperdrive", whose "service" is the key of a tcp service.',
    'vpc.jsonc:2:3: warning: the Hyperdrive binding "ORDERS" of Worker "app" has no entry and no connection string of its own, so every connection is refused [no-hyperdrive-entry]',
    '    Add "2": { "service": "a key of services", "database": "app", "user": "app", "passwordEnv": "ORDERS_PASSWORD" } to "hyperdrive". The key can also be "ORDERS".',
    'vpc.jsonc:2:19: warning: "ORDRES" matches no binding of this session [unmatched-key]',
    '    Did you mean "ORDERS"?',
  ]);
});

test("a connection string of its own wins, and its entry needs no password then", async () => {
  await using vpc = await createFolder({
    "vpc.jsonc": `{ "services": { "db": "localhost:5432" },
  "hyperdrive": { "DB": { "service": "db", ${LOGIN}, "passwordEnv": "VPC_TEST_PASSWORD" } } }`,
  });
  const own = hyperdrive("DB", { ownString: 'in "localConnectionString"' });
  const loaded = await vpc.load([vpc.worker("app", [own, serviceBinding("API")])]);
  expect(vpc.format(loaded).filter((line) => !line.includes("no-entry"))).toContain(
    'vpc.jsonc:2:19: warning: this entry has no effect: the Hyperdrive binding "DB" has a connection string of its own, in "localConnectionString" [own-connection-string]',
  );
  expect([...loaded.logins.keys()]).toEqual([]);
  expect(loaded.table.bindings["app/DB"]).toBeUndefined();
});
