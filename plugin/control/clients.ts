/**
 * What `connectVpc()` and the commands of another process use. Not part of the documented API.
 *
 *   GET  /clients/{owner}             open as long as the client lives; then its rules and functions end
 *   POST /clients/{owner}/functions   a function of the client's process that rules call
 *   POST /command                     a command of the scenario
 */

import { type ScenarioCommand, runCommand } from "../scenario/commands.ts";
import type { RuleFunction } from "../scenario/rule-function.ts";
import { messageOf } from "../system/error.ts";
import { type ControlAnswer, ControlError, type ControlRequest, beginStream } from "./control-request.ts";

/** What a client sends to register a function. */
export type RegisteredFunction = Omit<RuleFunction & { type: "remote" }, "type">;

export async function answerClient(request: ControlRequest): Promise<ControlAnswer | undefined> {
  const { scenario, method, path, outgoing, readJson } = request;
  const [, room, owner = "", part] = path.split("/");
  if (room === "command" && method === "POST") {
    try {
      return {
        status: 200,
        json: { result: (await runCommand(scenario, (await readJson()) as ScenarioCommand)) ?? null },
      };
    } catch (error) {
      if (error instanceof ControlError) throw error;
      return { status: 200, json: { error: messageOf(error), isMistake: error instanceof TypeError } };
    }
  }
  if (room !== "clients" || owner === "") return undefined;
  if (method === "GET" && part === undefined) {
    beginStream(outgoing);
    outgoing.once("close", () => scenario.forgetClient(owner));
    return "streamed";
  }
  if (method === "POST" && part === "functions") {
    const { address, secret, functionId } = (await readJson()) as RegisteredFunction;
    scenario.functions.set(`${owner}/${functionId}`, { type: "remote", address, secret, functionId });
    return { status: 200, json: { functionId: `${owner}/${functionId}` } };
  }
  return undefined;
}
