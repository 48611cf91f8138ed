/** What a user may write for a fault, as JSON and by the functions; and what the messages say. */

import path from "node:path";

import { build } from "esbuild";
import { describe, expect, test } from "vitest";

import { parseFault } from "../../../plugin/scenario/faults/fault.ts";
import * as make from "../../../plugin/scenario/faults/make-faults.ts";

const DEFAULTS = { stream: "downstream", toxicity: 1 };

describe("parseFault", () => {
  test.each<[value: object, fault: object]>([
    [
      { name: "slow", type: "latency", stream: "upstream", toxicity: 0.5, attributes: { latency: 200, jitter: 50 } },
      { name: "slow", type: "latency", stream: "upstream", toxicity: 0.5, attributes: { latency: 200, jitter: 50 } },
    ],
    [{ type: "latency" }, { ...DEFAULTS, type: "latency", attributes: { latency: 0, jitter: 0 } }],
    [
      { name: "", type: "timeout" },
      { ...DEFAULTS, type: "timeout", attributes: { timeout: 0 } },
    ],
    [
      { type: "slow_close", stream: "Upstream", attributes: { delay: 5 } },
      { ...DEFAULTS, stream: "upstream", type: "slow_close", attributes: { delay: 5 } },
    ],
    [
      { type: "bandwidth", attributes: { rate: 0 } },
      { ...DEFAULTS, type: "bandwidth", attributes: { rate: 0 } },
    ],
    [
      { type: "reset_peer", toxicity: 0 },
      { ...DEFAULTS, toxicity: 0, type: "reset_peer", attributes: { timeout: 0 } },
    ],
    [
      { type: "slicer", attributes: { average_size: 10 } },
      { ...DEFAULTS, type: "slicer", attributes: { average_size: 10, size_variation: 0, delay: 0 } },
    ],
    [
      { type: "limit_data", attributes: { bytes: 0 } },
      { ...DEFAULTS, type: "limit_data", attributes: { bytes: 0 } },
    ],
    [{ type: "down" }, { ...DEFAULTS, type: "down", attributes: {} }],
    [
      { type: "http_status", attributes: { status: 503 } },
      { ...DEFAULTS, type: "http_status", attributes: { status: 503 } },
    ],
    [
      { type: "failure", attributes: { code: "dns_error" } },
      { ...DEFAULTS, type: "failure", attributes: { code: "dns_error" } },
    ],
    [
      { type: "truncate", attributes: { bytes: 9 } },
      { ...DEFAULTS, type: "truncate", attributes: { bytes: 9 } },
    ],
  ])("%j", (value, fault) => expect(parseFault(value)).toEqual(fault));

  const EXAMPLE = '{ "type": "latency", "attributes": { "latency": 200 } }';
  const TYPES =
    "latency, bandwidth, slow_close, timeout, reset_peer, slicer, limit_data, down, http_status, failure, truncate";

  test.each<[value: unknown, problem: string]>([
    [5, `a fault is 5, but must be an object: ${EXAMPLE}`],
    [null, `a fault is null, but must be an object: ${EXAMPLE}`],
    [[], `a fault is an array, but must be an object: ${EXAMPLE}`],
    [{}, `a fault lacks "type". Write ${EXAMPLE}.`],
    [{ type: "latncy" }, '"type" is "latncy", which is not a fault. Did you mean "latency"?'],
    [{ type: "fire" }, `"type" is "fire", which is not a fault. Valid: ${TYPES}.`],
    [{ type: 7 }, `"type" is 7, which is not a fault. Valid: ${TYPES}.`],
    [{ type: "toString" }, `"type" is "toString", which is not a fault. Valid: ${TYPES}.`],
    [{ type: "down", name: 5 }, '"name" is 5, but must be a string'],
    [{ type: "down", stream: "up" }, '"stream" is "up", but must be "upstream" or "downstream"'],
    [{ type: "down", stream: null }, '"stream" is null, but must be "upstream" or "downstream"'],
    [{ type: "down", toxicity: 1.5 }, '"toxicity" is 1.5, but must be a number from 0 to 1'],
    [{ type: "down", toxicity: NaN }, '"toxicity" is NaN, but must be a number from 0 to 1'],
    [{ type: "down", toxicity: "1" }, '"toxicity" is "1", but must be a number from 0 to 1'],
    [{ type: "down", toxcity: 1 }, '"toxcity" is not a field of a fault. Did you mean "toxicity"?'],
    [
      { type: "down", latency: 1 },
      '"latency" is not a field of a fault. Valid: name, type, stream, toxicity, attributes.',
    ],
    [{ type: "latency", attributes: [] }, `"attributes" is an array, but must be an object: ${EXAMPLE}`],
    [{ type: "latency", attributes: { jiter: 1 } }, '"jiter" is not an attribute of latency. Did you mean "jitter"?'],
    [{ type: "latency", attributes: { rate: 1 } }, '"rate" is not an attribute of latency. Valid: latency, jitter.'],
    [{ type: "down", attributes: { rate: 1 } }, '"rate" is not an attribute of down. It has none.'],
    [
      { type: "latency", attributes: { latency: "200" } },
      '"attributes.latency" is "200", but must be a whole number of milliseconds, 0 or more',
    ],
    [
      { type: "latency", attributes: { latency: -1 } },
      '"attributes.latency" is -1, but must be a whole number of milliseconds, 0 or more',
    ],
    [
      { type: "latency", attributes: { jitter: 0.5 } },
      '"attributes.jitter" is 0.5, but must be a whole number of milliseconds, 0 or more',
    ],
    [
      { type: "bandwidth" },
      '"attributes.rate" is missing, and must be a whole number of kilobytes per second, 0 or more',
    ],
    [
      { type: "slicer", attributes: { average_size: 0 } },
      '"attributes.average_size" is 0, but must be a whole number of bytes, 1 or more',
    ],
    [
      { type: "slicer", attributes: { average_size: 5, size_variation: 5 } },
      '"attributes.size_variation" is 5, but must be smaller than "attributes.average_size", which is 5',
    ],
    [
      { type: "slicer", attributes: { average_size: 5, delay: -1 } },
      '"attributes.delay" is -1, but must be a whole number of microseconds, 0 or more',
    ],
    [
      { type: "limit_data", attributes: { bytes: Infinity } },
      '"attributes.bytes" is Infinity, but must be a whole number of bytes, 0 or more',
    ],
    [
      { type: "http_status", attributes: { status: 101 } },
      '"attributes.status" is 101, but must be a whole number from 200 to 599',
    ],
    [{ type: "http_status" }, '"attributes.status" is missing, and must be a whole number from 200 to 599'],
    [
      { type: "failure", attributes: { code: "dns_eror" } },
      '"attributes.code" is "dns_eror", but must be one of the error codes. Did you mean "dns_error"?',
    ],
  ])("%j: %s", (value, problem) => expect(parseFault(value)).toEqual({ problem }));
});

