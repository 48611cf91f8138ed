/** `memjs` in a Worker. It doesn't accept a socket, so an alias replaces its `net`. */

import memjs from "memjs";
import { scenarioWorker } from "./scenarios.ts";

function open(host = "cache.internal") {
  return memjs.Client.create(`${host}:11211`, { retries: 0 });
}

export default scenarioWorker({
  async setAndGet(_env, query) {
    const client = open();
    const text = "x".repeat(Number(query.get("length")));
    await client.set("greeting", text, { expires: 60 });
    const { value } = await client.get("greeting");
    client.quit();
    return value.toString() === text && value.length;
  },

  async connectTo(_env, query) {
    await open(query.get("host")).get("greeting");
  },
});
