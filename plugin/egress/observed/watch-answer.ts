/**
 * Keeps the answer to an observed request in the journal.
 */

import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import type { RequestEntry } from "../../scenario/journal.ts";
import type { OpenCall } from "../../scenario/open-call.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import { peekFailure } from "../http/exchange-failures.ts";
import { noteFailure } from "./call.ts";
import { tapOutgoing } from "./tap.ts";
import type { RequestWatch } from "./watch-call.ts";

/** A request that the journal has an entry for. */
export interface EnteredRequest {
  entry: RequestEntry;
  open: OpenCall;
  /** When it began, by `performance.now()`. */
  startedAt: number;
  /** Absent: nobody watches closely. */
  watch: RequestWatch | undefined;
}

export function watchAnswer(
  outgoing: ServerResponse,
  {
    entry,
    open,
    startedAt,
    watch,
    scenario,
    exchangeId,
    upgrade,
  }: EnteredRequest & { scenario: Scenario; exchangeId: string; upgrade?: Duplex | undefined },
): void {
  const { journal } = scenario;
  let isProceeding = true;
  const finish = (): void => {
    entry.duration = performance.now() - startedAt;
    entry.responseBody.end();
    journal.note(entry);
  };
  tapOutgoing(outgoing, {
    head({ status, statusText, fields }, failure) {
      isProceeding = false;
      if (failure !== undefined) noteFailure(entry, failure);
      else {
        watch?.mark("answered");
        Object.assign(entry, { status, response: { headers: fields } });
      }
      if (entry.detail !== undefined) entry.detail.statusText ??= statusText;
      journal.note(entry);
    },
    bytes(chunk) {
      // Until there is an answer, these are the request's own on their way back to the service worker.
      if (!isProceeding) journal.capture(entry.responseBody, chunk);
    },
    upgraded() {
      watch?.mark("answered");
      entry.status = 101;
      finish();
      // The call goes on for as long as its connection, so that faults still reach it.
      open.onEnd(() => upgrade?.destroy());
      upgrade?.once("close", () => open.close());
    },
    over(isWhole) {
      // What follows belongs to the exchange that brings the Worker's answer.
      if (isProceeding && isWhole) return;
      const failure = isWhole ? undefined : peekFailure(exchangeId);
      if (failure !== undefined) noteFailure(entry, failure);
      finish();
      open.close();
    },
  });
}
