/**
 * A DNS server (RFC 1035) over UDP on loopback with given answers. Supports one question per message, and A and AAAA
 * records.
 */

import dgram from "node:dgram";
import { once } from "node:events";

export interface DnsServer extends AsyncDisposable {
  /** `127.0.0.1:port`, as in an order's `resolvers`. */
  address: string;
  /** All questions so far, as `A name`. */
  questions: readonly string[];
}

/** The addresses of a name, which may be none, or a failure. */
export type DnsAnswer = { A?: string[]; AAAA?: string[] } | "NXDOMAIN" | "SERVFAIL" | "REFUSED" | "silent";

/** RFC 1035 §4.1.1. */
const RESPONSE_CODES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };
const TYPES: Record<number, "A" | "AAAA"> = { 1: "A", 28: "AAAA" };

/** @param answer the answer to every question, or a function of a question's name and type */
export async function startDnsServer(
  answer: DnsAnswer | ((name: string, type: "A" | "AAAA") => DnsAnswer),
): Promise<DnsServer> {
  const socket = dgram.createSocket("udp4");
  const questions: string[] = [];
  socket.on("message", (message, from) => {
    const { name, end } = readName(message);
    const type = TYPES[message.readUInt16BE(end)] ?? "A";
    questions.push(`${type} ${name}`);
    const reply = typeof answer === "function" ? answer(name, type) : answer;
    if (reply === "silent") return;
    const code = typeof reply === "string" ? RESPONSE_CODES[reply] : 0;
    const addresses = typeof reply === "string" ? [] : (reply[type] ?? []);
    socket.send(formatAnswer(message.subarray(0, end + 4), { code, type, addresses }), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
}

/** @returns an address where no name server listens, because it was free a moment ago */
export async function closedDnsPort(): Promise<string> {
  await using server = await startDnsServer("silent");
  return server.address;
}

const HEADER = 12;

/** @returns the name in the question, and the index of its end */
function readName(message: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), end: at + 1 };
}

/** @param question the header and question of the message */
function formatAnswer(
  question: Buffer,
  { code, type, addresses }: { code: number; type: "A" | "AAAA"; addresses: string[] },
): Buffer {
  const head = Buffer.from(question);
  // QR, RD, RA, and the response code.
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(addresses.length, 6);
  // Drops additional records, such as the client's EDNS record.
  head.writeUInt16BE(0, 10);
  const records = addresses.map((address) => {
    const data = type === "A" ? Buffer.from(address.split(".").map(Number)) : bytesOf(address);
    const record = Buffer.alloc(HEADER);
    // A pointer to the question's name; type, class IN, 60 seconds to live.
    record.writeUInt16BE(0xc000 | HEADER, 0);
    record.writeUInt16BE(type === "A" ? 1 : 28, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(60, 6);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, ...records]);
}

/** RFC 4291 §2.2, with at most one `::`. */
function bytesOf(address: string): Buffer {
  const [head = [], tail = []] = address.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  const groups = [...head, ...zeros, ...tail];
  return Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex");
}
