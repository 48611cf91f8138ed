/** The way from a test to the scenario of a session in the same process. */

import { randomUUID } from "node:crypto";
import { Duplex } from "node:stream";

import type { RuleFunction } from "../scenario/rule-function.ts";
import { type RunningScenario, findRunning } from "../scenario/running.ts";
import type { Port } from "./port.ts";

export function portInProcess(scenarioId: string): Port {
  const own: string[] = [];
  // Another one takes its place if the session starts again.
  const running = (): RunningScenario => {
    const found = findRunning(scenarioId);
    if (found === undefined) throw new Error("vpc: the session has ended.");
    return found;
  };
  const add = async (found: RuleFunction): Promise<string> => {
    const functionId = randomUUID();
    own.push(functionId);
    running().functions.set(functionId, found);
    return functionId;
  };
  return {
    run: async (command) => await running().run(command),
    owner: randomUUID(),
    addRespond: (respond) => add({ type: "node", respond }),
    addConnect: (connect) => add(connectWithWebStreams(connect)),
    async close() {
      for (const functionId of own) findRunning(scenarioId)?.functions.delete(functionId);
    },
  };
}

/** Gives the test's function web streams. */
export function connectWithWebStreams(connect: Parameters<Port["addConnect"]>[0]): RuleFunction & { type: "node" } {
  return {
    type: "node",
    connect: async (socket, address) => {
      const { readable, writable } = Duplex.toWeb(socket);
      await connect({ readable, writable, address });
    },
  };
}
