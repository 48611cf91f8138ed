/** The way from a test to the scenario of a session in another process. The test's functions run here. */

import { randomUUID } from "node:crypto";
import path from "node:path";

import type { ControlClient } from "../control/client.ts";
import { egressProxy } from "../egress/server.ts";
import type { PlainAnswer } from "../scenario/answer.ts";
import type { RuleSpec } from "../scenario/rule.ts";
import type { RuleFunction } from "../scenario/rule-function.ts";
import { connectWithWebStreams } from "./port-in-process.ts";
import type { Port } from "./port.ts";

/** Its rules end with this process, or with `close()`. */
export async function portToProcess(client: ControlClient): Promise<Port> {
  const owner = randomUUID();
  const own = new Set<string>();
  const end = await client.hold(`/clients/${owner}`);
  const add = async (found: RuleFunction & { type: "node" }): Promise<string> => {
    const { address, secret, testFunctions } = await egressProxy();
    const functionId = randomUUID();
    own.add(functionId);
    testFunctions.set(functionId, found);
    const registered = await client.ask("POST", `/clients/${owner}/functions`, { address, secret, functionId });
    return (registered as { functionId: string }).functionId;
  };
  return {
    run: (command) => client.run(command.do === "addRule" ? { ...command, rule: fromHere(command.rule) } : command),
    owner,
    addRespond: (respond) => add({ type: "node", respond }),
    addConnect: (connect) => add(connectWithWebStreams(connect)),
    async close() {
      end();
      if (own.size === 0) return;
      const { testFunctions } = await egressProxy();
      for (const functionId of own) testFunctions.delete(functionId);
    },
  };
}

function fromHere(rule: RuleSpec): RuleSpec {
  const { respond } = rule;
  if (respond === undefined) return rule;
  return { ...rule, respond: Array.isArray(respond) ? respond.map(withOwnFile) : withOwnFile(respond) };
}

/** The session has another working directory. */
function withOwnFile(answer: PlainAnswer): PlainAnswer {
  return typeof answer?.file === "string" ? { ...answer, file: path.resolve(answer.file) } : answer;
}
