/**
 * What a test says to the network: rules, faults, and questions about what was received. The same in a vitest test, which
 * runs in workerd, and in Node. Sends commands through a port, and knows nothing of how they travel.
 */

import type { ProxyErrorCode } from "../../service-worker/routing/error-codes.ts";
import type { VpcTarget } from "../config.ts";
import type { PlainAnswer } from "../scenario/answer.ts";
import type { Answer, ConnectContext, Port, RespondContext } from "./port.ts";
import type { EntryList } from "../scenario/commands.ts";
import type { CallPattern, TextPattern } from "../scenario/call.ts";
import type { Fault } from "../scenario/faults/fault.ts";
import type { RuleSpec } from "../scenario/rule.ts";
import { type VpcConnection, type VpcRequest, toConnection, toRequest } from "./entries.ts";
import { toBase64 } from "../scenario/base64.ts";
import { keepLive } from "./live-vpcs.ts";
import { withinTest } from "./test-scope.ts";

/** A text that is compared as a whole, or an expression that is searched for. */
export type Text = string | RegExp;

/** Which requests a rule is for: `"GET /users/:id"`, `"/users/*"`, or the parts that matter. */
export type VpcCall = string | VpcCallParts;

export interface VpcCallParts {
  method?: string;
  /** A URLPattern pathname; the query is not part of it. */
  path?: string;
  /** Only the named ones are compared. */
  query?: Record<string, Text>;
  /** Only the named ones are compared; in any case. */
  headers?: Record<string, Text>;
  body?: Text;
  /** Compared as a subset of the request's JSON body. */
  json?: unknown;
}

export type Respond = (context: RespondContext) => Response | Answer | Promise<Response | Answer>;

export type Connect = (context: ConnectContext) => void | Promise<void>;

/** A rule in force. It ends with `remove()`, with an `await using` block, or with `vpc.reset()`. */
export interface Rule extends AsyncDisposable {
  readonly id: string;
  /** May be called twice. */
  remove(): Promise<void>;
  /** The requests that this rule decided. */
  requests(): Promise<Entries<VpcRequest>>;
  /** The connections that this rule decided. */
  connections(): Promise<Entries<VpcConnection>>;
}

/** Each promise resolves when the rule is in force. Rejects with a TypeError that says what is wrong. */
export interface Calls {
  /** Answers in place of the origin: with data, a list of it in turn, or a function. */
  respond(answer: Answer | readonly Answer[] | Respond): Promise<Rule>;
  /** Answers one request. */
  respondOnce(answer: Answer | Respond): Promise<Rule>;
  /** Fails with an error code. */
  fail(code: ProxyErrorCode): Promise<Rule>;
  failOnce(code: ProxyErrorCode): Promise<Rule>;
  /** Leads to a target, as the vpc config writes it. */
  to(target: Exclude<VpcTarget, (...args: never) => unknown>): Promise<Rule>;
  /** Plays the origin's end of a TCP connection. */
  connect(connect: Connect): Promise<Rule>;
  /** Acts on top of whatever answers. */
  fault(...faults: Fault[]): Promise<Rule>;
}

export interface Vpc extends AsyncDisposable {
  /** @param who a binding's name, or a destination as `routes` write it. @param call absent: every call */
  on(who: string, call?: VpcCall): Calls;
  requests(who?: string, call?: VpcCall): Promise<Entries<VpcRequest>>;
  connections(who?: string): Promise<Entries<VpcConnection>>;
  /** What was refused, each with the nearest rule and what differs. */
  unmatched(): Promise<Entries<VpcRequest | VpcConnection>>;
  /** Rules that decided nothing. */
  unused(): Promise<{ id: string; text: string }[]>;
  /** From now on, what no rule matches is refused with `destination_not_found`. */
  strict(): Promise<void>;
  /** Restarts the generator of toxicity and jitter. */
  seed(seed: number): Promise<void>;
  /** No rules, an empty journal, not strict. Ends what still hangs because of a rule. */
  reset(): Promise<void>;
}

