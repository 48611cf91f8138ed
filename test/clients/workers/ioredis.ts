/** `ioredis` in a Worker. */

import type { Redis } from "ioredis";
import { createRedis } from "../../../fixtures/client-libraries/ioredis.ts";
import { type Env, scenarioWorker } from "./scenarios.ts";

function client({ NETWORK }: Env, hostname = "redis.internal"): Redis {
  return createRedis(NETWORK, { hostname, port: 6379 }, { retryStrategy: () => null });
}

export default scenarioWorker({
  async setAndGet(env, query) {
    const redis = client(env, query.get("host") ?? undefined);
    await redis.set("greeting", "hello");
    const value = await redis.get("greeting");
    await redis.quit();
    return value;
  },

  /** Sends commands without waiting for the answers. */
  async pipeline(env) {
    const redis = client(env);
    await redis.del("counter");
    const commands = redis.pipeline();
    for (let n = 0; n < 1000; n++) commands.incr("counter");
    const answers = await commands.exec();
    await redis.quit();
    return answers?.at(-1);
  },

  /** One connection waits for a value that another one pushes. */
  async blocking(env) {
    const [waiting, bringing] = [client(env), client(env)];
    const popped = waiting.brpop("queue", 10);
    await bringing.lpush("queue", "job");
    const answer = await popped;
    await Promise.all([waiting.quit(), bringing.quit()]);
    return answer;
  },

  async publish(env) {
    const [subscriber, publisher] = [client(env), client(env)];
    await subscriber.subscribe("news");
    const heard = new Promise((resolve) => subscriber.once("message", (channel, text) => resolve([channel, text])));
    await publisher.publish("news", "hello");
    const message = await heard;
    await Promise.all([subscriber.quit(), publisher.quit()]);
    return message;
  },

  async large(env, query) {
    const redis = client(env);
    const value = "r".repeat(Number(query.get("length")));
    await redis.set("large", value);
    const back = await redis.get("large");
    await redis.quit();
    return back === value;
  },

  /** @returns Redis' count of connections that are open at the same time */
  async concurrent(env) {
    const clients = Array.from({ length: 20 }, () => client(env));
    await Promise.all(clients.map((redis) => redis.ping()));
    const ids = await Promise.all(clients.map((redis) => redis.client("ID")));
    await Promise.all(clients.map((redis) => redis.quit()));
    return new Set(ids).size;
  },

  async connectTo(env, query) {
    const redis = client(env, query.get("host") ?? "");
    await new Promise((_, reject) => redis.once("error", reject));
  },
});
