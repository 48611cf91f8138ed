/** Makes a HAR file of what the journal has, at any moment of the session, without its secrets. */

import type { JournalEntry, RequestEntry } from "../scenario/journal.ts";
import type { Scenario } from "../scenario/scenario.ts";
import type { Har, HarEntry } from "./har.ts";
import { knownSecrets } from "./known-secrets.ts";
import { createRedactor } from "./redact.ts";
import { redactKnown } from "./redact-known.ts";
import { toHarEntry } from "./to-har-entry.ts";
import { emptyHar } from "./write-har.ts";

/**
 * The first call makes the session keep the details of the calls from then on: phases, connections, messages of WebSockets.
 *
 * @param entries of the journal. @param redact more names of fields that are secret
 */
export function makeJournalHar(
  { journal, secretNames }: Scenario,
  entries: readonly JournalEntry[],
  redact: readonly string[],
): Har {
  if (!journal.isWatchedClosely) journal.watchClosely({});
  const redactor = createRedactor([...secretNames, ...redact], knownSecrets());
  const made: HarEntry[] = [];
  let leftOut = 0;
  for (const entry of entries) {
    if (entry.type !== "request") continue;
    const bytes = { body: entry.body, responseBody: entry.responseBody, messageBytes: entry.detail?.messageBytes };
    try {
      if (isWhole(entry)) made.push(toHarEntry(entry, bytes, redactor));
      else leftOut++;
    } catch {
      // A body whose encoding can't be read may hide a secret.
      leftOut++;
    }
  }
  const har = emptyHar();
  har.log.entries = made.map((entry) => redactKnown(entry, redactor));
  const dropped = journal.dropped + leftOut;
  if (dropped > 0)
    har.log.comment = `${dropped === 1 ? "1 call is" : `${dropped} calls are`} not in it, because of a failure, a body that can't be read, or the journal's limits, or because it has not ended.`;
  return har;
}

function isWhole({ status, code, duration }: RequestEntry): boolean {
  return status !== undefined && code === undefined && duration !== undefined;
}
