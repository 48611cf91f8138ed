/**
 * Compares what a scenario decides with a plain walk over all of its rules, newest first, and its paths with URLPattern.
 * Rules are added, used up and removed between the calls.
 */

import * as fc from "fast-check";
import { URLPattern } from "urlpattern-polyfill/urlpattern";
import { expect, test } from "vitest";

import { type Host, isProblem, parseHost } from "../../service-worker/routing/address.ts";
import { makeBody } from "../../plugin/scenario/call.ts";
import { findPathMistake, parsePath } from "../../plugin/scenario/call-path.ts";
import type { Fault } from "../../plugin/scenario/faults/fault.ts";
import { createRandom } from "../../plugin/scenario/faults/random.ts";
import { type Judged, type RuleSpec, type ScenarioRule, servesKind } from "../../plugin/scenario/rule.ts";
import { Scenario } from "../../plugin/scenario/scenario.ts";
import { matchesWho } from "../../plugin/scenario/who.ts";
import { networkTable } from "../setup/network-table.ts";
import { DEADLINE, runs } from "./runs.ts";

/** So few of everything that calls often match, and differ in one thing only. */
const port = fc.constantFrom("", "", ":80", ":1-100", ":5432");
const who = fc.oneof(
  fc.constant("NET"),
  fc.constantFrom("OTHER", "fd00::/8", "::/0", "[fd00::1]:80"),
  fc
    .tuple(fc.constantFrom("a.internal", "internal", "*.internal", "*.a.internal"), port)
    .map((parts) => parts.join("")),
  port.map((text) => `*${text}`),
  fc.tuple(fc.constantFrom("10.0.0.1", "10.0.0.0/8", "10.0.0.0/7", "0.0.0.0/0"), port).map((parts) => parts.join("")),
);
const text = fc.constantFrom("1", "2", "");
const pattern = fc.oneof(text, fc.constant({ regexp: "^[12]$", flags: "" }));
const method = fc.constantFrom("GET", "POST");

const PARTS =
  "/a /a /b /7 /a.json /é /@a,b / /.. /%2e /a%20b /:id /:id? /:id* /(\\d+) /* * /a:id /:id.json {/b}? {a}? {..} /{:id}? \\:a /(a|b/c)";
const path = fc
  .array(fc.constantFrom(...PARTS.split(" ")), { minLength: 1, maxLength: 4 })
  // A name may be given once, and a path begins with a slash.
  .map((parts) => parts.map((part, index) => part.replace(":id", `:id${index}`)).join(""))
  .filter((joined) => findPathMistake(joined) === undefined);
const pathname = fc
  .array(fc.constantFrom("/a", "/b", "/7", "/a.json", "/é", "/@a,b", "/", "/..", "a", ":a", "/a%20b", "/c"), {
    minLength: 1,
    maxLength: 4,
  })
  // The polyfill takes two slashes at the beginning for those before a host.
  .map((parts) => new URL(`http://host/${parts.join("")}`).pathname.replace(/^\/\/+/, "/"));

const anyCall = fc.record(
  {
    method,
    path,
    query: fc.record({ q: pattern, r: text }, { requiredKeys: [] }),
    headers: fc.record({ "X-H": pattern }, { requiredKeys: [] }),
    body: fc.constantFrom("1", '{"a":1}'),
    json: fc.constantFrom({ a: 1 }, { a: 2 }),
  },
  { requiredKeys: [] },
);

const someCall = fc.record(
  { method, path: fc.constantFrom("/a", "/a/:id", "/:id/b", "/a/*", "/*", "/a/(\\w)", "/(a|b)/b", "/a/b") },
  { requiredKeys: [] },
);
const call = fc.oneof({ weight: 4, arbitrary: someCall }, { weight: 1, arbitrary: anyCall });

const effect: fc.Arbitrary<Partial<RuleSpec>> = fc.constantFrom(
  { respond: { status: 204 } },
  { respond: { status: 204 } },
  { fail: "connection_refused" as const },
  { connectBy: "function" },
  { faults: [{ type: "latency", attributes: { latency: 1 } }] },
  { faults: [{ type: "down", toxicity: 0.5 }, { type: "timeout" }] },
);
const rule: fc.Arbitrary<RuleSpec> = fc
  .tuple(fc.record({ who }), effect, fc.record({ call, times: fc.constantFrom(1, 2) }, { requiredKeys: [] }))
  .map((parts) => Object.assign({ who: "" }, ...parts));

const hosts = fc
  .array(fc.constantFrom("a.internal", "internal", "x.a.internal", "10.0.0.1", "11.0.0.1", "fd00::1"), {
    maxLength: 2,
  })
  .map((texts) => texts.map(parseHost).filter((each): each is Host => !isProblem(each)));
const asked = fc
  .tuple(fc.constantFrom("NET", "NET", "OTHER", "THIRD"), hosts, fc.constantFrom(80, 443, 5432), fc.boolean())
  .map(([bindingName, all, port, isRest]) => {
    return { bindingName, bindingId: `app/${bindingName}`, hosts: all, port, isRest };
  });
const head = fc
  .record({
    method,
    pathname: fc.oneof(fc.constantFrom("/a", "/a/b", "/b/b", "/c/b"), pathname),
    query: fc.array(fc.tuple(fc.constantFrom("q", "r"), text), { maxLength: 2 }),
    field: text,
  })
  .map(({ method: verb, pathname: at, query, field }) => ({
    method: verb,
    url: new URL(`http://host${at}?${new URLSearchParams(query).toString()}`),
    headers: new Headers(field === "" ? {} : { "x-h": field }),
  }));
