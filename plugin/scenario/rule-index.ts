/**
 * Finds the rules that a call may match without asking all of them: by what every call of a rule has in common. A filter
 * only: what it finds is still compared with the call.
 */

import { type Host, isProblem, parseHost } from "../../service-worker/routing/address.ts";
import { prefixKey } from "../../service-worker/routing/route-index.ts";
import { type CallMatcher, type RequestHead, valuesOf } from "./call.ts";
import { type Judged, type ScenarioRule, servesKind } from "./rule.ts";
import type { Who } from "./who.ts";

type IndexedCall = Pick<Judged, "asked" | "head">;

/** What every call of a rule has, such as a method. */
interface Trait {
  /** Says how it is read. */
  name: string;
  value: string;
  /** @returns what the call has; empty: the rule can't match */
  read: (call: IndexedCall) => readonly string[];
}

/** Rules whose traits have the same names. Most sessions have few shapes, each with many rules. */
interface Shape {
  name: string;
  reads: Trait["read"][];
  /** Oldest first, by the values of their traits. */
  rules: Map<string, ScenarioRule[]>;
}

export class RuleIndex {
  readonly #shapes = new Map<string, Shape>();

  /** @param rule newer than all that are in it */
  add(rule: ScenarioRule): void {
    for (const traits of traitsOf(rule)) {
      const name = traits.map((trait) => trait.name).join();
      const shape = this.#shapes.get(name) ?? { name, reads: traits.map(({ read }) => read), rules: new Map() };
      this.#shapes.set(name, shape);
      const key = keyOf(traits);
      const same = shape.rules.get(key);
      if (same === undefined) shape.rules.set(key, [rule]);
      else same.push(rule);
    }
  }

  remove(removed: ReadonlySet<ScenarioRule>): void {
    const done = new Set<ScenarioRule[]>();
    for (const traits of [...removed].flatMap(traitsOf)) {
      const shape = this.#shapes.get(traits.map((trait) => trait.name).join());
      const key = keyOf(traits);
      const same = shape?.rules.get(key);
      if (shape === undefined || same === undefined || done.has(same)) continue;
      // A copy, because a call may be walking through it.
      const left = same.filter((rule) => !removed.has(rule));
      done.add(left);
      if (left.length > 0) shape.rules.set(key, left);
      else shape.rules.delete(key);
      if (shape.rules.size === 0) this.#shapes.delete(shape.name);
    }
  }

  /** @returns newest first, as they are now */
  find(call: IndexedCall): Iterable<ScenarioRule> {
    const found = new Set<readonly ScenarioRule[]>();
    for (const shape of this.#shapes.values()) {
      for (const key of keysOf(call, shape)) {
        const same = shape.rules.get(key);
        if (same !== undefined) found.add(same);
      }
    }
    return newestFirst([...found].map((rules) => ({ rules, next: rules.length - 1 })));
  }
}

function* newestFirst(lists: { rules: readonly ScenarioRule[]; next: number }[]): Generator<ScenarioRule> {
  for (;;) {
    let newest: ScenarioRule | undefined;
    let from: (typeof lists)[number] | undefined;
    for (const list of lists) {
      const rule = list.rules[list.next];
      if (rule === undefined || (newest !== undefined && rule.number < newest.number)) continue;
      newest = rule;
      from = list;
    }
    if (newest === undefined || from === undefined) return;
    from.next--;
    yield newest;
  }
}

function keyOf(traits: readonly Trait[]): string {
  return traits.reduce((key, { value }) => joinKey(key, value), "");
}

/** One for each combination of the values that the call has. */
function keysOf(call: IndexedCall, { reads }: Shape): string[] {
  let keys = [""];
  for (const read of reads) {
    if (keys.length === 0) break;
    const values = read(call);
    keys = keys.flatMap((key) => values.map((value) => joinKey(key, value)));
  }
  return keys;
}

function joinKey(key: string, value: string): string {
  return `${key}\n${value}`;
}

/** Once for requests and once for connections, if it serves both. What a rule says of a request doesn't matter to a connection. */
function traitsOf(rule: ScenarioRule): Trait[][] {
  const who = traitsOfWho(rule.who);
  return [
    ...(servesKind(rule, "http") ? [[HTTP, ...who, ...traitsOfCall(rule.call)]] : []),
    ...(servesKind(rule, "tcp") ? [[TCP, ...who]] : []),
  ];
}

