/** The messages of a recorded WebSocket. */

import { readBodyFile } from "./body-file.ts";
import type { HarWebSocketMessage } from "./har.ts";
import { HarProblem } from "./har-problem.ts";
import type { FoundEntry } from "./recording.ts";

/** @param folder the one of the file. @throws {HarProblem} if they can't be read */
export async function recordedMessages({ entry, read }: FoundEntry, folder: string): Promise<HarWebSocketMessage[]> {
  const { bodyFile: name } = read;
  if (name === undefined) return read.messages;
  // Playwright writes them beside the HAR file, one a line.
  const lines = (await readBodyFile({ folder, name, offset: entry.start, entry: entry.number })).toString().split("\n");
  try {
    return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as HarWebSocketMessage);
  } catch {
    throw new HarProblem(`the messages in its "_file" ${JSON.stringify(name)} are not JSON`, entry.start);
  }
}
