/**
 * Random requests and responses: the origin receives the same request, and the Worker gets the same response, straight
 * to the server, through the direct path, and through the egress proxy.
 */

import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Seen } from "../parity/case.ts";
import { see } from "../parity/see.ts";
import { transcribe } from "../parity/transcript.ts";
import { type Exchange, type ObservedOrigin, startObservedOrigin } from "../servers/observed-origin.ts";
import { type TestWorker, TUNNEL, startTestWorker } from "../setup/test-worker.ts";
import { DEADLINE, runs } from "./runs.ts";

const WAYS = ["straight", "direct", "egress"] as const;
type Way = (typeof WAYS)[number];

/** Bytes as characters. */
const bytes = fc.string({ unit: fc.nat(255).map((byte) => String.fromCharCode(byte)), maxLength: 300 });
const piece = fc.oneof(
  { weight: 6, arbitrary: bytes },
  // Longer than all buffers, and than the bodies that the service worker forwards without watching them.
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 150_000 }) },
);
const body = fc.array(piece, { maxLength: 5 });
type Body = (string | number)[];

/** A number is replaced by that many bytes. This keeps counterexamples short. */
function spellOut(body: Body): string[] {
  return body.map((piece) =>
    typeof piece === "string" ? piece : "0123456789abcdef".repeat(piece / 16 + 1).slice(0, piece),
  );
}

/** RFC 9110 §5.6.2 and §5.5. Numeric names and our private ones have their own tests. */
const fieldName = fc.stringMatching(/^X-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/);
const fieldValue = fc.oneof(
  fc.stringMatching(/^[!-~]([ -~\t]{0,40}[!-~])?$/),
  fc.stringMatching(/^[!-~\u0080-\u00ff]{1,40}$/),
);
const fields = fc.uniqueArray(fc.tuple(fieldName, fieldValue), {
  maxLength: 12,
  selector: ([name]) => name.toLowerCase(),
});
/** Also several fields of one name. */
const manyFields = fc
  .tuple(fields, fc.array(fieldValue, { maxLength: 3 }))
  .map(([some, cookies]) => some.concat(cookies.map((value) => ["Set-Cookie", value])));

