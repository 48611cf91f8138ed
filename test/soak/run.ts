/**
 * `npm run soak`, or `npm run soak -- --quick` for fewer runs: many calls for a long time, while targets fail, configs
 * change and processes are killed. Linux only. The exit code is 1 if an expectation failed.
 */

import { soakEdits } from "./edits.ts";
import { soakFaults } from "./faults.ts";
import { startReport } from "./report.ts";
import { soakSessions } from "./sessions.ts";
import { soakSignals } from "./signals.ts";
import { soakUnderLoad } from "./under-load.ts";

const isQuick = process.argv.includes("--quick");
const only = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

const FULL = { requests: 200_000, sockets: 20_000, open: 500, pieces: 10, edits: 200, faults: 1500, isQuick: false };
const QUICK = { requests: 15_000, sockets: 3000, open: 500, pieces: 5, edits: 40, faults: 30, isQuick: true };
const counts = isQuick ? QUICK : FULL;

const report = startReport();
const parts: Record<string, () => Promise<void>> = {
  load: () => soakUnderLoad(counts, report),
  edits: () => soakEdits(counts.edits, report),
  faults: () => soakFaults(counts.faults, report),
  signals: () => soakSignals(counts, report),
  sessions: () => soakSessions(report),
};
for (const [part, run] of Object.entries(parts)) {
  if (only.length > 0 && !only.includes(part)) continue;
  console.log(`\n${part}`);
  await run();
}
process.exitCode = report.finish();
