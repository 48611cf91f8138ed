/**
 * Compares the chosen route with an oracle that shares no code with `route-index.ts`: it looks at every route, compares
 * bit by bit, and keeps the routes that no other outranks.
 */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { parseHost, isProblem } from "../../service-worker/routing/address.ts";
import { type Decision, decide } from "../../service-worker/routing/decide.ts";
import { findRoute, indexTable, listCandidates, listRoutes } from "../../service-worker/routing/route-index.ts";
import type { Route, RouteMatch, RoutingTable } from "../../service-worker/routing/table.ts";
import type { RouteEntry } from "../../plugin/config.ts";
import { loadTable } from "../../plugin/load.ts";
import { networkTable } from "../setup/network-table.ts";
import { networkBinding, TUNNEL_ID } from "../setup/vpc-folder.ts";
import { DEADLINE, runs } from "./runs.ts";
import { testOn } from "../setup/only-on.ts";

/** So few that they often match. */
const name = fc.constantFrom("internal", "a.internal", "b.internal", "a.b.internal", "b.b.internal", "a", "localhost");
const suffix = fc.constantFrom("internal", "b.internal", "localhost");
const v4 = fc.constantFrom(
  "10.0.0.1",
  "10.0.0.2",
  "10.0.1.1",
  "10.128.0.1",
  "11.0.0.1",
  "127.0.0.1",
  "255.255.255.255",
);
const v6 = fc.constantFrom("::1", "::a00:1", "fd00::1", "fd00::2", "fd00:0:0:1::1", "fe80::1", "ffff::ffff");
const prefixV4 = fc.constantFrom(0, 1, 7, 8, 9, 15, 16, 23, 24, 25, 30, 31, 32);
const prefixV6 = fc.constantFrom(0, 1, 8, 9, 63, 64, 65, 127, 128);

const port = fc.constantFrom(1, 79, 80, 81, 443, 8080, 65_535);
const ports = fc.oneof(
  fc.constant(undefined),
  port.map((one) => ({ from: one, to: one })),
  fc.tuple(port, port).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
);

const match: fc.Arbitrary<RouteMatch> = fc.oneof(
  name.map((text) => ({ type: "name" as const, name: text })),
  suffix.map((text) => ({ type: "wildcard" as const, suffix: text })),
  fc.tuple(v4, prefixV4).map(([address, prefix]) => toCidr(address, prefix)),
  fc.tuple(v6, prefixV6).map(([address, prefix]) => toCidr(address, prefix)),
  fc.constant({ type: "any" as const }),
);

const routes: fc.Arbitrary<Route[]> = fc
  .array(fc.record({ match, ports, hasSettings: fc.boolean() }), { maxLength: 40 })
  .map((all) =>
    all.map(({ match, ports, hasSettings }, index) => ({
      text: writeDestination({ match, ports }),
      match,
      ...(ports && { ports }),
      target: { type: "unix", path: `/${index}` },
      ...(hasSettings && { settings: { verify: "disabled", limits: { readTimeout: index + 1 } } }),
      origin: `vpc.jsonc:${index}`,
    })),
  );

const host = fc.oneof(name, v4, v6, fc.constantFrom("c.internal", "a.a.internal", "10.0.0.3", "fd00:1::"));

/** Bits as text, most significant first. */
function bitsOf(address: string): string {
  const host = parseHost(address);
  if (isProblem(host) || host.type !== "ip") throw new Error(`${address} isn't an address`);
  return host.bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
}

function toCidr(address: string, prefix: number): RouteMatch {
  const bits = bitsOf(address)
    .slice(0, prefix)
    .padEnd(address.includes(":") ? 128 : 32, "0");
  const groups = bits.match(address.includes(":") ? /.{16}/g : /.{8}/g) ?? [];
  const numbers = groups.map((group) => Number.parseInt(group, 2));
  const text = address.includes(":") ? numbers.map((value) => value.toString(16)).join(":") : numbers.join(".");
  const host = parseHost(text);
  if (isProblem(host)) throw new Error(`${text} ${host.problem}`);
  return { type: "cidr", address: host.text, prefix };
}