const path = fc
  .tuple(fc.webPath(), fc.option(fc.webQueryParameters()), fc.stringMatching(/^[A-Za-z0-9%;:@&=+$,!'()*~._-]{0,30}$/))
  .map(
    ([path, query, extra]) =>
      `${path || "/"}${extra.replaceAll(/%(?![0-9a-f]{2})/gi, "")}${query === null ? "" : `?${query}`}`,
  );

const method = fc.constantFrom(
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "PROPFIND",
  "QUERY",
  "PURGE",
);

const request = fc.record({
  method,
  path,
  headers: manyFields,
  body: fc.option(body),
  /** Whether the body is a stream. */
  isStream: fc.boolean(),
});

const response = fc.record({
  status: fc
    .oneof(
      fc.constantFrom(200, 201, 204, 206, 304, 400, 401, 404, 418, 429, 500, 502, 503),
      fc.integer({ min: 200, max: 599 }),
    )
    .filter((status) => ![205].includes(status) && !(status > 300 && status < 309 && status !== 304)),
  reason: fc.stringMatching(/^([A-Za-z][ -~]{0,20}[!-~])?$/),
  headers: manyFields,
  body,
  isChunked: fc.boolean(),
  interim: fc.array(fc.constantFrom(102, 103), { maxLength: 2 }),
  /** Where the bytes on the wire are split, as fractions of the whole. */
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
});

interface Spec {
  request: typeof request extends fc.Arbitrary<infer T> ? T : never;
  response: typeof response extends fc.Arbitrary<infer T> ? T : never;
}

/** The request in the form that the Worker receives. */
type Sent = Omit<Spec["request"], "body"> & { body: string[] | null };

let spec: Spec;
let origins: Record<Way, ObservedOrigin>;
let workers: Record<Way, TestWorker>;

beforeAll(async () => {
  const [straight, direct, egress] = await Promise.all([startOrigin(), startOrigin(), startOrigin()]);
  origins = { straight, direct, egress };
  const network = { NET: { type: "vpc-network", tunnelId: TUNNEL } };
  const started = await Promise.all([
    start({}, { NET: { type: "external", address: `127.0.0.1:${straight.port}`, http: {} } }),
    start({ networks: { [TUNNEL]: { routes: { "a.internal": `127.0.0.1:${direct.port}` } } } }, network),
    // The port is known only with the request.
    start({ networks: { [TUNNEL]: { routes: { "a.internal": "127.0.0.1" } } } }, network),
  ]);
  workers = { straight: started[0], direct: started[1], egress: started[2] };
});

afterAll(async () => {
  await Promise.all(WAYS.map((way) => workers[way][Symbol.asyncDispose]()));
  await Promise.all(WAYS.map((way) => origins[way][Symbol.asyncDispose]()));
});

function startOrigin(): Promise<ObservedOrigin> {
  return startObservedOrigin(async (exchange) => {
    await exchange.ended;
    send(exchange, spec.response);
  });
}

function send({ socket, request }: Exchange, { cuts, ...response }: Spec["response"]): void {
  const text = writeResponse(response, request.head.startsWith("HEAD "));
  const ends = [...cuts.map((share) => Math.floor(share * text.length)), text.length].toSorted((a, b) => a - b);
  socket.setNoDelay();
  let from = 0;
  for (const end of ends) {
    socket.write(text.slice(from, end), "latin1");
    from = end;
  }
}

function writeResponse(
  { status, reason, headers, body, isChunked, interim }: Omit<Spec["response"], "cuts">,
  isHead: boolean,
): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  // RFC 9112 §6.3: these have no body.
  const isBodiless = status === 204 || status === 304;
  const pieces = spellOut(body);
  const whole = pieces.join("");
  const framing = isBodiless
    ? ""
    : isChunked
      ? "Transfer-Encoding: chunked\r\n"
      : `Content-Length: ${whole.length}\r\n`;
  const chunks = [...pieces.filter((chunk) => chunk !== ""), ""].map(
    (chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`,
  );
  return [
    ...interim.map((code) => `HTTP/1.1 ${code} Wait\r\nX-Interim: a\r\n\r\n`),
    `HTTP/1.1 ${status} ${reason}\r\n${lines}${framing}\r\n`,
    isBodiless || isHead ? "" : isChunked ? chunks.join("") : whole,
  ].join("");
}

// Defined in the prelude, because an operation can't use an import.
declare const seeResponse: typeof see;

function start(config: object, env: Record<string, object>): Promise<TestWorker> {
  return startTestWorker({
    config: { ...config, traffic: false },
    env,
    prelude: `const seeResponse = ${see.toString()};`,
    ops: {
      async run(env, argument: { port: number }, request) {
        const { method, path, headers, body, isStream } = (await request.json()) as Sent;
        const parts = body?.map((part) => Uint8Array.from(part, (char) => char.charCodeAt(0)));
        let sent: RequestInit["body"];
        if (parts !== undefined && method !== "GET" && method !== "HEAD") {
          if (isStream) {
            const source = parts.values();
            sent = new ReadableStream<Uint8Array>({
              pull(controller) {
                const { value, done } = source.next();
                if (done) controller.close();
                // A stream can't have an empty part.
                else if (value.length > 0) controller.enqueue(value);
                else return this.pull?.(controller);
                return undefined;
              },
            });
          } else sent = await new Blob(parts).arrayBuffer();
        }
        const url = `http://a.internal:${argument.port}${path}`;
        return seeResponse(env.NET.fetch(url, { method, headers, ...(sent && { body: sent }) }));
      },
    },
  });
}

async function run(way: Way): Promise<string> {
  const origin = origins[way];
  origin.observation.requests.length = 0;
  const { body, ...rest } = spec.request;
  const sent: Sent = { ...rest, body: body && spellOut(body) };
  const url = new URL("http://app/?op=run");
  url.searchParams.set("argument", JSON.stringify({ port: origin.port }));
  const response = await workers[way].miniflare.dispatchFetch(url.href, {
    method: "POST",
    body: JSON.stringify(sent),
  });
  const { result, error } = (await response.json()) as { result: Seen; error?: unknown };
  if (error !== undefined) throw new Error(JSON.stringify(error));
  const { requests } = origin.observation;
  await expect.poll(() => requests.every(({ isComplete }) => isComplete)).toBe(true);
  const transcript = transcribe({ observation: origin.observation, worker: [result] });
  // The number of the connection and the port may differ.
  return transcript.replaceAll(/^→ connection \d+/gm, "→ request").replaceAll(`a.internal:${origin.port}`, "origin");
}

test("is the same on all three paths", { timeout: DEADLINE }, async () => {
  await fc.assert(
    fc.asyncProperty(request, response, async (request, response) => {
      spec = { request, response };
      const straight = await run("straight");
      expect(straight).toMatch(/^→ request\n/);
      expect(await run("direct")).toBe(straight);
      expect(await run("egress")).toBe(straight);
    }),
    { ...runs(150), interruptAfterTimeLimit: DEADLINE - 5000 },
  );
});
