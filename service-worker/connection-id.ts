/**
 * The address that a facade hands to the native `connect`: the destination, and an id under which
 * the outcome is reported. An address without an id is a stub that was passed on; it works the same,
 * only nobody asks for the outcome.
 *
 * Grants nothing: whoever writes such an address by hand names a destination, which is decided on
 * like any other.
 */

/** No name of a user's begins with this label, and none holds `V6` in front of an address. */
const MARKED = /^mvpc-([0-9a-f]{20})\.(.*)$/;
const V6 = "--6--";

/** workerd's `connect` takes 255 characters, the port included. */
const MAX_LENGTH = 255 - ":65535".length;

/** 80 random bits: an id must not be another connection's. */
export function makeConnectionId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param host without brackets
 * @returns undefined for a name so long that it can't carry an id
 */
export function markHost(connectionId: string, host: string): string | undefined {
  // A colon would end the host.
  const marked = `mvpc-${connectionId}.${host.includes(":") ? V6 + host.replaceAll(":", "-") : host}`;
  return marked.length > MAX_LENGTH ? undefined : marked;
}

/** @param address `host:port` as the `connect` handler gets it */
export function unmarkAddress(address: string): { address: string; connectionId: string | undefined } {
  const [, connectionId, rest = ""] = MARKED.exec(address) ?? [];
  if (connectionId === undefined) return { address, connectionId };
  if (!rest.startsWith(V6)) return { address: rest, connectionId };
  const colon = rest.lastIndexOf(":");
  const host = rest.slice(V6.length, colon).replaceAll("-", ":");
  return { address: `[${host}]${rest.slice(colon)}`, connectionId };
}
