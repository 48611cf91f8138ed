/** Origins that break connections. */

import { ok } from "../servers/http-origin.ts";
import type { Answer, Exchange } from "../servers/observed-origin.ts";
import type { Act } from "./case.ts";

/** Acts when the origin has the whole request. */
export function onceComplete(act: (exchange: Exchange) => unknown): Answer {
  return (exchange) => exchange.ended.then(() => act(exchange));
}

export function ending(text: string): Answer {
  return onceComplete(({ socket }) => socket.end(text, "latin1"));
}

/** Reads the first bytes, then tells the origin to reset by a second request. For `resettingOnGo`. */
export const readThenGo: Act = async ({ fetch }) => {
  const response = await fetch("/");
  const reader = response.body.getReader();
  const first = new TextDecoder().decode((await reader.read()).value);
  await (await fetch("/go")).text();
  return reader.read().then(
    ({ done }: { done: boolean }) => [`${response.status}`, first, done ? "end of body" : "more"],
    (error: Error) => [`${response.status}`, first, `threw ${error.name}: ${error.message}`],
  );
};

/** Answers with `text`, and resets that connection when "/go" is requested. */
export function resettingOnGo(text: string): Answer {
  let reset: () => void;
  return onceComplete(({ request, send, socket }) => {
    if (!request.head.includes("/go")) {
      send(text);
      reset = () => void socket.resetAndDestroy();
      return;
    }
    reset();
    send(ok("a"));
  });
}
