/** `@redis/client` in a Worker. It doesn't accept a socket, so an alias replaces its `node:net`. */

import { createClient } from "@redis/client";
import { scenarioWorker } from "./scenarios.ts";

async function connect(host = "redis.internal") {
  const client = createClient({ url: `redis://${host}:6379`, socket: { reconnectStrategy: false } });
  client.on("error", () => {});
  return client.connect();
}

export default scenarioWorker({
  async setAndGet(_env, query) {
    const client = await connect();
    const text = "x".repeat(Number(query.get("length")));
    await client.set("greeting", text);
    const value = await client.get("greeting");
    await client.close();
    return value === text && value.length;
  },

  async connectTo(_env, query) {
    await connect(query.get("host"));
  },

  /** TLS would bypass the binding. */
  async tls() {
    await createClient({ url: "rediss://redis.internal:6379", socket: { reconnectStrategy: false } }).connect();
  },
});
