/** `mqtt` in a Worker, with a broker from npm. */

import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { Aedes } from "aedes";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closedPort } from "../servers/tcp-server.ts";
import { type Scenarios, startScenarios } from "./start-scenarios.ts";

const stack = new AsyncDisposableStack();
let worker: Scenarios;

beforeAll(async () => {
  const broker = await Aedes.createBroker();
  const server = net.createServer(broker.handle).listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(async () => {
    await new Promise<void>((resolve) => broker.close(resolve));
    server.close();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  const routes = {
    "broker.internal": `127.0.0.1:${port}`,
    "down.internal:1883": `127.0.0.1:${await closedPort()}`,
  };
  worker = stack.use(await startScenarios("mqtt", routes));
});
afterAll(() => stack.disposeAsync());

test("one client receives what another publishes", async () => {
  expect(await worker.run("publish", { length: "5" })).toEqual(["sensors/a 5", "sensors/b 5", "sensors/c 5"]);
});

test("messages of 1 MB", async () => {
  const heard = await worker.run("publish", { length: "1000000" });
  expect(heard).toEqual(["sensors/a 1000000", "sensors/b 1000000", "sensors/c 1000000"]);
});

test.each([
  ["down.internal", "connection_refused"],
  ["unknown.internal", "destination_not_found"],
])("without a connection to %s, the library reports %s at once", async (host, code) => {
  const failure = await worker.fail("connectTo", { host });
  expect(failure.thrown).toContain(`ProxyError: ${code}`);
  expect(failure.milliseconds).toBeLessThan(2000);
});
