/** `miniflare-vpc fault`: makes the network of the running session fail. */

import type { ControlClient } from "../control/client.ts";
import { type Fault, parseFault } from "../scenario/faults/fault.ts";
import { type Command, FINE, PROBLEMS } from "./command.ts";
import { defineCommand } from "./define-command.ts";
import { parseFaultWords } from "./fault-words.ts";
import { inSession } from "./running-session.ts";
import { UsageError } from "./usage-error.ts";

export const fault: Command = defineCommand({
  name: "fault",
  summary: "slow down, cut or refuse calls of the running session",
  description: `Adds faults to the running miniflare-vpc dev of this folder, or of the nearest one above it. They act on connections that
are open, too, and stay until you remove them. A fault replaces the one of its type and stream.

A fault is a word with its main value; its other values follow:
    latency=MS jitter=MS          bandwidth=KB_PER_SECOND       slow_close=MS
    timeout=MS (0: for ever)      reset_peer=MS                 limit_data=BYTES
    slicer=BYTES size_variation=BYTES delay=MICROSECONDS        down
HTTP only:
    http_status=503               failure=CODE                  truncate=BYTES
Each may be followed by stream=upstream (default: downstream) and toxicity=0.5 (the share of calls; default: 1).`,
  positionals: [
    { name: "who", summary: 'a binding, or a destination such as "db.internal:5432"', completes: "binding" },
    { name: "fault", summary: "the faults and their values", isRepeated: true, isOptional: true },
  ],
  flags: {
    remove: { type: "boolean", summary: "remove these faults; without a name, all that this command has added" },
  },
  examples: [
    { args: "db.internal:5432 latency=200 jitter=50", summary: "a slow database" },
    { args: "USERS http_status=503 toxicity=0.5", summary: "every second answer is a 503" },
    { args: "db.internal:5432 --remove", summary: "as before" },
  ],
  exitCodes: {
    0: "the faults are in force, or removed",
    1: "there is no session in this folder, or no such fault or destination",
    2: "the command line is invalid",
  },
  async run({ flags, positionals: { who, fault: words } }, terminal) {
    const wanted = parseFaultWords(words);
    if (!flags.remove && wanted.length === 0)
      throw new UsageError("<fault…> is missing: latency=200, for example, or --remove.");
    return await inSession(terminal, async (client) => {
      const before = await faultsOn(client, who);
      if (flags.remove) {
        const types = new Set(wanted.map(({ type }) => type));
        const unwanted = before.filter(({ fault: { type } }) => types.size === 0 || types.has(type));
        if (unwanted.length === 0) {
          terminal.printError(
            `miniflare-vpc: this command has added no such fault to ${JSON.stringify(who)}. Type "miniflare-vpc reset" to remove everything.`,
          );
          return PROBLEMS;
        }
        await remove(client, unwanted);
        terminal.print(`Removed from ${JSON.stringify(who)}:\n${unwanted.map(formatAdded).join("\n")}`);
        return FINE;
      }
      const faults = wanted.map(check);
      let hint: string | undefined;
      for (const each of faults)
        ({ hint } = (await client.run({ do: "addRule", rule: { who, faults: [each] }, owner: OWNER })) as Added);
      const isReplaced = ({ fault: { type, stream } }: AddedFault): boolean =>
        faults.some((each) => each.type === type && each.stream === stream);
      await remove(client, before.filter(isReplaced));
      terminal.print(
        `In force on ${JSON.stringify(who)}:\n${(await faultsOn(client, who)).map(formatAdded).join("\n")}`,
      );
      if (hint !== undefined)
        terminal.printError(`miniflare-vpc: ${hint} This acts only on calls for a host of that name.`);
      return FINE;
    });
  },
});

/** What the session answers. `hint`: a sentence about a name that is probably another one. */
interface Added {
  hint?: string;
}

/** The owner of the rules, by which they are found again. */
const OWNER = "miniflare-vpc fault";

interface AddedFault {
  ruleId: string;
  fault: Fault;
}

/** Those that this command has added, the oldest first. */
async function faultsOn(client: ControlClient, who: string): Promise<AddedFault[]> {
  const rules = (await client.run({ do: "rules" })) as { id: string; who: string; owner?: string; faults?: Fault[] }[];
  return rules
    .toReversed()
    .filter((rule) => rule.owner === OWNER && rule.who === who)
    .flatMap(({ id: ruleId, faults = [] }) => faults.map((each) => ({ ruleId, fault: each })));
}

async function remove(client: ControlClient, added: readonly AddedFault[]): Promise<void> {
  for (const { ruleId } of added) await client.run({ do: "removeRule", id: ruleId });
}

function check(value: unknown): Fault {
  const checked = parseFault(value);
  if ("problem" in checked)
    throw new TypeError(
      checked.problem.endsWith("?") || checked.problem.endsWith(".") ? checked.problem : `${checked.problem}.`,
    );
  return checked;
}

/** `latency  latency 200, jitter 50, downstream, toxicity 0.5` */
function formatAdded({ fault: { type, stream, toxicity, attributes } }: AddedFault): string {
  const values = Object.entries(attributes).map(([key, value]) => `${key} ${value}`);
  return `    ${type}  ${[...values, stream, ...(toxicity < 1 ? [`toxicity ${toxicity}`] : [])].join(", ")}`;
}
