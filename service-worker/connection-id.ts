/**
 * Writes and reads the address that a facade passes to the native `connect`. It consists of the destination and an id,
 * by which the facade asks for the outcome. An address without an id comes from a stub that was passed on to other code.
 * It works in the same way, but nobody asks for its outcome.
 *
 * The address grants nothing. A Worker may write one by hand: its destination is decided like any other.
 */

import { bracketHost } from "./routing/address-text.ts";

/** No real host name begins with this label. None has `V6` in front of an address, and none is `ELSEWHERE`. */
const MARKED = /^mvpc-([0-9a-f]{20})\.(.*)$/;
const V6 = "--6--";
const ELSEWHERE = "--host--";

/** workerd's `connect` accepts 255 characters, including the port. */
const MAX_LENGTH = 255 - ":65535".length;

/** 80 random bits, because two connections must not share an id. */
export function makeConnectionId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param host without brackets
 * @returns `isElsewhere`: the host is too long for the address. The facade sends it when it asks for the outcome
 */
export function markHost(connectionId: string, host: string): { marked: string; isElsewhere: boolean } {
  // A colon would end the host in the address.
  const marked = `mvpc-${connectionId}.${host.includes(":") ? V6 + host.replaceAll(":", "-") : host}`;
  if (marked.length <= MAX_LENGTH) return { marked, isElsewhere: false };
  return { marked: `mvpc-${connectionId}.${ELSEWHERE}`, isElsewhere: true };
}

export interface Unmarked {
  connectionId: string | undefined;
  /** `host:port`, or `:port` if the host was sent separately. */
  address: string;
  isElsewhere: boolean;
}

/** @param address `host:port` as the `connect` handler gets it */
export function unmarkAddress(address: string): Unmarked {
  const [, connectionId, rest = ""] = MARKED.exec(address) ?? [];
  if (connectionId === undefined) return { address, connectionId, isElsewhere: false };
  const colon = rest.lastIndexOf(":");
  const port = rest.slice(colon);
  if (rest.slice(0, colon) === ELSEWHERE) return { address: port, connectionId, isElsewhere: true };
  if (!rest.startsWith(V6)) return { address: rest, connectionId, isElsewhere: false };
  const host = rest.slice(V6.length, colon).replaceAll("-", ":");
  return { address: `${bracketHost(host)}${port}`, connectionId, isElsewhere: false };
}
