/** What each fault does to a stream, and when. Most rows are what Toxiproxy's own tests check. */

import type { Fault } from "../../../plugin/scenario/faults/fault.ts";
import {
  bandwidth,
  latency,
  limitData,
  resetPeer,
  slicer,
  slowClose,
  timeout,
} from "../../../plugin/scenario/faults/make-faults.ts";

/**
 * `sent` and `heard` are times in milliseconds and what happens then: bytes, `#` and how many, `end`, or `lost` for a
 * source that breaks off. `sent` may also have `pause` and `read` for the reader, and `change` for other faults.
 */
export type Case = [what: string, faults: Fault[], sent: string, heard: string, change?: Fault[]];

const named = (fault: Fault): Fault => ({ ...fault, name: "named" });

const LIMIT = "close: the fault limit_data closed the connection after";
const REMOVED = "close: the fault timeout dropped the connection's data, and its removal closed the connection";
const CLOSED = "close: the fault timeout closed the connection after 100 ms without data";
const RESET = "reset: the fault reset_peer reset the connection";

const [slow, verySlow, limit, gone] = [latency(100), latency(500), limitData(2), timeout(0)];

export const CASES: Record<string, Case[]> = {
  "no fault": [
    ["bytes and the end pass at once", [], "0 a, 5 b, 5 end", "0 a, 5 b, 5 end"],
    ["a source that breaks off is heard to the last byte", [], "0 a, 0 lost", "0 a, 0 lost"],
    ["nothing comes after the end", [], "0 end, 0 end, 1 lost", "0 end"],
    ["a slow reader holds everything back", [], "0 pause, 0 a, 0 b, 0 end, 9 read", "9 a, 9 b, 9 end"],
  ],
  latency: [
    ["delays bytes, and the end behind them", [slow], "0 hello, 0 end", "100 hello, 100 end"],
    ["of 0 delays nothing", [latency(0)], "0 a, 10 b, 10 end", "0 a, 10 b, 10 end"],
    ["keeps the distance between bytes", [slow], "0 a, 10 b, 10 end", "100 a, 110 b, 110 end"],
    ["adds up", [verySlow, latency(500)], "0 a, 10 b, 10 end", "1000 a, 1010 b, 1010 end"],
    ["does not delay an end without bytes", [slow], "0 end", "0 end"],
    ["delays bytes of a source that breaks off", [slow], "0 a, 50 lost", "100 a, 100 lost"],
    ["removed: what waits goes on", [slow], "0 a, 10 b, 10 end, 30 change", "30 a, 30 b, 30 end", []],
    ["added: delays bytes from then on", [], "0 a, 10 change, 10 b", "0 a, 110 b", [slow]],
    ["the first of two removed: the second one still delays", [slow, verySlow], "0 a, 30 change", "500 a", [verySlow]],
    ["the second of two removed: the first one still delays", [slow, verySlow], "0 a, 30 change", "100 a", [slow]],
    ["updated: counts from the arrival", [named(verySlow)], "0 a, 30 change", "50 a", [named(latency(50))]],
    ["replaced: what waits goes on", [verySlow], "0 a, 30 change", "30 a", [latency(50)]],
  ],
  bandwidth: [
    [
      "480 KB at 1000 KB/s take 480 ms, in pieces of 100 ms",
      [bandwidth(1000)],
      "0 #480000, 0 end",
      "100 #100000, 200 #100000, 300 #100000, 400 #100000, 480 #80000, 480 end",
    ],
    ["the line is not faster after a pause", [bandwidth(1)], "0 #20, 5000 #50", "20 #20, 5050 #50"],
    ["removed: the rest goes on", [bandwidth(1)], "0 #150, 120 change", "100 #100, 120 #50", []],
    ["of 0 holds everything back", [bandwidth(0)], "0 a, 0 end", ""],
    ["of 0, removed: nothing is lost", [bandwidth(0)], "0 a, 0 b, 7 change", "7 a, 7 b", []],
  ],
  slow_close: [
    ["delays the end, not the bytes", [slowClose(100)], "0 a, 10 end", "0 a, 110 end"],
    ["removed: the end goes on", [slowClose(100)], "0 end, 30 change", "30 end", []],
    ["delays an end that another fault makes", [limit, slowClose(100)], "0 abc", `0 ab, 100 ${LIMIT} 2 bytes`],
  ],
  timeout: [
    ["closes the connection", [timeout(100)], "", `100 ${CLOSED}`],
    ["drops bytes, and each of them puts off the end", [timeout(100)], "60 a, 120 b", `220 ${CLOSED}`],
    ["of 0 drops bytes for ever", [gone], "0 a, 9 b", ""],
    ["lets the end pass", [gone], "0 a, 9 end", "9 end"],
    ["of 0, removed: closes the connection", [gone], "0 a, 9 change, 10 b", `9 ${REMOVED}`, []],
    ["removed after the end: nothing more", [gone], "0 end, 9 change", "0 end", []],
    ["added: drops bytes from then on", [slow], "0 a, 10 change, 20 b", "100 a", [gone, slow]],
    ["updated: does not close at once", [named(gone)], "50 change", `150 ${CLOSED}`, [named(timeout(100))]],
    ["drops even if the reader is slow", [timeout(100)], "0 pause, 0 a, 1 b", `101 ${CLOSED}`],
    ["does not hang if a fault before it is removed", [slow, gone], "0 a, 1 b, 5 change, 6 end", "6 end", [gone]],
  ],
  reset_peer: [
    ["waits for the first bytes", [resetPeer()], "", ""],
    ["resets at the first bytes, which it drops", [resetPeer()], "10 a", `10 ${RESET}`],
    ["resets after a time", [resetPeer(100)], "10 a, 50 b", `110 ${RESET} after 100 ms`],
    ["resets in place of the end", [resetPeer(100)], "10 end", `110 ${RESET} after 100 ms`],
    ["removed in time: the bytes go on", [resetPeer(100)], "0 a, 0 b, 50 change", "50 a, 50 b", []],
  ],
  slicer: [
    ["without variation, 1 byte each", [slicer({ averageSize: 1 })], "0 abc", "0 a, 0 b, 0 c"],
    ["a small piece stays whole", [slicer({ averageSize: 4, sizeVariation: 1 })], "0 hello", "0 hello"],
    [
      "a delay after each slice, also before the end",
      [slicer({ averageSize: 1, delay: 10_000 })],
      "0 abc, 0 end",
      "0 a, 10 b, 20 c, 30 end",
    ],
    [
      "removed: the rest goes on in one piece",
      [slicer({ averageSize: 1, delay: 10_000 })],
      "0 abcd, 15 change",
      "0 a, 10 b, 15 cd",
      [],
    ],
  ],
  limit_data: [
    ["a piece below the limit", [limitData(100)], "0 #50", "0 #50"],
    ["a piece of the limit's size", [limitData(100)], "0 #100", `0 #100, 0 ${LIMIT} 100 bytes`],
    ["a piece above the limit", [limitData(100)], "0 #150", `0 #100, 0 ${LIMIT} 100 bytes`],
    ["pieces that make up the limit", [limitData(60)], "0 #30, 0 #30", `0 #30, 0 #30, 0 ${LIMIT} 60 bytes`],
    ["the second piece is above the limit", [limitData(110)], "0 #90, 0 #30", `0 #90, 0 #20, 0 ${LIMIT} 110 bytes`],
    ["0: the first byte closes", [limitData(0)], "5 a", `5 ${LIMIT} 0 bytes`],
    ["0: an end without bytes is an end", [limitData(0)], "5 end", "5 end"],
    ["an end before the limit is an end", [limitData(100)], "0 a, 1 end", "0 a, 1 end"],
    ["an end together with the last byte comes too late", [limit], "0 ab, 0 end", `0 ab, 0 ${LIMIT} 2 bytes`],
    ["added: counts from then on", [], "0 abc, 1 change, 2 de", `0 abc, 2 de, 2 ${LIMIT} 2 bytes`, [limit]],
    [
      "updated: goes on counting",
      [named(limitData(9))],
      "0 abc, 1 change, 2 defg",
      `0 abc, 2 de, 2 ${LIMIT} 5 bytes`,
      [named(limitData(5))],
    ],
    [
      "updated to less than what got through: closes at once",
      [named(limitData(9))],
      "0 abc, 1 change",
      `0 abc, 1 ${LIMIT} 2 bytes`,
      [named(limit)],
    ],
    ["removed: everything passes", [limitData(5)], "0 abc, 1 change, 2 defg", "0 abc, 2 defg", []],
  ],
  "several faults": [
    ["bandwidth, then latency", [bandwidth(1), verySlow], "0 #150", "600 #100, 650 #50"],
    ["a limit, then latency", [limit, slow], "0 abc", `100 ab, 100 ${LIMIT} 2 bytes`],
    ["a limit that is removed after it closed", [limit, slow], "0 abc, 9 change, 11 d", `9 ab, 9 ${LIMIT} 2 bytes`, []],
    ["a slicer, then a limit", [slicer({ averageSize: 1 }), limit], "0 abcd", `0 a, 0 b, 0 ${LIMIT} 2 bytes`],
    ["a limit, then a timeout", [limit, gone], "0 abc", `0 ${LIMIT} 2 bytes`],
    [
      "a fault that is added before the end makes no second end",
      [limit, verySlow],
      "0 abc, 10 change",
      `500 ab, 500 ${LIMIT} 2 bytes`,
      [limit, timeout(100), verySlow],
    ],
    ["in another order: what waits goes on", [slow, verySlow], "0 a, 9 change, 20 b", "9 a, 620 b", [verySlow, slow]],
    ["the same fault twice, one of them removed", [slow, slow], "0 a, 300 change, 400 b", "200 a, 500 b", [slow]],
  ],
};
