/** WebSockets (RFC 6455): the handshake, messages, and the end. */

import { IncomingMessage } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import type { Answer, Exchange } from "../servers/observed-origin.ts";
import { type Act, type ParityCase, type Replacements, proxied } from "./case.ts";

const server = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => (offered.has("b") ? "b" : false),
});

/** Accepts the handshake, then calls `act`. */
function accepting(act: (socket: WebSocket, exchange: Exchange) => void): Answer {
  return (exchange) => {
    const { request, socket, takeOver, note } = exchange;
    takeOver();
    const incoming = new IncomingMessage(socket);
    incoming.method = "GET";
    for (const [, fieldName = "", value = ""] of request.head.matchAll(/^([^:\r\n]+): (.*)\r$/gm)) {
      incoming.headers[fieldName.toLowerCase()] = value;
    }
    server.handleUpgrade(incoming, socket, Buffer.alloc(0), (webSocket) => {
      webSocket.on("error", () => undefined);
      webSocket.on("close", (code, reason) => note(`closed ${code} ${reason.toString()}`));
      act(webSocket, exchange);
    });
  };
}

/** Opens a WebSocket, sends two messages, and lists what arrives until it ends. */
const talk: Act = async ({ fetch, see }) => {
  const pending = fetch("/chat", { headers: { Upgrade: "websocket" } });
  const lines = await see(pending);
  const socket = await pending.then(
    (response) => response.webSocket,
    () => null,
  );
  if (!socket) return lines;
  const ended = new Promise((resolve) => {
    socket.addEventListener("message", ({ data }: { data: string | ArrayBuffer }) => {
      lines.push(typeof data === "string" ? `text ${data.length} ${data.slice(0, 20)}` : `bytes ${data.byteLength}`);
      if (data === "bye") socket.close(4002, "seen");
    });
    socket.addEventListener(
      "close",
      ({ code, reason, wasClean }: { code: number; reason: string; wasClean: boolean }) => {
        lines.push(`closed ${code} ${reason} ${wasClean ? "cleanly" : "uncleanly"}`);
        resolve(undefined);
      },
    );
    socket.addEventListener("error", ({ message }: { message: string }) => {
      lines.push(`error ${message}`);
      resolve(undefined);
    });
  });
  socket.binaryType = "arraybuffer";
  socket.accept();
  socket.send("na\u00efve");
  socket.send(new Uint8Array([0, 255]));
  await ended;
  return lines;
};

const echoThenBye = accepting((socket) => {
  let count = 0;
  socket.on("message", (data, isBinary) => {
    socket.send(data, { binary: isBinary });
    if (++count === 2) socket.send("bye");
  });
});

/** Sends bytes after both of the Worker's messages, and then a message that ends the WebSocket if the bytes were accepted. */
function sendingAfterTwo(bytes: string): Answer {
  return accepting((socket, { send }) => {
    let count = 0;
    socket.on("message", () => {
      if (++count !== 2) return;
      send(bytes);
      socket.send("bye");
    });
  });
}

const TALK = { ask: talk, gets: ["101 Switching Protocols"], notes: 1 };
const CHAT = { ...TALK, answer: echoThenBye };

const NOT_USED_AGAIN = "a connection with an upgrade request is not used again";
const NOT_AGAIN: Replacements = [["← content-length", "← connection: close\n← content-length"]];
const LAST = proxied(NOT_USED_AGAIN, ...NOT_AGAIN);

