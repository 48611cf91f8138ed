/** Replays from a large recording in a process of its own, and prints how much memory that took and how long. */

import { Recording } from "../../plugin/recordings/recording.ts";
import { recordedAnswer } from "../../plugin/recordings/recorded-answer.ts";
import type { ComparedRequest } from "../../plugin/recordings/request-key.ts";

const [file = "", ...targets] = process.argv.slice(2);
let peak = 0;
const look = (): void => void (peak = Math.max(peak, process.memoryUsage().rss));
setInterval(look, 5).unref();
globalThis.gc?.();
const before = process.memoryUsage().rss;
const started = performance.now();
const recording = new Recording({ file, targetOrigins: [], headers: [], ignore: new Set() });
const { entries } = await recording.check();
const ready = performance.now() - started;
let bytes = 0;
for (const target of targets) {
  const url = new URL(target, "http://users.internal");
  const request: ComparedRequest = { method: "GET", url, headers: [], body: Buffer.alloc(0), isUpgrade: false };
  const found = await recording.find(request);
  if (!("entry" in found)) throw new Error(found.nearest);
  const response = await recordedAnswer(found, { request, folder: recording.folder });
  for await (const piece of response.body ?? []) bytes += piece.length;
  look();
}
look();
console.log(JSON.stringify({ entries: entries.length, ready: Math.round(ready), grown: peak - before, bytes }));
