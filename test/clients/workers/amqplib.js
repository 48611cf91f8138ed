/** `amqplib` in a Worker. It doesn't accept a socket, so an alias replaces its `node:net`. */

import amqp from "amqplib";
import { scenarioWorker } from "./scenarios.ts";

function open(host = "amqp.internal") {
  return amqp.connect(`amqp://guest:guest@${host}:5672`);
}

export default scenarioWorker({
  async sendAndGet(_env, query) {
    const connection = await open();
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue("", { exclusive: true });
    channel.sendToQueue(queue, Buffer.from("x".repeat(Number(query.get("length")))));
    await channel.waitForConfirms();
    const message = await channel.get(queue, { noAck: true });
    await connection.close();
    return message.content.length;
  },

  async connectTo(_env, query) {
    await open(query.get("host"));
  },
});
