/** What the overview of the traffic page shows: counted calls, the layout of the network, and what answers. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { flowsOf, measure, quantileOf } from "../../plugin/ui/app/chart-data.ts";
import { viewNetwork } from "../../plugin/ui/network-view.ts";
import type { Binding, RoutingTable } from "../../service-worker/routing/table.ts";
import { BINDING_KINDS, layOut } from "../../plugin/ui/app/network-layout.ts";
import type { NetworkBindingView, ProbeView, TrafficRow } from "../../plugin/ui/traffic-view.ts";
import { type HttpOrigin, startHttpOrigin } from "../servers/http-origin.ts";
import { SERVICE, TUNNEL } from "../setup/test-worker.ts";
import { type Shown, readFeed, startShown } from "./start-shown.ts";

function row(startedAt: number, more: Partial<TrafficRow> = {}): TrafficRow {
  const same = { id: startedAt, kind: "http", binding: "NET", worker: "app", address: "http://a/" } as const;
  return { ...same, sent: 0, received: 0, startedAt, duration: 10, ...more };
}

describe("charts", () => {
  test("calls are counted by period, outcome and code", () => {
    const rows = [
      row(60_000, { status: 200 }),
      row(60_900, { status: 503, duration: 30 }),
      row(61_000, { code: "connection_refused" }),
      row(119_999, { code: "destination_not_found", isRefused: true }),
    ];
    const { starts, period, outcomes, latencies, errors } = measure(rows, { from: 60_000, to: 120_000 });
    expect(period).toBe(2000);
    expect(starts[0]).toBeLessThanOrEqual(60_000);
    expect(starts.at(-1)).toBe(120_000);
    const sums = outcomes.map(({ name, values }) => [name, values.reduce((sum, value) => sum + value, 0)]);
    expect(sums).toEqual([
      ["succeeded", 2],
      ["failed", 1],
      ["refused", 1],
    ]);
    const first = starts.indexOf(60_000);
    expect(outcomes.map(({ values }) => values[first])).toEqual([2, 1, 0]);
    expect(latencies.map(({ values }) => values[first])).toEqual([10, 30, 30]);
    expect(latencies[0]!.values[first + 1]).toBeNull();
    expect(errors.map(({ name }) => name).toSorted()).toEqual(["connection_refused", "destination_not_found"]);
  });

  test.each([1000, 60_000, 3_600_000, 86_400_000 * 3])("a span of %d ms has at most 41 periods", (length) => {
    const to = 1_800_000_000_123;
    const { starts, period } = measure([], { from: to - length, to });
    expect(starts.length).toBeLessThanOrEqual(41);
    expect(starts.length).toBeGreaterThanOrEqual(12);
    expect(starts[0]).toBeLessThanOrEqual(to - length);
    expect(starts.at(-1)! + period).toBeGreaterThan(to);
  });

  test("rare codes are counted together", () => {
    const rows = ["a", "b", "c", "d", "e", "f", "g", "a"].map((code, index) => row(index, { code }));
    const { errors } = measure(rows, { from: 0, to: 1000 });
    expect(errors.map(({ name }) => name)).toEqual(["a", "b", "c", "d", "e", "others"]);
    expect(errors.at(-1)!.values.reduce((sum, value) => sum + value, 0)).toBe(2);
  });

  test("a quantile is one of the values", () => {
    expect(quantileOf([], 0.5)).toBeNull();
    expect([0.5, 0.9, 0.99].map((share) => quantileOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], share))).toEqual([5, 9, 10]);
  });

  test("flows are pairs of a binding and a target", () => {
    const flows = flowsOf([
      row(1, { target: "x" }),
      row(2),
      row(3, { target: "x" }),
      row(4, { binding: "B", target: "x" }),
    ]);
    expect(flows.map(({ binding, target, calls }) => [binding, target, calls.length])).toEqual([
      ["NET", "x", 2],
      ["NET", "", 1],
      ["B", "x", 1],
    ]);
  });
});

test("what is shared stands in the picture once", () => {
  const routes = ["a.internal", "b.internal"].map((text, index) => {
    const origin = `/x/vpc.jsonc:${index + 1}:1`;
    return { text, target: "127.0.0.1:80", targetType: "address" as const, origin };
  });
  const network = { kind: "network", name: "n", worker: "app" } as const;
  const bindings: NetworkBindingView[] = [
    { ...network, binding: "A", routes },
    { ...network, binding: "B", routes },
    { ...network, binding: "C", kind: "unlinked", routes: [] },
  ];
  const { nodes, edges, height } = layOut(bindings);
  const texts = [0, 1, 2, 3].map((column) =>
    nodes.filter((node) => node.column === column).map(({ lines }) => lines[0]),
  );
  expect(texts).toEqual([["app"], ["A", "B", "C"], ["a.internal", "b.internal", "no route"], ["127.0.0.1:80"]]);
  expect(edges).toHaveLength(3 + 4 + 1 + 2);
  expect(nodes.every(({ y }) => y > 0 && y < height)).toBe(true);
  expect(nodes.find(({ lines }) => lines[0] === "a.internal")?.lines[1]).toBe("vpc.jsonc:1:1");
});

function serviceBinding(more: object): Binding {
  const service = { type: "tcp", label: "db", origin: "", hosts: [], tcpPort: 5432, target: { type: "passthrough" } };
  return { kind: "service", bindingName: "DB", workerName: "app", service, ...more } as unknown as Binding;
}

test("a Hyperdrive binding is named so, in the picture and before the first call", () => {
  const table = {
    bindings: { a: serviceBinding({}), b: serviceBinding({ isHyperdrive: true }) },
    networks: [],
  } as unknown as RoutingTable;
  const kinds = viewNetwork(table).bindings.map(({ kind }) => kind);
  expect(kinds).toEqual(["service", "hyperdrive"]);
  expect(kinds.map((kind) => BINDING_KINDS[kind])).toEqual(["VPC Service", "Hyperdrive"]);
});

describe("of a session", () => {
  const stack = new AsyncDisposableStack();
  let origin: HttpOrigin;
  let shown: Shown;

  beforeAll(async () => {
    // A server that answers HEAD with a body.
    origin = stack.use(await startHttpOrigin(() => "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nbody"));
    shown = stack.use(
      await startShown({
        services: { [SERVICE]: `http://127.0.0.1:${origin.port}` },
        networks: {
          [TUNNEL]: {
            routes: {
              "down.internal": "127.0.0.1:1",
              "no.internal": { deny: "destination_ip_prohibited" },
              "data.internal": { respond: { text: "x" } },
              "*:443": "passthrough",
            },
          },
        },
      }),
    );
    await shown.open();
  });
  afterAll(() => stack.disposeAsync());

  test("the network comes with the feed, and the probe says what answers", async () => {
    await using feed = await readFeed(shown.url);
    await expect.poll(() => feed.network, { timeout: 20_000 }).toBeDefined();
    const { bindings } = feed.network!;
    const api = bindings.find(({ binding }) => binding === "API");
    expect(api).toMatchObject({
      worker: "app",
      kind: "service",
      routes: [{ text: "any host", targetType: "address" }],
    });
    const routes = bindings.find(({ binding }) => binding === "NET")?.routes ?? [];
    expect(routes.map(({ text, targetType }) => [text, targetType])).toEqual([
      ["down.internal", "address"],
      ["no.internal", "deny"],
      ["data.internal", "stand-in"],
      ["*:443", "passthrough"],
    ]);
    const { status, json } = await shown.ask("POST", "api/probe", {});
    expect(status).toBe(200);
    const probes = json as ProbeView[];
    const at = (place: string | undefined): ProbeView | undefined =>
      probes.find(({ origins }) => place !== undefined && origins.includes(place));
    expect(at(api?.routes[0]?.origin)).toMatchObject({ state: "open", text: "HTTP 404" });
    expect(at(routes[0]?.origin)).toMatchObject({ state: "refused" });
    expect(probes).toHaveLength(2);
  });
});
