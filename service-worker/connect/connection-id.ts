/**
 * Writes and reads the address that a facade passes to the native `connect`. It consists of the destination and an id,
 * by which the facade asks why the connection failed. An address without an id comes from a stub that was passed on to other
 * code. It works in the same way, but its caller doesn't knock, and nobody asks.
 *
 * The address grants nothing. A Worker may write one by hand: its destination is decided like any other.
 */

import { bracketHost } from "../routing/address-text.ts";

/** No real host name begins with this label. */
const MARKED = /^mvpc-([0-9a-f]{20})\.(.*)$/;

/** What follows is no host as it is. A host that begins like this goes ahead. */
const NO_HOST = "--";
const V6 = "--6--";
const AHEAD = /^--ahead-(\d{1,5})--$/;
const WHY = "--why--";

/** workerd's `connect` accepts 255 characters, including the port. */
const MAX_LENGTH = 255 - ":65535".length;

/** Random, because two isolates must not share an id, and made at the first call, because there are no random numbers before. */
let prefix: string | undefined;
let made = 0;

/** 48 random bits and a number, because to draw new ones takes long. */
export function makeConnectionId(): string {
  prefix ??= hex(crypto.getRandomValues(new Uint8Array(6)));
  return prefix + (made++ % 2 ** 32).toString(16).padStart(8, "0");
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param host without brackets
 * @returns `ahead`: the host, if it is too long for the address or looks like one of ours. The facade sends it first of all
 *   (knock.ts)
 */
export function markHost(connectionId: string, host: string): { marked: string; ahead: string } {
  // A colon would end the host in the address.
  const marked = `mvpc-${connectionId}.${host.includes(":") ? V6 + host.replaceAll(":", "-") : host}`;
  if (marked.length <= MAX_LENGTH && !host.startsWith(NO_HOST)) return { marked, ahead: "" };
  const { byteLength } = new TextEncoder().encode(host);
  return { marked: `mvpc-${connectionId}.--ahead-${byteLength}--`, ahead: host };
}

/** The host of a connection that asks why the one with this id failed. Its answer is the code. */
export function markQuestion(connectionId: string): string {
  return `mvpc-${connectionId}.${WHY}`;
}

export interface Unmarked {
  /** Absent: the caller doesn't knock. */
  connectionId?: string;
  /** `host:port`, or `:port` if the host comes first of all. */
  address: string;
  /** Bytes of the host that comes first of all. */
  ahead?: number;
  /** It is the one of `markQuestion`. */
  isQuestion?: true;
}

/** @param address `host:port` as the `connect` handler gets it */
export function unmarkAddress(address: string): Unmarked {
  const [, connectionId, rest = ""] = MARKED.exec(address) ?? [];
  if (connectionId === undefined) return { address };
  const colon = rest.lastIndexOf(":");
  const [name, port] = [rest.slice(0, colon), rest.slice(colon)];
  if (name === WHY) return { address: port, connectionId, isQuestion: true };
  const ahead = AHEAD.exec(name)?.[1];
  if (ahead !== undefined) return { address: port, connectionId, ahead: Number(ahead) };
  if (!name.startsWith(V6)) return { address: rest, connectionId };
  return { address: `${bracketHost(name.slice(V6.length).replaceAll("-", ":"))}${port}`, connectionId };
}
