/**
 * Speaks to the control server of a session: its socket, or its TCP port.
 */

import { once } from "node:events";
import http, { type ClientRequest, type IncomingMessage } from "node:http";

import type { ScenarioCommand } from "../scenario/commands.ts";
import { hasCode, messageOf } from "../system/error.ts";
import type { ControlAddress } from "./announcement.ts";

export interface ControlClient {
  /** @returns the JSON of the answer. @throws {Error} with the text of the answer if its status is not 2xx */
  ask(method: string, path: string, body?: unknown): Promise<unknown>;
  /** @throws {TypeError} if the command is wrong, {Error} if the session has ended */
  run(command: ScenarioCommand): Promise<unknown>;
  /**
   * Opens an answer that goes on until one side ends it. Keeps no process alive.
   *
   * @returns a function that ends it
   */
  hold(path: string): Promise<() => void>;
  /** Resolves when the stream has begun. It gives one JSON value after the other, and ends with the session. */
  events(path: string): Promise<AsyncGenerator>;
}

export function createClient(address: ControlAddress): ControlClient {
  const { token, ...place } = address;
  const open = (method: string, path: string, options: http.RequestOptions = {}): ClientRequest =>
    // A stale connection of a pool could fail a request, and one more on this machine costs nothing.
    http.request({
      ...place,
      agent: false,
      method,
      path: `/${token}${path}`,
      headers: { host: "localhost" },
      ...options,
    });
  const ask: ControlClient["ask"] = async (method, path, body) => {
    const response = await send(open(method, path), body);
    const text = await textOf(response);
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode <= 299) return text === "" ? undefined : JSON.parse(text);
    throw new Error(statusCode === 403 ? "the token is wrong" : errorIn(text));
  };
  return {
    ask,
    async run(command) {
      let answer: { result?: unknown; error?: string; isMistake?: boolean };
      try {
        answer = (await ask("POST", "/command", command)) as typeof answer;
      } catch (error) {
        throw new Error(`vpc: the session can't be reached: ${messageOf(error)}.`, { cause: error });
      }
      if (answer.error === undefined) return answer.result;
      throw answer.isMistake === true ? new TypeError(answer.error) : new Error(answer.error);
    },
    async hold(path) {
      const request = open("GET", path);
      const response = await send(request);
      response.on("error", () => {}).resume();
      response.socket.unref();
      return () => void request.destroy();
    },
    events: async (path) => eventsIn(await send(open("GET", path))),
  };
}

async function send(request: ClientRequest, body?: unknown): Promise<IncomingMessage> {
  request.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

async function* eventsIn(response: IncomingMessage): AsyncGenerator {
  let text = "";
  try {
    for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
      const lines = (text + chunk).split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) if (line.startsWith("data: ")) yield JSON.parse(line.slice("data: ".length));
    }
  } catch (error) {
    // The session may end in any way.
    if (!hasCode(error, "ECONNRESET")) throw error;
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function errorIn(text: string): string {
  try {
    return String((JSON.parse(text) as { error: unknown }).error);
  } catch {
    return text;
  }
}

/**
 * @param url as `miniflare-vpc dev --control` prints it
 * @throws {TypeError} if it is something else
 */
export function addressIn(url: string): ControlAddress {
  const { protocol, hostname, port, pathname } = URL.canParse(url) ? new URL(url) : new URL("none:");
  const token = pathname.slice(1).replace(/\/$/, "");
  if (protocol !== "http:" || token === "" || token.includes("/")) {
    throw new TypeError(
      `connectVpc(): the url ${JSON.stringify(url)} is not one that "miniflare-vpc dev --control" prints, such as "http://127.0.0.1:8474/<token>".`,
    );
  }
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: port === "" ? 80 : Number(port), token };
}