export function makeVpc(to: Port): Vpc {
  const port = withinTest(to);
  const add = async (spec: RuleSpec): Promise<Rule> => {
    const { id } = (await port.run({ do: "addRule", rule: spec, owner: port.owner })) as { id: string };
    const remove = async (): Promise<void> => void (await port.run({ do: "removeRule", id }));
    return {
      id,
      remove,
      requests: async () => entriesOf(await port.run({ do: "requests", rule: id }), port, toRequest),
      connections: async () => entriesOf(await port.run({ do: "connections", rule: id }), port, toConnection),
      [Symbol.asyncDispose]: remove,
    };
  };
  const addAnswer = async (
    on: Pick<RuleSpec, "who" | "call" | "times">,
    answer: Answer | readonly Answer[] | Respond,
  ): Promise<Rule> => {
    if (typeof answer === "function") {
      return add({ ...on, respondBy: await port.addRespond(async (context) => await answer(context)) });
    }
    return add({ ...on, respond: Array.isArray(answer) ? answer.map(toPlainAnswer) : toPlainAnswer(answer as Answer) });
  };
  const vpc: Vpc = {
    on(who, call) {
      const on = { who, ...(call !== undefined && { call: toPlainCall(call) }) };
      return {
        respond: (answer) => addAnswer(on, answer),
        respondOnce: (answer) => addAnswer({ ...on, times: 1 }, answer),
        fail: (code) => add({ ...on, fail: code }),
        failOnce: (code) => add({ ...on, times: 1, fail: code }),
        to: (target) => add({ ...on, to: target }),
        connect: async (connect) =>
          add({ ...on, connectBy: await port.addConnect(async (context) => await connect(context)) }),
        fault: (...faults) => add({ ...on, faults }),
      };
    },
    requests: async (who, call) =>
      entriesOf(
        await port.run({
          do: "requests",
          ...(who !== undefined && { who }),
          ...(call !== undefined && { call: toPlainCall(call) }),
        }),
        port,
        toRequest,
      ),
    connections: async (who) =>
      entriesOf(await port.run({ do: "connections", ...(who !== undefined && { who }) }), port, toConnection),
    unmatched: async () =>
      entriesOf<VpcRequest | VpcConnection>(await port.run({ do: "unmatched" }), port, (entry, from) =>
        entry.type === "request" ? toRequest(entry, from) : toConnection(entry, from),
      ),
    unused: async () => (await port.run({ do: "unused" })) as { id: string; text: string }[],
    strict: async () => void (await port.run({ do: "strict" })),
    seed: async (seed) => void (await port.run({ do: "seed", seed })),
    reset: async () => void (await port.run({ do: "reset" })),
    [Symbol.asyncDispose]: async () => {
      forget();
      await port.run({ do: "leave", owner: port.owner });
      await port.close();
    },
  };
  const forget = keepLive(vpc, port);
  return vpc;
}

type PlainEntry = Parameters<typeof toRequest>[0];

/** What the journal holds, the oldest first. */
export type Entries<Entry> = Entry[] & {
  /** Calls that the journal has dropped since the last reset, because it keeps only so many. Not enumerable. */
  readonly dropped: number;
};

function entriesOf<Made>(list: unknown, port: Port, make: (entry: PlainEntry, port: Port) => Made): Entries<Made> {
  const { entries, dropped } = list as EntryList<PlainEntry>;
  const made = entries.map((entry) => make(entry, port));
  return Object.defineProperty(made, "dropped", { value: dropped }) as Entries<Made>;
}

/** Regular expressions become JSON. */
export function toPlainCall(call: VpcCall): string | CallPattern {
  if (typeof call !== "object" || call === null) return call;
  const texts = (given: Record<string, Text>): Record<string, TextPattern> =>
    Object.fromEntries(Object.entries(given).map(([name, text]) => [name, toPlainText(text)]));
  const { query, headers, body, ...rest } = call;
  return {
    ...rest,
    ...(query && { query: texts(query) }),
    ...(headers && { headers: texts(headers) }),
    ...(body !== undefined && { body: toPlainText(body) }),
  };
}

function toPlainText(text: Text): TextPattern {
  return text instanceof RegExp ? { regexp: text.source, flags: text.flags } : text;
}

/** Bytes become base64. */
export function toPlainAnswer(answer: Answer): PlainAnswer {
  if (typeof answer !== "object" || answer === null) return answer;
  const { bytes, ...rest } = answer;
  if (bytes === undefined) return rest;
  return { ...rest, bytes: toBase64(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes) };
}
