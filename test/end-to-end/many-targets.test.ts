/** Only so many targets get a client of workerd's own. The others can't be told from them. */

import { expect, test } from "vitest";
import { explain } from "../../service-worker/routing/explain.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import { type Route, type RoutingTable, bindingKey } from "../../service-worker/routing/table.ts";
import { MAX_KNOWN, knownTargets } from "../../plugin/miniflare/known-targets.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { closedPort } from "../servers/tcp-server.ts";
import { networkTable } from "../setup/network-table.ts";
import { TUNNEL, startTestWorker } from "../setup/test-worker.ts";

const FEW: Record<string, string> = Object.fromEntries(
  Array.from({ length: MAX_KNOWN }, (_, nth) => [`few-${nth}.internal`, `127.0.0.1:${20_000 + nth}`]),
);

test("a target beyond the limit gets the same requests and fails in the same way", async () => {
  await using first = await startHttpOrigin(ok("users"));
  await using last = await startHttpOrigin(ok("users"));
  const refused = await Promise.all([closedPort(), closedPort()]);
  const routes = {
    "first.internal": `127.0.0.1:${first.port}`,
    "refused-first.internal": `127.0.0.1:${refused[0]}`,
    ...FEW,
    "last.internal": `127.0.0.1:${last.port}`,
    "refused-last.internal": `127.0.0.1:${refused[1]}`,
  };
  await using worker = await startTestWorker({
    config: { networks: { [TUNNEL]: { routes } }, traffic: false },
    ops: {
      async ask(env, host: string) {
        const headers = { accept: "text/plain", "x-mixed-Case": "1, 2", cookie: "a=b" };
        try {
          const response = await env.NET.fetch(`http://${host}/path?query`, { headers });
          return [response.status, await response.text(), [...response.headers]];
        } catch (error) {
          return (error as Error).message;
        }
      },
    },
  });
  const direct = await worker.call("ask", "first.internal");
  expect(direct).toEqual([200, "users", expect.anything()]);
  expect(await worker.call("ask", "last.internal")).toEqual(direct);
  expect(last.requests[0]).toBe(first.requests[0]?.replace("first.internal", "last.internal"));
  expect(await worker.call("ask", "refused-first.internal")).toBe("ProxyError: connection_refused");
  expect(await worker.call("ask", "refused-last.internal")).toBe("ProxyError: connection_refused");
});

const route = (name: string, port: number): Route => ({
  text: name,
  match: { type: "name", name },
  target: { type: "address", host: "127.0.0.1", port },
  origin: "vpc.jsonc:1:1",
});

test("services come first, then routes in their order; explain says which way a call takes", () => {
  const routes = Array.from({ length: MAX_KNOWN + 1 }, (_, nth) => route(`host-${nth}.internal`, 1000 + nth));
  const network = networkTable({ NET: routes });
  const service: RoutingTable["bindings"][string] = {
    ...network.bindings[bindingKey("app", "NET")]!,
    kind: "service",
    serviceId: "users",
    service: {
      type: "http",
      label: "users",
      origin: "vpc.jsonc:1:1",
      hosts: [],
      httpPort: 80,
      target: { type: "address", host: "127.0.0.1", port: 999 },
    },
  };
  const table = { ...network, bindings: { ...network.bindings, [bindingKey("app", "USERS")]: service } };
  const known = knownTargets(table);
  expect(known.size).toBe(MAX_KNOWN);
  expect([...known.values()].slice(0, 2)).toEqual(["127.0.0.1:999", "127.0.0.1:1000"]);
  const wayTo = (nth: number): unknown =>
    explain(
      { op: "fetch", url: new URL(`http://host-${nth}.internal/`) },
      { index: indexTable(table), bindingId: bindingKey("app", "NET"), known },
    ).passage?.way;
  expect(wayTo(MAX_KNOWN - 2)).toBe("direct");
  expect(wayTo(MAX_KNOWN - 1)).toBe("egress");
});
