/** `@nats-io/transport-node` in a Worker. It doesn't accept a socket, so aliases replace its `node:net` and `node:dns`. */

import { connect } from "@nats-io/transport-node";
import { scenarioWorker } from "./scenarios.ts";

export default scenarioWorker({
  async publish(_env, query) {
    const [hearing, saying] = await Promise.all([open(), open()]);
    const heard = hearing.subscribe("sensors.*", { max: 2 });
    await hearing.flush();
    for (const name of ["a", "b"]) saying.publish(`sensors.${name}`, "x".repeat(Number(query.get("length"))));
    const messages = [];
    for await (const message of heard) messages.push(`${message.subject} ${message.string().length}`);
    // drain() sends the last message before it closes the connection.
    await Promise.all([hearing.close(), saying.drain()]);
    return messages;
  },

  async connectTo(_env, query) {
    await open(query.get("host"));
  },
});

function open(host = "nats.internal") {
  return connect({ servers: `${host}:4222`, reconnect: false, maxReconnectAttempts: 0 });
}