function writeDestination({ match, ports }: { match: RouteMatch; ports?: Route["ports"] | undefined }): string {
  const text = writeMatch(match);
  if (ports === undefined) return text;
  return `${text.includes(":") ? `[${text}]` : text}:${ports.from === ports.to ? ports.from : `${ports.from}-${ports.to}`}`;
}

function writeMatch(match: RouteMatch): string {
  switch (match.type) {
    case "name":
      return match.name;
    case "wildcard":
      return `*.${match.suffix}`;
    case "cidr":
      return `${match.address}/${match.prefix}`;
    case "any":
      return "*";
    default:
      return match satisfies never;
  }
}

/** @returns the matching routes that no other outranks; several only if they have the same destination */
function oracle(all: readonly Route[], host: string, port: number): Route[] {
  const matching = all.filter(
    ({ match, ports }) => holds(match, host) && (ports === undefined || (ports.from <= port && port <= ports.to)),
  );
  const best = Math.min(...matching.map(rank));
  return matching.filter((route) => rank(route) === best);
}

function holds(match: RouteMatch, host: string): boolean {
  const isAddress = /^[\d.]+$|:/.test(host);
  switch (match.type) {
    case "name":
      return !isAddress && match.name === host;
    case "wildcard":
      return (
        !isAddress && host.endsWith(`.${match.suffix}`) && host.split(".").length === match.suffix.split(".").length + 1
      );
    case "cidr": {
      const [ours, theirs] = isAddress ? [bitsOf(match.address), bitsOf(host)] : ["", "-"];
      return ours.length === theirs.length && ours.slice(0, match.prefix) === theirs.slice(0, match.prefix);
    }
    case "any":
      return true;
    default:
      return match satisfies never;
  }
}

/** The lowest wins: names, then wildcards, then the longest prefix, `*` last, and among equals the fewest ports. */
function rank({ match, ports }: Route): number {
  const kind = match.type === "cidr" ? 200 - match.prefix : { name: 0, wildcard: 1, any: 201 }[match.type];
  return kind * 100_000 + (ports === undefined ? 70_000 : ports.to - ports.from);
}

function tableOf(all: Route[]): RoutingTable {
  return networkTable({ NET: all });
}

function ask(table: RoutingTable, host: string, port: number): Decision {
  return decide(indexTable(table), "app/NET", { scheme: "tcp", host, port });
}

/** Of a table whose bindings check everything and have no read timeout. */
function expectSettings(decision: Decision, { settings }: Pick<Route, "settings">): void {
  if (decision.type === "refuse") throw new Error(decision.reason);
  expect(decision.tls.verify).toBe(settings?.verify ?? "verify_full");
  expect(decision.limits.readTimeout).toBe(settings?.limits?.readTimeout);
}

function targetOf(decision: Decision): string {
  if (decision.type === "refuse") return decision.code;
  return decision.to.type === "unix" ? decision.to.path : decision.to.type;
}

