/** Unreachable routes, compared with looking up every possible destination. */

import { expect, test } from "vitest";

import { findUnreachable, findUnreachableInMesh } from "../../plugin/commands/find-unreachable.ts";
import type { RouteModel } from "../../plugin/model.ts";
import { isProblem, parseHost } from "../../service-worker/routing/address.ts";
import { findRoute, indexTable } from "../../service-worker/routing/route-index.ts";
import { TABLE_VERSION, matchKey } from "../../service-worker/routing/table.ts";
import { parseDestination } from "../../plugin/parse/parse-destination.ts";
import { findOverlaps } from "../../plugin/parse/port-ranges.ts";

function routeModel(text: string): RouteModel {
  const destination = parseDestination(text);
  if (isProblem(destination)) throw new Error(`${text} ${destination.problem}`);
  return { text, ...destination, target: { type: "passthrough", at: [] }, at: [] };
}

function unreachable(...texts: string[]): Record<string, string[]> {
  const found = findUnreachable(texts.map(routeModel));
  return Object.fromEntries(found.map(({ route, by }) => [route.text, by.map(({ text }) => text)]));
}

test.each<[string[], Record<string, string[]>]>([
  [["a", "a:80", "*.internal", "b.internal"], {}],
  [["a:1-65535", "a"], { a: ["a:1-65535"] }],
  [["*.internal:80", "*.internal:81", "*.internal:80-81"], { "*.internal:80-81": ["*.internal:80", "*.internal:81"] }],
  [["a:80", "a:82", "a:80-82"], {}],
  [["10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9"], { "10.0.0.0/8": ["10.0.0.0/9", "10.128.0.0/9"] }],
  [["10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9:80"], {}],
  [["10.0.0.0/8:80", "10.0.0.0/9", "10.128.0.0/9:80"], { "10.0.0.0/8:80": ["10.0.0.0/9", "10.128.0.0/9:80"] }],
  [["10.0.0.0/8", "10.0.0.0/8:80", "10.0.0.0/9:1-79", "10.128.0.0/9:1-79"], {}],
  [["0.0.0.0/0", "::/1", "8000::/1"], {}],
  [["::/0", "::/1", "8000::/1"], { "::/0": ["::/1", "8000::/1"] }],
  [["*", "*:80", "*.internal", "a", "0.0.0.0/0", "::/0"], {}],
  [["*", "*:1-65535", "*:80"], { "*": ["*:1-65535"] }],
  // Equal or partly overlapping ones are errors.
  [["*:443", "*:443-443", "a.b:443", "a.b:443-443", "10.0.0.0/8:443", "10.0.0.0/8:443-443"], {}],
  [["a:80-90", "a:85-95", "a:80-90"], {}],
])("of %j: %j", (texts, expected) => {
  expect(unreachable(...texts)).toEqual(expected);
});

test.each<[own: string[], others: string[], Record<string, string[]>]>([
  [["*"], ["*:1-65535"], { "*": ["*:1-65535"] }],
  [["*", "*:443"], ["*:1-65535"], { "*": ["*:1-65535"] }],
  [["*"], ["*:1-65534"], {}],
  [["*"], ["*", "a", "0.0.0.0/0"], {}],
  [["10.0.0.0/8"], ["10.0.0.0/9", "10.128.0.0/9"], { "10.0.0.0/8": ["10.0.0.0/9", "10.128.0.0/9"] }],
  [["a:1-65535"], ["a"], {}],
  // The network's own routes do it already.
  [["a", "a:1-65535"], ["b"], {}],
])("in cf1:network, of %j with the routes %j of others: %j", (own, others, expected) => {
  const routes = own.map(routeModel);
  const found = findUnreachableInMesh(
    routes,
    others.map((text) => routeModel(text)),
    findUnreachable(routes),
  );
  expect(Object.fromEntries(found.map(({ route, by }) => [route.text, by.map(({ text }) => text)]))).toEqual(expected);
});

/** A seeded generator, so that a failure can be reproduced. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const PASS = { type: "passthrough" } as const;
const PORTS = [1, 2, 3, 4, 65_535];

function randomRoutes(random: (below: number) => number): RouteModel[] {
  const texts = Array.from({ length: 1 + random(24) }, () => {
    const prefix = 29 + random(4);
    const size = 2 ** (32 - prefix);
    const address = `10.0.0.${Math.floor(random(8) / size) * size}/${prefix}`;
    const from = 1 + random(4);
    const to = Math.min(4, from + random(3));
    return [address, `${address}:${from}`, `${address}:${from}-${to}`, `${address}:1-65535`][random(4)] ?? address;
  });
  const byDestination = Map.groupBy([...new Set(texts)].map(routeModel), ({ match }) => matchKey(match));
  // A config can't have two of these that are equal or overlap partly.
  return [...byDestination.values()].filter((same) => findOverlaps(same).length === 0).flat();
}

test("agrees with looking up every destination", () => {
  let found = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const routes = randomRoutes(makeRandom(seed));
    const network = {
      networkId: "n",
      origin: "",
      routes: routes.map((route) => Object.assign({}, route, { target: PASS, origin: "" })),
    };
    const [index] = indexTable({ version: TABLE_VERSION, generation: 0, bindings: {}, networks: [network] }).networks;
    const reached = new Set<string>();
    for (let last = 0; last < 8; last++) {
      const host = parseHost(`10.0.0.${last}`);
      if (isProblem(host) || index === undefined) throw new Error("no index");
      for (const port of PORTS) reached.add(findRoute(index, host, port)?.text ?? "");
    }
    const expected = routes.map(({ text }) => text).filter((text) => !reached.has(text));
    found += expected.length;
    const actual = findUnreachable(routes);
    expect(actual.map(({ route }) => route.text).toSorted(), `seed ${seed}`).toEqual(expected.toSorted());
    expect(
      actual.every(({ by }) => by.length > 0),
      `seed ${seed}`,
    ).toBe(true);
  }
  expect(found).toBeGreaterThan(100);
});
