/** The part of Redis (RESP) that a client needs to set and get. */

import { type TestServer, startTcpServer } from "./tcp-server.ts";

export async function startRedisLike(): Promise<TestServer> {
  const values = new Map<string, string>();
  const answer = ([name = "", key = "", value = ""]: string[]): string => {
    switch (name.toUpperCase()) {
      case "HELLO":
        return "%1\r\n+proto\r\n:3\r\n";
      case "SET":
        values.set(key, value);
        return "+OK\r\n";
      case "GET": {
        const found = values.get(key);
        return found === undefined ? "_\r\n" : `$${found.length}\r\n${found}\r\n`;
      }
      default:
        return "+OK\r\n";
    }
  };
  return await startTcpServer((socket) => {
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      for (let command = readCommand(received); command !== undefined; command = readCommand(received)) {
        received = received.slice(command.length);
        socket.write(answer(command.words), "latin1");
      }
    });
  });
}

/** Reads a command such as `*2\r\n$3\r\nGET\r\n$1\r\na\r\n`. @returns undefined if it is incomplete */
function readCommand(received: string): { words: string[]; length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(received);
  if (head === null) return undefined;
  const words: string[] = [];
  let at = head[0].length;
  for (let left = Number(head[1]); left > 0; left--) {
    const end = received.indexOf("\r\n", at);
    if (end === -1) return undefined;
    const from = end + 2;
    at = from + Number(received.slice(at + 1, end)) + 2;
    if (received.length < at) return undefined;
    words.push(received.slice(from, at - 2));
  }
  return { words, length: at };
}