describe("the chosen route", { timeout: DEADLINE }, () => {
  test("is the one that the oracle chooses, and `explain` says the same", () => {
    fc.assert(
      fc.property(routes, host, port, (all, host, port) => {
        const expected = oracle(all, host, port);
        const table = tableOf(all);
        const decision = ask(table, host, port);
        const [network] = indexTable(table).networks;
        const normal = parseHost(host);
        if (network === undefined || isProblem(normal)) throw new Error("no network, or no host");
        const found = findRoute(network, normal, port);
        const candidates = listCandidates(network, normal, port);
        const refused = normal.type === "name" ? "destination_not_found" : "destination_ip_unroutable";
        expect(expected.length === 0 ? [undefined] : expected).toContain(found);
        expect(targetOf(decision)).toBe(found?.target.type === "unix" ? found.target.path : refused);
        if (found !== undefined) expectSettings(decision, found);
        expect(candidates.filter(({ outcome }) => outcome === "won").map(({ route }) => route)).toEqual(
          found ? [found] : [],
        );
        expect(candidates.some(({ outcome }) => outcome === "outranked") && found === undefined).toBe(false);
        // Every route that matches the host is a candidate once, with any ports.
        const holding = all.filter(({ match }) => holds(match, host));
        expect(new Set(candidates.map(({ route }) => route))).toEqual(new Set(holding));
        expect(candidates).toHaveLength(holding.length);
        expect(new Set(listRoutes(network))).toEqual(new Set(all));
      }),
      runs(1500),
    );
  });

  test("does not depend on the order of the routes", () => {
    const shuffled = fc
      .uniqueArray(fc.record({ match, ports }), {
        maxLength: 20,
        selector: writeDestination,
      })
      .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
    fc.assert(
      fc.property(shuffled, host, port, ([all, other], host, port) => {
        const toRoutes = (some: typeof all): Route[] =>
          some.map(({ match, ports }) => {
            const text = writeDestination({ match, ports });
            return { text, match, ...(ports && { ports }), target: { type: "unix", path: `/${text}` }, origin: "" };
          });
        // A config can't have overlapping ranges of the same width, so either may win here.
        fc.pre(oracle(toRoutes(all), host, port).length <= 1);
        expect(ask(tableOf(toRoutes(other)), host, port)).toEqual(ask(tableOf(toRoutes(all)), host, port));
      }),
      runs(1000),
    );
  });

  testOn(
    "posix",
    "Windows takes named pipes only",
    "is also the one that the oracle chooses if the routes come from a config",
    async () => {
      await fc.assert(
        fc.asyncProperty(routes, host, port, async (all, host, port) => {
          const byText = new Map(all.map((route) => [route.text, route]));
          const config = {
            networks: {
              [TUNNEL_ID]: {
                routes: Object.fromEntries(
                  [...byText].map(([text, { settings }], index) => [text, writeEntry(`unix:/${index}`, settings)]),
                ),
              },
            },
          };
          const { table, diagnostics } = await loadTable({
            workers: [{ workerName: "app", rootPath: undefined, bindings: [networkBinding("NET")] }],
            source: config,
            env: undefined,
            generation: 1,
          });
          // A config can't have two ranges of one destination that partly overlap.
          const isRefused = diagnostics.some(({ severity }) => severity === "error");
          expect(isRefused).toBe(
            [...byText.values()].some((route, at, every) => every.slice(at + 1).some((other) => clash(route, other))),
          );
          if (isRefused) return;
          const [expected] = oracle([...byText.values()], host, port);
          const index = expected === undefined ? -1 : [...byText.keys()].indexOf(expected.text);
          const refused = /^destination_(not_found|ip_unroutable)$/;
          const decision = ask(table, host, port);
          expect(targetOf(decision)).toMatch(index === -1 ? refused : new RegExp(`^/${index}$`));
          if (expected !== undefined) expectSettings(decision, expected);
        }),
        runs(500),
      );
    },
  );
});

/** A route as a config has it. */
function writeEntry(target: string, settings: Route["settings"]): string | RouteEntry {
  if (settings?.verify === undefined) return target;
  return { target, tls_settings: { cert_verification_mode: settings.verify }, ...settings.limits };
}

/** @returns whether two routes have the same destination, or partly overlapping ports */
function clash(a: Route, b: Route): boolean {
  const isSame = JSON.stringify(a.match) === JSON.stringify(b.match);
  if (!isSame || a.ports === undefined || b.ports === undefined) return isSame && a.ports === b.ports;
  const [first, second] = a.ports.from <= b.ports.from ? [a.ports, b.ports] : [b.ports, a.ports];
  if (first.to < second.from) return false;
  const isInside = second.to <= first.to || first.from === second.from;
  return !isInside || (first.from === second.from && first.to === second.to);
}
