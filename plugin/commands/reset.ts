/** `miniflare-vpc reset`: ends everything that was said to the running session. */

import { type Command, FINE } from "./command.ts";
import { defineCommand } from "./define-command.ts";
import { inSession } from "./running-session.ts";

export const reset: Command = defineCommand({
  name: "reset",
  summary: "remove all rules and faults of the running session, and empty its journal",
  description: `Brings the running miniflare-vpc dev of this folder, or of the nearest one above it, back to its vpc config: no rules, no
faults, not strict, an empty journal. Calls that a fault keeps hanging end.`,
  positionals: [],
  flags: {},
  examples: [{ args: "", summary: "the session of this folder" }],
  exitCodes: { 0: "the session is reset", 1: "there is no session in this folder", 2: "the command line is invalid" },
  run: (_, terminal) =>
    inSession(terminal, async (client) => {
      await client.run({ do: "reset" });
      terminal.print("Removed all rules and faults, and emptied the journal.");
      return FINE;
    }),
});
