/**
 * `miniflare-vpc/test/setup`, a setup file of vitest, for tests in workerd and in Node: resets the network after each test,
 * and adds matchers for `expect(vpc)`. The scenario compares; this only carries questions and answers.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { aroundEach, expect } from "vitest";

import type { ScenarioCommand } from "../scenario/commands.ts";
import type { Expectation, Verified } from "../scenario/verify.ts";
import { livePortOf, resetLive } from "./live-vpcs.ts";
import { type TestScope, keepScopes } from "./test-scope.ts";
import { type VpcCall, type VpcCallParts, toPlainCall } from "./vpc.ts";

export type { Text, VpcCall, VpcCallParts } from "./vpc.ts";

export interface Times {
  /** Absent: at least once. */
  times?: number;
}

/** A call that was received: `["USERS", "POST /users", { json: { name: "Ada" } }]`. */
export type Received = readonly [who: string, call?: VpcCall, conditions?: VpcCallParts];

interface VpcMatchers {
  /** @param conditions more of the call. Await it. */
  toHaveReceived(who: string, call?: VpcCall, conditions?: VpcCallParts, options?: Times): Promise<void>;
  /** Other calls may come between them. Await it. */
  toHaveReceivedInOrder(calls: readonly Received[]): Promise<void>;
  /** Await it. */
  toHaveConnected(who: string, options?: Times): Promise<void>;
}

declare global {
  // What both vitest 4 and vitest 5 build their own assertions from.
  namespace Chai {
    interface Assertion extends VpcMatchers {}
  }
}

interface MatcherState {
  isNot: boolean;
}

interface MatcherResult {
  pass: boolean;
  message: () => string;
}

async function ask(vpc: unknown, matcher: string, command: ScenarioCommand): Promise<MatcherResult> {
  const port = livePortOf(vpc);
  if (port === undefined) {
    throw new TypeError(
      `expect(…).${matcher}() is for the vpc of miniflare-vpc/test, or one that connectVpc() returned and that is not disposed of.`,
    );
  }
  const { isMet, text } = (await port.run(command)) as Verified;
  return { pass: isMet, message: () => text };
}

function expectationOf(who: string, call?: VpcCall, conditions?: VpcCallParts): Expectation {
  return {
    kind: "request",
    who,
    ...(call !== undefined && { call: toPlainCall(call) }),
    ...(conditions !== undefined && { conditions: toPlainCall(conditions) as Expectation["conditions"] & object }),
  };
}

expect.extend({
  toHaveReceived(
    this: MatcherState,
    vpc: unknown,
    ...[who, call, conditions, options]: Parameters<VpcMatchers["toHaveReceived"]>
  ) {
    const expectation = { ...expectationOf(who, call, conditions), ...options };
    return ask(vpc, "toHaveReceived", { do: "verify", expectation, isNot: this.isNot });
  },
  toHaveReceivedInOrder(this: MatcherState, vpc: unknown, calls: readonly Received[]) {
    const expectations = calls.map((received) => expectationOf(...received));
    return ask(vpc, "toHaveReceivedInOrder", { do: "verifyOrder", expectations, isNot: this.isNot });
  },
  toHaveConnected(this: MatcherState, vpc: unknown, who: string, options?: Times) {
    const expectation: Expectation = { kind: "connection", who, ...options };
    return ask(vpc, "toHaveConnected", { do: "verify", expectation, isNot: this.isNot });
  },
});

const scopes = new AsyncLocalStorage<TestScope>();
keepScopes(scopes);

/** Tests that run now: several, if they are concurrent. */
let running = 0;

// Around all hooks of a test, so that they still see the journal.
aroundEach(async (runTest) => {
  const scope = { isOver: false };
  running++;
  try {
    await scopes.run(scope, runTest);
  } finally {
    scope.isOver = true;
    running--;
    if (running === 0) await resetLive();
  }
});