export const WEBSOCKET_CASES: readonly ParityCase[] = [
  { title: "messages both ways, and a close by the Worker", ...CHAT },
  {
    title: "a close by the origin, with a code",
    ...CHAT,
    answer: accepting((socket) => socket.close(4001, "na\u00efve")),
  },
  { title: "a close by the origin, without a code", ...CHAT, answer: accepting((socket) => socket.close()) },
  {
    title: "a connection that ends without a close",
    ...CHAT,
    answer: accepting((socket) => void socket.once("message", () => socket.terminate())),
  },
  {
    title: "a reset",
    ...CHAT,
    answer: accepting((socket, exchange) => {
      let count = 0;
      socket.on("message", () => ++count === 2 && exchange.socket.resetAndDestroy());
    }),
  },
  {
    title: "an invalid frame",
    ...CHAT,
    answer: accepting((socket, exchange) => void socket.once("message", () => exchange.send("\u00ff".repeat(20)))),
  },
  ...(
    [
      ["a masked frame", "\u0081\u0081\u0000\u0000\u0000\u0000a"],
      ["a frame with an unknown opcode", "\u0083\u0000"],
      ["a text that is not UTF-8", "\u0081\u0001\u00ff"],
      ["a close with one byte of a code", "\u0088\u0001\u0003"],
      ["a close with an invalid code", "\u0088\u0002\u0003\u00e7"],
      ["a last fragment without a first", "\u0080\u0001a"],
    ] as const
  ).map(([title, frame]) => Object.assign({ title, answer: sendingAfterTwo(frame) }, TALK)),
  {
    title: "a ping, and a message of 1 MiB",
    ...CHAT,
    answer: accepting((socket, { note }) => {
      socket.on("pong", (data) => {
        note(`pong ${data.toString()}`);
        socket.send("b".repeat(1024 * 1024));
        socket.send("bye");
      });
      socket.ping("p");
    }),
    notes: 2,
  },
  {
    title: "a message in fragments",
    ...CHAT,
    answer: accepting((socket) => {
      socket.send("one ", { fin: false });
      socket.send("two", { fin: true });
      socket.send("bye");
    }),
  },
  { title: "a message directly after the handshake", ...CHAT, answer: accepting((socket) => socket.send("bye")) },
  {
    title: "1 MiB of bytes from the Worker, an empty message, and a close without a code",
    ask: async ({ fetch }) => {
      const { status, webSocket } = await fetch("/", { headers: { Upgrade: "websocket" } });
      const closed = new Promise<{ code: number }>((resolve) => webSocket.addEventListener("close", resolve));
      webSocket.accept();
      webSocket.send(new Uint8Array(1024 * 1024).fill(1));
      webSocket.send("");
      webSocket.close();
      return [`${status}`, `closed ${(await closed).code}`];
    },
    answer: accepting((socket, { note }) => {
      socket.on("message", (data: Buffer, isBinary) => {
        note(`${data.length} ${isBinary ? "bytes" : "characters"}, ${data.every((byte) => byte === 1)}`);
      });
    }),
    gets: ["101"],
    notes: 3,
  },
  {
    title: "subprotocols",
    ask: async ({ fetch }) => {
      const response = await fetch("/", { headers: { Upgrade: "websocket", "Sec-WebSocket-Protocol": "a, b" } });
      response.webSocket.accept();
      response.webSocket.close(1000, "done");
      return [`${response.status} ${response.headers.get("sec-websocket-protocol")}`];
    },
    answer: accepting(() => undefined),
    gets: ["101 b"],
    notes: 1,
  },
  {
    title: "fields that the Worker sets in the handshake",
    ask: async ({ fetch }) => {
      const response = await fetch("/?a=b", {
        headers: {
          Upgrade: "WebSocket",
          Connection: "keep-alive, Upgrade",
          Origin: "http://a.example",
          Cookie: "a=b",
          "Sec-WebSocket-Extensions": "permessage-deflate",
        },
      });
      response.webSocket.accept();
      response.webSocket.close(1000);
      return [`${response.status} ${response.headers.get("sec-websocket-extensions")}`];
    },
    answer: accepting(() => undefined),
    gets: ["101"],
    notes: 1,
  },
  {
    title: "refused with a 403",
    ask: talk,
    answer: "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
    gets: ["403 Forbidden"],
    ...LAST,
  },
  {
    title: "answered with a 200",
    ask: talk,
    answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
    gets: ["200 OK"],
    ...LAST,
  },
  {
    title: "answered with a 426 and a close",
    ask: talk,
    answer: "HTTP/1.1 426 Upgrade\r\nUpgrade: h2c\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    gets: ["426 Upgrade"],
  },
  {
    title: "redirected",
    ask: talk,
    answer: ({ ordinal, ended, send }) =>
      ended.then(() =>
        send(
          ordinal === 1
            ? "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
            : "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n",
        ),
      ),
    gets: ["403 No"],
    deviates: {
      egress: NOT_AGAIN,
      observed: [...NOT_AGAIN, ["→ connection 1\n→ GET /other", "→ connection 2\n→ GET /other"]],
      reason: `${NOT_USED_AGAIN}; faults may come to an open WebSocket, so each observed handshake has its own`,
    },
  },
];
