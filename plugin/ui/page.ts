/**
 * Serves the page that shows the traffic of a session to this user's browser.
 *
 *   browser ── http://127.0.0.1:PORT/<token>/ ──▶ files | API ──▶ scenario
 */

import { closeServer, createLoopbackServer, makeToken } from "../control/loopback-server.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { hasCode } from "../system/error.ts";
import { listenOnLoopback } from "../system/listen.ts";
import { createObservation } from "./observation.ts";
import { createPageApi } from "./page-api.ts";
import { pageHeaders, createFilesApi } from "./page-files.ts";
import type { UiChoice } from "./ui-choice.ts";

export interface Page {
  /** Ends with the token and `/`. */
  url: string;
  close(): void;
}

/** @param warn prints a sentence */
export async function startPage(
  scenario: Scenario,
  { port, warn }: UiChoice & { warn: (text: string) => void },
): Promise<Page> {
  const observation = createObservation(scenario);
  const token = makeToken();
  const server = createLoopbackServer({
    scenario,
    token,
    apis: [createFilesApi(() => observation.begin()), createPageApi(observation)],
    forbidden:
      'the address must be the one that the session prints after "Traffic", and "Host" and "Origin" must be this machine.',
    help: "the page asks for nothing else.",
    headers: pageHeaders,
    isFolder: true,
  });
  const listening = await listenOnLoopback(server, port).catch((error: unknown) => {
    if (port === 0 || !hasCode(error, "EADDRINUSE", "EACCES")) throw error;
    warn(`The port ${port} of the traffic page is taken, so it is served on another one.`);
    return listenOnLoopback(server, 0);
  });
  return {
    url: `http://127.0.0.1:${listening}/${token}/`,
    close() {
      closeServer(server);
      observation.end();
    },
  };
}
