/**
 * The soak: everything at once, for long, while all goes wrong that can. `npm run soak`, or `npm run soak -- --quick` for
 * less of each. Linux only; ends with exit code 1 if anything did not hold.
 */

import { soakEdits } from "./edits.ts";
import { startReport } from "./report.ts";
import { soakSessions } from "./sessions.ts";
import { soakSignals } from "./signals.ts";
import { soakUnderLoad } from "./under-load.ts";

const isQuick = process.argv.includes("--quick");
const only = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

const FULL = { requests: 200_000, sockets: 20_000, open: 500, pieces: 10, edits: 200, isQuick: false };
const QUICK = { requests: 15_000, sockets: 3000, open: 500, pieces: 5, edits: 40, isQuick: true };
const counts = isQuick ? QUICK : FULL;

const report = startReport();
const parts: Record<string, () => Promise<void>> = {
  load: () => soakUnderLoad(counts, report),
  edits: () => soakEdits(counts.edits, report),
  signals: () => soakSignals(counts, report),
  sessions: () => soakSessions(report),
};
for (const [part, run] of Object.entries(parts)) {
  if (only.length > 0 && !only.includes(part)) continue;
  console.log(`\n${part}`);
  await run();
}
process.exitCode = report.finish();
