/**
 * The way from a vitest test to the scenario of its session: RPC to the service worker, which passes commands on to Node
 * and calls the functions that the test gives it.
 *
 *   test ── run | keepFunction ──▶ TestDoor (service worker) ── command ──▶ scenario (Node)
 *     ▲                                 └─ stub ─▶ TestFunctions
 *     └──────────── a rule's function ─────────────────┘
 */

import { DOOR_KEY } from "../../service-worker/routing/test-protocol.ts";
import type { CommandAnswer } from "../../service-worker/routing/egress-protocol.ts";
import { checkAnswer, isResponse, toResponse } from "../scenario/answer.ts";
import type { ScenarioCommand } from "../scenario/commands.ts";
import { fromBase64 } from "../scenario/base64.ts";
import { messageOf, toError } from "../system/error.ts";
import type { Answer, Port, RespondContext } from "./port.ts";
import { type PlayedConnection, playConnection } from "./test-connection.ts";
import { watchTestFiles } from "./test-file.ts";
import { toTestSocket, webSocketOf } from "./test-socket.ts";
import { toPlainAnswer } from "./vpc.ts";

/** `TestDoor` of the service worker. */
interface Door {
  run(command: string): Promise<Response>;
  watch(owner: string, life: (when: "now" | "until the end") => Promise<void>): Promise<void>;
  failConnection(exchangeId: string, text: string): Promise<void>;
  keepFunction(functionId: string, given: (context: never) => Promise<unknown>): Promise<void>;
  dropFunctions(functionIds: string[]): Promise<void>;
}

/** What a function gets for a request, as it travels. */
type SentRequest = Omit<RespondContext, "url"> & { url: string };

/** @returns `ready`: settles when the session is observed; rejects with what every command rejects with */
export function openDoor(): { port: Port; ready: Promise<void> } {
  const own: string[] = [];
  const owner = `test-${Date.now()}-${Math.random()}`;

  async function reset(): Promise<unknown> {
    const dropped = own.splice(0);
    const result = await send({ do: "reset" });
    // Ends the calls of them that go on.
    if (dropped.length > 0) await findDoor().dropFunctions(dropped);
    return result;
  }

  async function begin(): Promise<void> {
    await send({ do: "attach" });
    await findDoor().watch(owner, (when) => (when === "now" ? Promise.resolve() : new Promise(() => {})));
    await watchTestFiles(reset);
  }

  const ready = begin();

  async function keep(given: (context: never) => Promise<object>): Promise<string> {
    await ready;
    const functionId = `${owner}/${crypto.randomUUID()}`;
    own.push(functionId);
    await findDoor().keepFunction(functionId, (context: never) => given(context).catch(toThrown));
    return functionId;
  }

  const port: Port = {
    owner,
    async run(command) {
      await ready;
      return command.do === "reset" ? reset() : send(command);
    },
    addRespond: (respond) =>
      keep(async ({ url, params, ...context }: SentRequest) => {
        const returned = await respond({ ...context, params, url: new URL(url) });
        if (!isResponse(returned)) return { response: await respondWith(returned, params, port) };
        const socket = webSocketOf(returned);
        return socket === undefined ? { response: returned } : { upgrade: toTestSocket(returned, socket) };
      }),
    addConnect: (connect) =>
      keep(async (context: PlayedConnection) => {
        const failed = (error: unknown): Promise<void> =>
          findDoor().failConnection(context.exchangeId, messageOf(error));
        return { response: playConnection(context, { connect, failed }) };
      }),
    async close() {
      const dropped = own.splice(0);
      if (dropped.length > 0) await findDoor().dropFunctions(dropped);
    },
  };
  return { port, ready };
}

/** An exception that travels over RPC is printed by each isolate that it passes. */
function toThrown(error: unknown): { thrown: Error } {
  return { thrown: toError(error) };
}

/** @throws {TypeError} that says what is wrong */
async function send(command: ScenarioCommand): Promise<unknown> {
  const response = await findDoor().run(JSON.stringify(command));
  const answer = (await response.json()) as CommandAnswer;
  if ("error" in answer) throw new TypeError(answer.error);
  return answer.result;
}

function findDoor(): Door {
  const door: unknown = Reflect.get(globalThis, Symbol.for(DOOR_KEY));
  if (door !== undefined) return door as Door;
  throw new TypeError(
    "miniflare-vpc/test works in a vitest test whose config uses withVpc() of miniflare-vpc/vitest. In Node, use connectVpc() of miniflare-vpc/test/node.",
  );
}

/** The clock of workerd, which no fake timers replace. */
declare const scheduler: { wait(milliseconds: number): Promise<void> };

async function respondWith(given: Answer, params: Record<string, string>, port: Port): Promise<Response> {
  const { delay = 0, ...answer } = checkAnswer(toPlainAnswer(given));
  await scheduler.wait(delay);
  const readFile = async (file: string): Promise<Uint8Array<ArrayBuffer>> => {
    const { base64 } = (await port.run({ do: "file", path: file })) as { base64: string };
    return fromBase64(base64);
  };
  return toResponse(answer, { params, readFile });
}
