/** Which binding a name may mean that is taken for a destination. */

import { expect, test } from "vitest";
import { hintAtBinding } from "../../plugin/scenario/who-hint.ts";
import { createFolder } from "../setup/vpc-folder.ts";

const CONFIG = {
  services: { "orders-db": "localhost:5432" },
  hyperdrive: { DB: { service: "orders-db", database: "orders", user: "app", password: "" } },
  networks: { NET: { routes: { db: "localhost:1", "users.internal": "localhost:2" } } },
};

test.each([
  ["orders-db", '"orders-db" is a service of the vpc config, not a binding; its binding is DB.'],
  ["DBS", '"DBS" is no binding. Did you mean "DB"?'],
  ["db", undefined],
  ["users.internal", undefined],
  ["later.internal", undefined],
])("%s", async (text, hint) => {
  await using folder = await createFolder({ "vpc.json": JSON.stringify(CONFIG) });
  const { table } = await folder.load([
    folder.worker("app", [
      { bindingName: "DB", bindingType: "hyperdrive", id: "1" },
      { bindingName: "NET", bindingType: "vpc-network", id: "2" },
    ]),
  ]);
  expect(hintAtBinding(text, table)).toBe(hint);
});
