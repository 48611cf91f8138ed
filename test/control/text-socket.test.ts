/** The WebSocket on which only the server speaks, with the client of Node. */

import { once } from "node:events";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { type TextSocket, acceptTextSocket, asksForTextSocket } from "../../plugin/control/text-socket.ts";

const server = http.createServer();
let url: string;
let accepted: PromiseWithResolvers<TextSocket>;

beforeAll(async () => {
  server.on("upgrade", (incoming, stream) => {
    if (asksForTextSocket(incoming)) accepted.resolve(acceptTextSocket(incoming, stream));
    else stream.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
beforeEach(() => {
  accepted = Promise.withResolvers();
});
afterAll(async () => {
  server.close();
  await once(server, "close");
});

test("texts of every length arrive whole and in order", async () => {
  const texts = [0, 1, 125, 126, 0xffff, 0x1_0000, 3_000_000].map(
    (length) => "é".repeat(length / 2) + "x".repeat(length % 2),
  );
  const client = new WebSocket(url);
  const heard: string[] = [];
  client.addEventListener("message", ({ data }) => heard.push(String(data)));
  const socket = await accepted.promise;
  for (const text of texts) socket.send(text);
  await expect.poll(() => heard.length).toBe(texts.length);
  expect(heard).toEqual(texts);
  client.close();
  await once(socket.stream, "close");
});

test("it ends when the client leaves, and when the client says something", async () => {
  for (const leave of [(client: WebSocket) => client.close(), (client: WebSocket) => client.send("hello")]) {
    accepted = Promise.withResolvers();
    const client = new WebSocket(url);
    const closed = once(client, "close");
    await once(client, "open");
    const socket = await accepted.promise;
    leave(client);
    await closed;
    await expect.poll(() => socket.stream.closed).toBe(true);
    // Too late, and harmless.
    socket.send("late");
  }
});

test("a client that vanishes is no error", async () => {
  const request = http.get(url.replace("ws:", "http:"), {
    headers: {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version": "13",
    },
  });
  const [response, raw] = (await once(request, "upgrade")) as [http.IncomingMessage, Socket];
  // RFC 6455 §1.3 has this example.
  expect(response.headers["sec-websocket-accept"]).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const { stream } = await accepted.promise;
  raw.resetAndDestroy();
  await expect.poll(() => stream.closed).toBe(true);
});
