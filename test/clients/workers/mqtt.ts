/** `mqtt` in a Worker. */

import type { MqttClient } from "mqtt";
import { createMqttClient, endMqttClient } from "../../../fixtures/client-libraries/mqtt.ts";
import { type Env, scenarioWorker } from "./scenarios.ts";

function client({ NETWORK }: Env, hostname = "broker.internal"): MqttClient {
  return createMqttClient(NETWORK, { hostname, port: 1883 }, { reconnectPeriod: 0 });
}

export default scenarioWorker({
  /** One client publishes, another one receives. */
  async publish(env, query) {
    const [subscriber, publisher] = [client(env), client(env)];
    const heard: string[] = [];
    const all = new Promise<void>((resolve) =>
      subscriber.on("message", (topic, payload) => {
        heard.push(`${topic} ${payload.length}`);
        if (heard.length === 3) resolve();
      }),
    );
    await subscriber.subscribeAsync("sensors/+", { qos: 1 });
    const payload = "z".repeat(Number(query.get("length")));
    for (const sensor of ["a", "b", "c"]) await publisher.publishAsync(`sensors/${sensor}`, payload, { qos: 1 });
    await all;
    await Promise.all([endMqttClient(subscriber), endMqttClient(publisher)]);
    return heard;
  },

  async connectTo(env, query) {
    const failing = client(env, query.get("host") ?? "");
    await new Promise((_, reject) => failing.once("error", reject));
  },
});