const HTTP: Trait = { name: "http", value: "", read: ({ head }) => (head === undefined ? [] : [""]) };
const TCP: Trait = { name: "tcp", value: "", read: ({ head }) => (head === undefined ? [""] : []) };

function traitsOfWho(who: Who): Trait[] {
  if (who.type === "binding") {
    return [{ name: "binding", value: who.bindingName, read: ({ asked }) => [asked.bindingName] }];
  }
  const { match, ports } = who;
  const hasOnePort = ports !== undefined && ports.from === ports.to;
  return [
    ...traitsOfMatch(match),
    ...(hasOnePort
      ? [{ name: "port", value: String(ports.from), read: ({ asked }: IndexedCall) => [String(asked.port)] }]
      : []),
  ];
}

function traitsOfMatch(match: (Who & { type: "destination" })["match"]): Trait[] {
  switch (match.type) {
    case "name":
      return byHost("name", match.name, (host) => (host.type === "name" ? host.text : undefined));
    case "wildcard":
      return byHost("wildcard", match.suffix, (host) => {
        const dot = host.type === "name" ? host.text.indexOf(".") : -1;
        return dot === -1 ? undefined : host.text.slice(dot + 1);
      });
    case "cidr": {
      const { address, prefix } = match;
      const network = parseHost(address);
      if (isProblem(network) || network.type !== "ip") return [];
      const { version, bytes } = network;
      return byHost(`v${version}/${prefix}`, prefixKey(bytes, bytes.length * 8), (host) =>
        host.type === "ip" && host.version === version ? prefixKey(host.bytes, prefix) : undefined,
      );
    }
    case "any":
      return [{ name: "any", value: "", read: ({ asked }) => (asked.isRest && asked.hosts.length > 0 ? [""] : []) }];
    default:
      return match satisfies never;
  }
}

/** @param read undefined: another kind of host */
function byHost(name: string, value: string, read: (host: Host) => string | undefined): Trait[] {
  return [{ name, value, read: ({ asked }) => asked.hosts.map(read).filter((each) => each !== undefined) }];
}

function traitsOfCall({ pattern: { method, query, headers }, edges }: CallMatcher): Trait[] {
  const [parameter, expected] = firstText(query);
  const [field, content] = firstText(headers);
  return [
    ...ofHead("method", method, (head) => [head.method]),
    ...("whole" in edges
      ? ofHead("path", edges.whole, ({ url }) => [url.pathname])
      : [
          ...ofHead(`start ${countSegments(edges.start)}`, edges.start, ({ url }) =>
            firstSegments(url.pathname, countSegments(edges.start)),
          ),
          ...ofHead(`end ${countSegments(edges.end)}`, edges.end, ({ url }) =>
            lastSegments(url.pathname, countSegments(edges.end)),
          ),
        ]),
    ...ofHead(`query ${parameter}`, expected, ({ url }) => url.searchParams.getAll(parameter)),
    ...ofHead(`header ${field}`, content, (head) => valuesOf(head.headers, field)),
  ];
}

/** @param value absent or empty: the rule takes any */
function ofHead(name: string, value: string | undefined, read: (head: RequestHead) => readonly string[]): Trait[] {
  if (value === undefined || value === "") return [];
  return [{ name, value, read: ({ head }) => (head === undefined ? [] : read(head)) }];
}

/** The first that is a text, not a regular expression. */
function firstText(patterns: CallMatcher["pattern"]["query"] = {}): [name: string, text: string | undefined] {
  for (const [name, pattern] of Object.entries(patterns)) if (typeof pattern === "string") return [name, pattern];
  return ["", undefined];
}

/** Each begins with a slash. */
function countSegments(text: string): number {
  return text.split("/").length - 1;
}

function firstSegments(pathname: string, count: number): string[] {
  let end = 0;
  for (let passed = 0; passed < count; passed++) {
    if (end === -1) return [];
    end = pathname.indexOf("/", end + 1);
  }
  return [end === -1 ? pathname : pathname.slice(0, end)];
}

function lastSegments(pathname: string, count: number): string[] {
  let start = pathname.length;
  for (let passed = 0; passed < count; passed++) {
    if (start === 0) return [];
    start = pathname.lastIndexOf("/", start - 1);
  }
  return [pathname.slice(start)];
}
