/** The part of NATS that clients need to publish and subscribe. The server speaks first. */

import type net from "node:net";
import { type TestServer, startTcpServer } from "./tcp-server.ts";

interface Subscription {
  socket: net.Socket;
  id: string;
  matches: RegExp;
}

export async function startNatsLike(): Promise<TestServer> {
  const subscriptions = new Set<Subscription>();
  return await startTcpServer((socket) => {
    socket.write(`INFO {"server_id":"test","version":"2.9.10","proto":1,"headers":true,"max_payload":1048576}\r\n`);
    socket.once("close", () => {
      for (const each of subscriptions) if (each.socket === socket) subscriptions.delete(each);
    });
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      for (let end = received.indexOf("\r\n"); end !== -1; end = received.indexOf("\r\n")) {
        const [operation = "", ...words] = received.slice(0, end).split(" ");
        const payloadEnd = operation === "PUB" ? end + 2 + Number(words.at(-1)) + 2 : end + 2;
        if (received.length < payloadEnd) return;
        const payload = received.slice(end + 2, payloadEnd);
        received = received.slice(payloadEnd);
        handle(socket, { operation, words, payload });
      }
    });
  });

  function handle(
    socket: net.Socket,
    { operation, words, payload }: { operation: string; words: string[]; payload: string },
  ): void {
    const [subject = ""] = words;
    if (operation === "PING") socket.write("PONG\r\n");
    if (operation === "SUB") {
      const pattern = subject.replaceAll(".", "\\.").replaceAll("*", "[^.]+");
      subscriptions.add({ socket, id: words.at(-1) ?? "", matches: new RegExp(`^${pattern}$`) });
    }
    if (operation !== "PUB") return;
    for (const { socket: subscriber, id, matches } of subscriptions) {
      if (matches.test(subject)) subscriber.write(`MSG ${subject} ${id} ${payload.length - 2}\r\n${payload}`, "latin1");
    }
  }
}