const body = fc.constantFrom("", "1", '{"a":1}', '{"a":2,"b":3}');

type Step =
  | { do: "add"; rule: RuleSpec }
  | { do: "remove"; nth: number }
  | { do: "reset" }
  | { do: "call"; asked: Judged["asked"]; head?: NonNullable<Judged["head"]>; body: string };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 16, arbitrary: fc.record({ do: fc.constant("add" as const), rule }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("remove" as const), nth: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.constant({ do: "reset" as const }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant("call" as const), asked, head, body }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("call" as const), asked, body }) },
);

function makeScenario(): Scenario {
  const scenario = new Scenario();
  scenario.enter({
    table: networkTable({ NET: [], OTHER: [], THIRD: [] }),
    repeat: () => false,
    push: () => Promise.resolve(),
    folder: "/",
    parseTarget: () => ({ type: "unix", path: "/target" }),
    print() {},
    restart() {},
  });
  return scenario;
}

function matches({ who: whose, call: matcher }: ScenarioRule, { asked: for_, head: request }: Judged): boolean {
  return matchesWho(whose, for_) && (request === undefined || matcher.matchHead(request) !== undefined);
}

/** The first of them that decides the call. */
function walk(rules: readonly ScenarioRule[], judged: Judged, text: string): ScenarioRule | undefined {
  return rules.find(
    (each) =>
      each.effect.type !== "faults" &&
      each.left > 0 &&
      servesKind(each, judged.head === undefined ? "tcp" : "http") &&
      matches(each, judged) &&
      (!each.call.needsBody || each.call.matchBody(makeBody(text))),
  );
}

function walkFaults(rules: readonly ScenarioRule[], judged: Judged): Fault[] {
  return rules
    .filter((each) => matches(each, judged))
    .toReversed()
    .flatMap(({ effect: said }) => (said.type === "faults" ? said.faults : []));
}

/** What a scenario and a walk over its rules find for each call. */
async function compareAll(steps: readonly Step[]): Promise<{ found: unknown[]; expected: unknown[] }> {
  const scenario = makeScenario();
  const random = createRandom(1);
  const nameOf = new Map<unknown, string>();
  const found: unknown[] = [];
  const expected: unknown[] = [];
  let rules: ScenarioRule[] = [];
  for (const each of steps) {
    switch (each.do) {
      case "add": {
        const added = scenario.addRule(each.rule);
        rules.unshift(added);
        if (added.effect.type !== "faults") break;
        for (const [index, fault] of added.effect.faults.entries()) nameOf.set(fault, `${added.id}, fault ${index}`);
        break;
      }
      case "remove": {
        const gone = rules[each.nth];
        found.push(scenario.removeRules((one) => one === gone));
        expected.push(gone !== undefined);
        rules = rules.filter((one) => one !== gone);
        break;
      }
      case "reset":
        scenario.reset();
        rules = [];
        break;
      case "call": {
        const judged = { ...each, readBody: () => Promise.resolve(each.body) };
        const open = scenario.open(judged, {});
        found.push(open.faults.map((fault) => nameOf.get(fault)));
        open.close();
        const hits = walkFaults(rules, judged).filter(({ toxicity }) => toxicity >= 1 || random.next() < toxicity);
        expected.push(hits.map((fault) => nameOf.get(fault)));
        expected.push(walk(rules, judged, each.body)?.id);
        const verdict = await scenario.judge(judged, {});
        found.push("rule" in verdict ? verdict.rule?.id : undefined);
        break;
      }
    }
    found.push(scenario.rules.map(({ id }) => id));
    expected.push(rules.map(({ id }) => id));
  }
  return { found, expected };
}

test(
  "the newest rule that matches decides, and all faults that match act in order",
  { timeout: DEADLINE },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
        const { found, expected } = await compareAll(steps);
        expect(found).toEqual(expected);
      }),
      runs(300),
    );
  },
);

test("a path matches what its URLPattern matches", { timeout: DEADLINE }, () => {
  fc.assert(
    fc.property(path, fc.array(pathname, { minLength: 1, maxLength: 10 }), (written, asked) => {
      const { match, edges } = parsePath(written);
      const pattern = new URLPattern({ pathname: written });
      const expected = asked.filter((each) => pattern.test({ pathname: each }));
      expect(asked.filter((each) => match(each) !== undefined)).toEqual(expected);
      const hasEdges = (each: string): boolean =>
        "whole" in edges ? each === edges.whole : `${each}/`.startsWith(`${edges.start}/`) && each.endsWith(edges.end);
      expect(expected.filter(hasEdges)).toEqual(expected);
    }),
    runs(1000),
  );
});

test("a rule that is removed while a body is read decides nothing", async () => {
  const scenario = makeScenario();
  const older = scenario.addRule({ who: "NET", respond: { status: 200 } });
  const newer = scenario.addRule({ who: "NET", call: { json: { a: 1 } }, respond: { status: 201 } });
  const judged = (removed: ScenarioRule): Judged => ({
    asked: { bindingName: "NET", bindingId: "app/NET", hosts: [], port: 80, isRest: true },
    head: { method: "POST", url: new URL("http://host/"), headers: new Headers() },
    readBody: () => {
      scenario.removeRules((rule) => rule === removed);
      return Promise.resolve('{"a":1}');
    },
  });
  expect(await scenario.judge(judged(newer), {})).toMatchObject({ rule: { id: older.id } });
  scenario.addRule({ who: "NET", call: { json: { a: 2 } }, respond: { status: 201 } });
  expect(await scenario.judge(judged(older), {})).toEqual({ type: "as-configured" });
});
