/** Measures how the time of `decide` grows with the number of routes. Runs in Node, which has the same V8 as workerd. */

import { decide } from "../service-worker/routing/decide.ts";
import { packTable, unpackTable } from "../service-worker/routing/packed-table.ts";
import { type IndexedTable, indexTable } from "../service-worker/routing/route-index.ts";
import { type Route, bindingKey } from "../service-worker/routing/table.ts";
import { networkTable } from "../test/setup/network-table.ts";
import { type Subject, again, measure } from "./measure.ts";
import { type BenchReport, type Pair, report } from "./report.ts";
import type { SuiteContext } from "./suite.ts";

const BINDING = bindingKey("app", "NET");
/** `asked`: the number of routes that the destinations come from; default: all. */
const FORMS: Form[] = [
  { name: "10 routes", count: 10 },
  { name: "1000 routes", count: 1000 },
  { name: "100000 routes", count: 100_000 },
  // Separates the number of routes from the number of destinations, whose texts and answers fill the processor's cache.
  { name: "100000 routes, 10 of them asked for", count: 100_000, asked: 10 },
];

const MANY = 100_000;
/**
 * What any index pays for that many destinations: their texts are compared, and the route and its target are read, which
 * no cache of the processor holds.
 */
const CONTROL = "10 routes, and a plain Map of 100000";

const PAIRS: Pair[] = [
  { subject: "10 routes, again", against: "10 routes" },
  { subject: "1000 routes", against: "10 routes" },
  { subject: "100000 routes", against: "10 routes", goal: 1.3 },
  { subject: "100000 routes", against: CONTROL, goal: 1.3 },
  { subject: "100000 routes, 10 of them asked for", against: "10 routes" },
];

interface Form {
  name: string;
  count: number;
  asked?: number;
}

export async function* benchDecide(context: SuiteContext): AsyncGenerator<BenchReport> {
  for (const kind of ["names", "prefixes", "rest"] as const) {
    const subjects = FORMS.map((form): Subject => {
      const index = tableOf(kind, form.count);
      const hosts = hostsOf(kind, form);
      return {
        name: form.name,
        run: async (operations) => {
          for (let done = 0; done < operations; done++) {
            const host = hosts[done % hosts.length] ?? "";
            const decision = decide(index, BINDING, { scheme: "http", host, port: 80 });
            if (decision.type !== "forward") throw new Error(`no route to ${host}`);
          }
        },
      };
    });
    const [few] = subjects;
    if (few === undefined) continue;
    yield report({
      title: `decide, ${TITLES[kind]}`,
      operation: "a decision",
      samples: await measure([...subjects, again(few), withPlainMap(kind, few)], context.rounds(0.1)),
      pairs: PAIRS,
    });
  }
}

/** `rest`: names and addresses that only `*` holds. */
type Kind = "names" | "prefixes" | "rest";

const TITLES: Record<Kind, string> = { names: "names", prefixes: "prefixes", rest: 'what only "*" holds' };

function tableOf(kind: Kind, count: number): IndexedTable {
  const routes =
    kind === "rest"
      ? [REST, ...Array.from({ length: count - 1 }, (_, nth) => routeOf(nth % 2 === 0 ? "names" : "prefixes", nth))]
      : Array.from({ length: count }, (_, nth) => routeOf(kind, nth));
  // As the service worker gets it, so that its texts and objects lie in memory as they do there.
  return indexTable(unpackTable(JSON.parse(JSON.stringify(packTable(networkTable({ NET: routes }))))));
}

const REST: Route = { text: "*", match: { type: "any" }, target: { type: "passthrough" }, origin: "vpc.jsonc:1:1" };

/** Names: every third is a wildcard. Prefixes: alternately /24 and /32, in 10.0.0.0/8. */
function routeOf(kind: Exclude<Kind, "rest">, nth: number): Route {
  const target = { type: "address", host: "127.0.0.1", port: 1024 + (nth % 60_000) } as const;
  const origin = `vpc.jsonc:${nth + 1}:1`;
  if (kind === "prefixes") {
    const prefix = nth % 2 === 0 ? 24 : 32;
    const address = addressOf(nth, prefix === 24 ? 0 : 7);
    return { text: `${address}/${prefix}`, match: { type: "cidr", address, prefix }, target, origin };
  }
  const name = `service-${nth}.internal`;
  return nth % 3 === 0
    ? { text: `*.${name}`, match: { type: "wildcard", suffix: name }, target, origin }
    : { text: name, match: { type: "name", name }, target, origin };
}

function addressOf(nth: number, last: number): string {
  return `10.${(nth >> 8) % 256}.${nth % 256}.${nth >= 65_536 ? last + 1 + (nth >> 16) * 16 : last}`;
}

function withPlainMap(kind: Kind, few: Subject): Subject {
  const plain = new Map(Array.from({ length: MANY }, (_, nth) => [hostAt(kind, nth), { target: { nth } }]));
  const hosts = hostsOf(kind, { count: MANY });
  return {
    name: CONTROL,
    run: async (operations) => {
      await few.run(operations);
      for (let done = 0; done < operations; done++) {
        const route = plain.get(hosts[done % hosts.length] ?? "");
        if (route?.target.nth === undefined) throw new Error("the Map lacks a destination");
      }
    },
  };
}

/** Destinations that have a route, in an order that no cache can predict. */
function hostsOf(kind: Kind, { count, asked = count }: Pick<Form, "count" | "asked">): string[] {
  return Array.from({ length: 10_000 }, () => hostAt(kind, Math.floor(Math.random() * asked) * (count / asked)));
}

function hostAt(kind: Kind, nth: number): string {
  if (kind === "rest") return nth % 2 === 0 ? `host-${nth}.public.example` : addressOf(nth, 7).replace("10.", "11.");
  return hostOf(routeOf(kind, nth).match, nth);
}

function hostOf(match: Route["match"], nth: number): string {
  switch (match.type) {
    case "name":
      return match.name;
    case "wildcard":
      return `host-${nth % 7}.${match.suffix}`;
    case "cidr":
      return match.address;
    case "any":
      return "public.example";
    default:
      return match satisfies never;
  }
}
