/**
 * Toxiproxy's HTTP API. A proxy is a service or a route of the vpc config; a toxic is a rule with one fault, and a proxy
 * that is not enabled has a rule with the fault `down`. The rules are the only state, so `vpc.reset()` counts here too.
 */

import { isPlainObject } from "../read/quote.ts";
import type { Fault } from "../scenario/faults/fault.ts";
import { type ScenarioRule, parseFaults } from "../scenario/rule.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { type ControlAnswer, ControlError, type ControlRequest } from "./control-request.ts";
import { type ControlledProxy, proxiesOf } from "./proxies.ts";
import type { Traffic } from "./traffic.ts";

/** The version of Toxiproxy whose API this is. */
const API_VERSION = "2.12.0";

export async function answerToxiproxy(request: ControlRequest, traffic: Traffic): Promise<ControlAnswer | undefined> {
  const { scenario, method, path } = request;
  // Toxics act on connections that are made from now on.
  if (path.startsWith("/proxies") || path === "/populate") await scenario.observe();
  switch (`${method} ${path}`) {
    case "GET /version":
      return { status: 200, json: { version: API_VERSION } };
    case "GET /metrics":
      return { status: 200, text: traffic.format(), contentType: "text/plain; version=0.0.4; charset=utf-8" };
    case "POST /reset":
      scenario.removeRules(({ owner }) => owner?.startsWith(TOXIC) === true || owner?.startsWith(DISABLED) === true);
      return { status: 204 };
    case "GET /proxies": {
      const proxies = [...proxiesOf(scenario.context.table).values()];
      return {
        status: 200,
        json: Object.fromEntries(proxies.map((proxy) => [proxy.proxyName, toJson(scenario, proxy)])),
      };
    }
    case "POST /proxies":
      return { status: 201, json: update(scenario, await request.readJson()) };
    case "POST /populate":
      return await populate(request);
    default:
      return path.startsWith("/proxies/") ? await answerProxy(request) : undefined;
  }
}

async function populate({ scenario, readJson }: ControlRequest): Promise<ControlAnswer> {
  const wanted = await readJson();
  if (!Array.isArray(wanted)) throw new ControlError(400, "the body must be a list of proxies.");
  // All or none.
  for (const each of wanted) find(scenario, nameIn(each), 400);
  return { status: 201, json: { proxies: wanted.map((each) => update(scenario, each)) } };
}

async function answerProxy({ scenario, method, path, readJson }: ControlRequest): Promise<ControlAnswer | undefined> {
  // Some clients don't encode the "/" of a name.
  const [, nameText = "", toxics, toxicText] = /^\/proxies\/(.+?)(\/toxics(?:\/([^/]+))?)?\/?$/.exec(path) ?? [];
  const proxy = find(scenario, decode(nameText), 404);
  if (toxics === undefined) {
    switch (method) {
      case "GET":
        return { status: 200, json: toJson(scenario, proxy) };
      case "POST":
      case "PATCH":
        return { status: 200, json: update(scenario, await readJson(), proxy) };
      case "DELETE":
        scenario.removeRules(({ owner }) => owner === TOXIC + proxy.proxyName || owner === DISABLED + proxy.proxyName);
        return { status: 204 };
      default:
        return undefined;
    }
  }
  if (toxicText === undefined) {
    if (method === "GET") return { status: 200, json: toxicsOf(scenario, proxy).map(({ toxic }) => toxic) };
    return method === "POST" ? { status: 200, json: addToxic(scenario, proxy, await readJson()) } : undefined;
  }
  const toxicName = decode(toxicText);
  const found = toxicsOf(scenario, proxy).find(({ toxic }) => toxic.name === toxicName);
  if (found === undefined)
    throw new ControlError(
      404,
      `the proxy ${JSON.stringify(proxy.proxyName)} has no toxic ${JSON.stringify(toxicName)}.`,
    );
  switch (method) {
    case "GET":
      return { status: 200, json: found.toxic };
    case "POST":
    case "PATCH":
      return { status: 200, json: changeToxic(scenario, found, await readJson()) };
    case "DELETE":
      scenario.removeRules(({ id }) => id === found.rule.id);
      return { status: 204 };
    default:
      return undefined;
  }
}

/** The owners of the rules; the proxy's name follows. */
const TOXIC = "toxic ";
const DISABLED = "disabled ";

type Toxic = Fault & { name: string };

interface ToxicRule {
  rule: ScenarioRule;
  toxic: Toxic;
}

/** Oldest first. */
function toxicsOf({ rules }: Scenario, { proxyName }: ControlledProxy): ToxicRule[] {
  return rules.toReversed().flatMap((rule) => {
    if (rule.owner !== TOXIC + proxyName || rule.effect.type !== "faults") return [];
    return rule.effect.faults.map((fault) => ({ rule, toxic: { name: "", ...fault } }));
  });
}

