/**
 * The door of a vitest test to the rules and the journal. Only the vitest adapter makes a binding to it, and only the
 * runner's own Worker has that binding.
 */

import { WorkerEntrypoint } from "cloudflare:workers";
import { ask } from "../egress.ts";
import type { ServiceWorkerEnv } from "../env.ts";
import type { TestFunction, TestLife } from "./test-function.ts";
import { functionsOf, sendCommand } from "./test-functions.ts";

export class TestDoor extends WorkerEntrypoint<ServiceWorkerEnv> {
  /**
   * @param command JSON, as `plugin/scenario/commands.ts` takes it
   * @returns a `CommandAnswer` as JSON: a stream, because a journal may be larger than what an RPC returns
   */
  run(command: string): Promise<Response> {
    return sendCommand(command, this.env);
  }

  /** When the test is gone, the rules and functions of this owner end. */
  async watch(owner: string, life: TestLife): Promise<void> {
    await functionsOf(this.env).watch(owner, life);
  }

  /** Keeps a function for the rules that name it. */
  async keepFunction(functionId: string, given: TestFunction): Promise<void> {
    await functionsOf(this.env).keep(functionId, given);
    await this.#act({ do: "keepFunction", id: functionId });
  }

  /** The function that plays the origin of a connection threw. Its bytes end right after this. */
  async failConnection(exchangeId: string, text: string): Promise<void> {
    await ask(this.env, { op: "outcome", exchangeId, outcome: { type: "threw", text } });
  }

  /** Ends the calls of them that go on. */
  async dropFunctions(functionIds: string[]): Promise<void> {
    await this.#act({ do: "dropFunctions", ids: functionIds });
    await functionsOf(this.env).drop(functionIds);
  }

  async #act(command: object): Promise<void> {
    const response = await this.run(JSON.stringify(command));
    await response.text();
  }
}
