/** The way from a test to the scenario of its session. */

import type { PlainAnswer } from "../scenario/answer.ts";
import type { ScenarioCommand } from "../scenario/commands.ts";
import type { ConnectContext, RespondContext } from "../scenario/rule-function.ts";

/** An answer as data. */
export interface Answer extends Omit<PlainAnswer, "bytes"> {
  bytes?: Uint8Array | ArrayBuffer;
}

export type { ConnectContext, RespondContext } from "../scenario/rule-function.ts";

/** How commands get to the scenario. */
export interface Port {
  /** Rejects with the error that the scenario reports. */
  run(command: ScenarioCommand): Promise<unknown>;
  /** @returns the id that a rule names */
  addRespond(respond: (context: RespondContext) => Promise<Response | Answer>): Promise<string>;
  addConnect(connect: (context: ConnectContext) => Promise<void>): Promise<string>;
  /** The client of this port; its rules end with it. */
  owner: string;
  close(): Promise<void>;
}