/** An argument as JavaScript may give it. */
function wrong(value: unknown): never {
  return value as never;
}

describe("the functions", () => {
  test.each<[made: object, type: string, attributes: object]>([
    [make.latency(200, { jitter: 50 }), "latency", { latency: 200, jitter: 50 }],
    [make.latency(200), "latency", { latency: 200, jitter: 0 }],
    [make.bandwidth(100), "bandwidth", { rate: 100 }],
    [make.slowClose(100), "slow_close", { delay: 100 }],
    [make.timeout(0), "timeout", { timeout: 0 }],
    [make.resetPeer(), "reset_peer", { timeout: 0 }],
    [make.resetPeer(100), "reset_peer", { timeout: 100 }],
    [make.slicer({ averageSize: 10 }), "slicer", { average_size: 10, size_variation: 0, delay: 0 }],
    [
      make.slicer({ averageSize: 10, sizeVariation: 5, delay: 20 }),
      "slicer",
      { average_size: 10, size_variation: 5, delay: 20 },
    ],
    [make.limitData(100), "limit_data", { bytes: 100 }],
    [make.down(), "down", {}],
    [make.httpStatus(503), "http_status", { status: 503 }],
    [make.failure("dns_error"), "failure", { code: "dns_error" }],
    [make.truncate(100), "truncate", { bytes: 100 }],
  ])("%j", (made, type, attributes) => {
    expect(made).toEqual({ ...DEFAULTS, type, attributes });
    // What they make is what may be written as JSON.
    expect(parseFault(JSON.parse(JSON.stringify(made)))).toEqual(made);
  });

  test("take a stream and a toxicity", () => {
    const options = { stream: "upstream", toxicity: 0.5 } as const;
    const made = [
      make.latency(1, options),
      make.bandwidth(1, options),
      make.slowClose(1, options),
      make.timeout(1, options),
      make.resetPeer(1, options),
      make.slicer({ averageSize: 1, ...options }),
      make.limitData(1, options),
      make.down(options),
      make.httpStatus(500, options),
      make.failure("dns_error", options),
      make.truncate(1, options),
    ];
    for (const fault of made) expect(fault).toMatchObject(options);
  });

  test.each<[call: () => unknown, message: string]>([
    [() => make.latency(wrong("50")), 'latency(): "ms" is "50", but must be a whole number of milliseconds, 0 or more'],
    [
      () => make.latency(50, { jitter: -1 }),
      'latency(): "jitter" is -1, but must be a whole number of milliseconds, 0 or more',
    ],
    [() => make.latency(50, wrong(20)), 'latency(): the options are 20, but must be an object: { stream: "upstream" }'],
    [
      () => make.latency(50, wrong({ jiter: 20 })),
      'latency(): "jiter" is not an option of latency(). Did you mean "jitter"?',
    ],
    [
      () => make.bandwidth(wrong(undefined)),
      'bandwidth(): "kilobytesPerSecond" is missing, and must be a whole number of kilobytes per second, 0 or more',
    ],
    [() => make.slowClose(0.5), 'slowClose(): "ms" is 0.5, but must be a whole number of milliseconds, 0 or more'],
    [() => make.timeout(-1), 'timeout(): "ms" is -1, but must be a whole number of milliseconds, 0 or more'],
    [() => make.resetPeer(NaN), 'resetPeer(): "ms" is NaN, but must be a whole number of milliseconds, 0 or more'],
    [
      () => make.slicer(wrong({})),
      'slicer(): "averageSize" is missing, and must be a whole number of bytes, 1 or more',
    ],
    [
      () => make.slicer(wrong(undefined)),
      "slicer(): the options are undefined, but must be an object: { averageSize: 1024 }",
    ],
    [
      () => make.slicer({ averageSize: 5, sizeVariation: 6 }),
      'slicer(): "sizeVariation" is 6, but must be smaller than "averageSize", which is 5',
    ],
    [() => make.limitData(-1), 'limitData(): "bytes" is -1, but must be a whole number of bytes, 0 or more'],
    [() => make.down(wrong({ ms: 1 })), 'down(): "ms" is not an option of down(). Valid: stream, toxicity.'],
    [() => make.down({ stream: wrong("up") }), 'down(): "stream" is "up", but must be "upstream" or "downstream"'],
    [() => make.down({ toxicity: 2 }), 'down(): "toxicity" is 2, but must be a number from 0 to 1'],
    [() => make.httpStatus(99), 'httpStatus(): "status" is 99, but must be a whole number from 200 to 599'],
    [
      () => make.failure(wrong("timeout")),
      expect.stringMatching(
        /^failure\(\): "code" is "timeout", but must be one of the error codes\. Valid: connection_refused, /,
      ),
    ],
    [() => make.truncate(1.5), 'truncate(): "bytes" is 1.5, but must be a whole number of bytes, 0 or more'],
  ])("%s", (call, message) => expect(call).toThrow(expect.objectContaining({ name: "TypeError", message })));

  test("need nothing of Node: they also run in workerd", async () => {
    const entry = path.join(import.meta.dirname, "../../../plugin/scenario/faults/make-faults.ts");
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: "esm",
      // Anything of Node is unknown on this platform, and then this fails.
      platform: "neutral",
      logLevel: "silent",
    });
    const text = outputFiles[0]?.text ?? "";
    expect(text).toContain("resetPeer");
    expect(text).not.toMatch(/\b(process|Buffer|require|import)\b[.( ]/);
  });
});