function toJson(scenario: Scenario, proxy: ControlledProxy): object {
  const { proxyName, who, upstream } = proxy;
  return {
    name: proxyName,
    listen: who,
    upstream,
    enabled: !scenario.rules.some(({ owner }) => owner === DISABLED + proxyName),
    toxics: toxicsOf(scenario, proxy).map(({ toxic }) => toxic),
  };
}

/** @param body a proxy as Toxiproxy's clients send it. @param known the proxy that the path names */
function update(scenario: Scenario, body: unknown, known?: ControlledProxy): object {
  const proxy = known ?? find(scenario, nameIn(body), 400);
  if (!isPlainObject(body)) throw new ControlError(400, "the body must be an object.");
  const { enabled = true, upstream, listen } = body;
  if (typeof enabled !== "boolean")
    throw new ControlError(400, `"enabled" is ${JSON.stringify(enabled)}; write true or false.`);
  if (known !== undefined && upstream !== undefined && upstream !== "" && upstream !== proxy.upstream) {
    throw new ControlError(
      400,
      `the vpc config leads ${JSON.stringify(proxy.proxyName)} to ${JSON.stringify(proxy.upstream)}. To lead it to ${JSON.stringify(upstream)} for a time, POST /rules with { "who": ${JSON.stringify(proxy.who)}, "to": ${JSON.stringify(upstream)} }.`,
    );
  }
  if (known !== undefined && listen !== undefined && listen !== "" && listen !== proxy.who) {
    throw new ControlError(
      400,
      `nothing listens for ${JSON.stringify(proxy.proxyName)}, because Workers reach it through their bindings. Leave "listen" out, or write ${JSON.stringify(proxy.who)}.`,
    );
  }
  const isAsked = known === undefined || body["enabled"] !== undefined;
  if (!isAsked) return toJson(scenario, proxy);
  const isNow = !scenario.rules.some(({ owner }) => owner === DISABLED + proxy.proxyName);
  if (enabled && !isNow) scenario.removeRules(({ owner }) => owner === DISABLED + proxy.proxyName);
  if (!enabled && isNow) addFault(scenario, { proxy, owner: DISABLED, fault: { type: "down" } });
  return toJson(scenario, proxy);
}

function addToxic(scenario: Scenario, proxy: ControlledProxy, body: unknown): Toxic {
  const [fault] = parseFaults(body);
  if (fault === undefined) throw new ControlError(400, "a toxic is missing.");
  const toxic = { ...fault, name: fault.name ?? `${fault.type}_${fault.stream}` };
  if (toxicsOf(scenario, proxy).some(({ toxic: { name } }) => name === toxic.name)) {
    throw new ControlError(
      409,
      `the proxy ${JSON.stringify(proxy.proxyName)} has a toxic ${JSON.stringify(toxic.name)} already.`,
    );
  }
  addFault(scenario, { proxy, owner: TOXIC, fault: toxic });
  return toxic;
}

function addFault(
  scenario: Scenario,
  { proxy, owner, fault }: { proxy: ControlledProxy; owner: string; fault: unknown },
): void {
  const { proxyName, who, bindingIds } = proxy;
  scenario.addRule({ who, faults: [fault] }, owner + proxyName, bindingIds);
}

/** As Toxiproxy does: what is left out stays, and so do the type and the stream. */
function changeToxic(scenario: Scenario, { rule, toxic }: ToxicRule, body: unknown): Toxic {
  if (!isPlainObject(body)) throw new ControlError(400, "the body must be an object.");
  const { toxicity = toxic.toxicity, attributes = {} } = body;
  if (!isPlainObject(attributes)) throw new ControlError(400, `"attributes" must be an object.`);
  const faults = parseFaults({ ...toxic, toxicity, attributes: { ...toxic.attributes, ...attributes } });
  scenario.changeFaults(rule, faults);
  return { ...toxic, ...faults[0] };
}

function nameIn(body: unknown): string {
  const proxyName = isPlainObject(body) ? body["name"] : undefined;
  if (typeof proxyName !== "string" || proxyName === "") throw new ControlError(400, 'a proxy has a "name".');
  return proxyName;
}

/** @param status of the error if there is none */
function find({ context }: Scenario, proxyName: string, status: 400 | 404): ControlledProxy {
  const proxies = proxiesOf(context.table);
  const proxy = proxies.get(proxyName);
  if (proxy !== undefined) return proxy;
  const names = [...proxies.keys()].map((each) => JSON.stringify(each)).join(", ");
  throw new ControlError(
    status,
    `there is no proxy ${JSON.stringify(proxyName)}. Each service and each route of the vpc config is one: ${names === "" ? "it has none" : names}.`,
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
