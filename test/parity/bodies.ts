/** Request bodies: types, framing, and responses that arrive before the body's end. */

import { ok } from "../servers/http-origin.ts";
import { type ParityCase, alwaysProxied } from "./case.ts";

const KINDS: readonly ParityCase[] = [
  { title: "a string", ask: { init: { method: "POST", body: "na\u00efve \u20ac" } } },
  {
    title: "a string with a Content-Type",
    ask: {
      init: { method: "POST", headers: { "content-type": "Application/JSON" }, body: "{}" },
    },
  },
  {
    title: "URLSearchParams",
    ask: ({ fetch, see }) =>
      see(fetch("/", { method: "POST", body: new URLSearchParams({ a: "b c", "\u00fc": "&" }) })),
  },
  {
    title: "FormData with a file",
    ask: ({ fetch, see }) => {
      const form = new FormData();
      form.append("a", "1");
      form.append("file", new File(["\u0000\u00ff"], 'na\u00efve".txt', { type: "text/x" }));
      return see(fetch("/", { method: "POST", body: form }));
    },
  },
  {
    title: "a Blob with a type",
    ask: ({ fetch, see }) => see(fetch("/", { method: "POST", body: new Blob(["a"], { type: "image/x" }) })),
  },
  {
    title: "a Blob without a type",
    ask: ({ fetch, see }) => see(fetch("/", { method: "POST", body: new Blob(["a"]) })),
  },
  {
    title: "an ArrayBuffer of every byte value",
    ask: ({ fetch, see }) =>
      see(fetch("/", { method: "PUT", body: Uint8Array.from({ length: 256 }, (_, index) => index).buffer })),
  },
  {
    title: "a stream of unknown length",
    ask: ({ fetch, see }) =>
      see(fetch("/", { method: "POST", body: new Response("abc").body!.pipeThrough(new TransformStream()) })),
  },
  {
    title: "a stream that ends at once",
    ask: ({ fetch, see }) => {
      const { readable, writable } = new TransformStream();
      void writable.close();
      return see(fetch("/", { method: "POST", body: readable }));
    },
  },
  {
    title: "a stream in many pieces",
    ask: ({ fetch, see }) => {
      let count = 0;
      const body = new ReadableStream({
        pull(controller) {
          controller.enqueue(new TextEncoder().encode(`${count++},`));
          if (count === 500) controller.close();
        },
      });
      return see(fetch("/", { method: "POST", body }));
    },
  },
  {
    title: "a FixedLengthStream",
    ask: ({ fetch, see }) => {
      // @ts-expect-error -- a global of workerd
      const { readable, writable } = new FixedLengthStream(3);
      const writer = writable.getWriter();
      void writer.write(new TextEncoder().encode("abc")).then(() => writer.close());
      return see(fetch("/", { method: "POST", body: readable }));
    },
  },
  {
    title: "a Content-Encoding that the Worker sets",
    ask: ({ fetch, see }) =>
      see(fetch("/", { method: "POST", headers: { "Content-Encoding": "gzip" }, body: "not gzip" })),
  },
  {
    title: "16 MiB of known length",
    ask: ({ fetch, see }) => {
      const body = new Uint8Array(16 * 1024 * 1024);
      for (let index = 0; index < body.length; index++) body[index] = index % 251;
      return see(fetch("/", { method: "POST", body }));
    },
  },
  {
    title: "16 MiB of unknown length",
    ask: ({ fetch, see }) => {
      const body = new Uint8Array(16 * 1024 * 1024);
      for (let index = 0; index < body.length; index++) body[index] = index % 251;
      return see(fetch("/", { method: "POST", body: new Blob([body]).stream().pipeThrough(new TransformStream()) }));
    },
  },
];

const REFUSAL = "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge";

const EARLY: readonly ParityCase[] = [
  {
    title: "100-continue, granted",
    ask: ({ fetch, see }) => see(fetch("/", { method: "POST", headers: { Expect: "100-continue" }, body: "abc" })),
    async answer({ ended, send }) {
      send("HTTP/1.1 100 Continue\r\n\r\n");
      await ended;
      send(ok("a"));
    },
  },
  {
    title: "100-continue, answered without a 100",
    ask: { init: { method: "POST", headers: { Expect: "100-continue" }, body: "abc" } },
    ...alwaysProxied("Node closes a connection without a 100", [
      "← content-length",
      "← connection: close\n← content-length",
    ]),
  },
  {
    title: "100-continue, refused",
    ask: { init: { method: "POST", headers: { Expect: "100-continue" }, body: "abc" } },
    answer: ({ send }) => send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"),
    gets: ["417 Expectation Failed"],
  },
  {
    title: "413 before the body has arrived",
    ask: async ({ fetch, see }) => {
      const { readable, writable } = new TransformStream();
      const writer = writable.getWriter();
      const seen = await see(fetch("/", { method: "POST", body: readable }));
      await writer
        .write(new TextEncoder().encode("late"))
        .then(() => writer.close())
        .catch(() => undefined);
      return seen;
    },
    answer({ ended, send, socket, note }) {
      void ended.then(() => note("complete"));
      socket.once("close", () => note("closed"));
      send(REFUSAL);
    },
    gets: ["413 Too Large"],
    notes: 1,
    ...alwaysProxied(
      "the proxy aborts an unfinished upload, and workerd ends it as if it were complete",
      ["→ connection 1\n", "→ connection 1, incomplete\n"],
      ['→ body ""\n→ (complete)', "→ (closed)"],
    ),
  },
  {
    title: "413 and a close in the middle of 16 MiB",
    ask: ({ fetch, see }) => see(fetch("/", { method: "POST", body: new Uint8Array(16 * 1024 * 1024) })),
    answer({ socket }) {
      socket.end(REFUSAL.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"), "latin1");
    },
    gets: ["413 Too Large"],
    ...alwaysProxied("workerd's connection stays open when the target's closes", ["← connection: close\n", ""]),
  },
  {
    title: "401 while the origin reads 16 MiB to the end, then another request",
    ask: async ({ fetch, see }) => [
      await see(fetch("/a", { method: "POST", body: new Uint8Array(16 * 1024 * 1024) })),
      await see(fetch("/b")),
    ],
    answer({ ordinal, ended, socket, send, note }) {
      if (ordinal === 1) {
        void ended.then(() => note("complete"));
        socket.once("close", () => note("closed"));
      }
      send(ordinal === 1 ? "HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Basic\r\n\r\n" : ok("b"));
    },
    gets: ["401 No", "200 OK"],
    notes: 1,
  },
  {
    title: "a response that begins during the upload and ends after it",
    ask: async ({ fetch, see }) => {
      const { readable, writable } = new TransformStream();
      const writer = writable.getWriter();
      void writer.write(new TextEncoder().encode("a"));
      const response = await fetch("/", { method: "POST", body: readable });
      void writer.write(new TextEncoder().encode("b")).then(() => writer.close());
      return see(response);
    },
    async answer({ send, ended }) {
      send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
      await ended;
      send("1\r\nb\r\n0\r\n\r\n");
    },
  },
  {
    title: "an upload that the Worker aborts",
    ask: ({ fetch, see }) => {
      const body = new ReadableStream({
        pull(controller) {
          controller.enqueue(new TextEncoder().encode("part"));
          controller.error(new Error("out of paper"));
        },
      });
      return see(fetch("/", { method: "POST", body }));
    },
  },
];

export const BODY_CASES: readonly ParityCase[] = [...KINDS, ...EARLY];
