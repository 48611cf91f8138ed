/** `ldapts` in a Worker. An alias replaces its `node:net`. */

import { Attribute, Client } from "ldapts";
import { scenarioWorker } from "./scenarios.ts";

async function bind(host = "ldap.internal") {
  const client = new Client({ url: `ldap://${host}:389` });
  await client.bind("cn=admin,dc=shop", "secret");
  return client;
}

export default scenarioWorker({
  async addAndSearch() {
    const client = await bind();
    await client.add("dc=shop", [
      new Attribute({ type: "objectClass", values: ["organization", "dcObject"] }),
      new Attribute({ type: "o", values: ["The Shop"] }),
    ]);
    const { searchEntries } = await client.search("dc=shop", { scope: "sub", attributes: ["o"] });
    await client.unbind();
    return searchEntries;
  },

  async connectTo(_env, query) {
    await bind(query.get("host"));
  },
});
