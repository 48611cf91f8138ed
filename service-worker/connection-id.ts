/**
 * The address that a facade hands to the native `connect`: the destination, and an id under which
 * the outcome is reported. An address without an id is a stub that was passed on; it works the same,
 * only nobody asks for the outcome.
 *
 * Grants nothing: whoever writes such an address by hand names a destination, which is decided on
 * like any other.
 */

const MARK = "mvpc-";
const MARKED = /^mvpc-([0-9a-f-]{36})\.(.*)$/;

/** @param host in the normal form of `parseHost` */
export function markHost(connectionId: string, host: string): string {
  // A colon would end the host; no name holds "--6--" followed by an address.
  return `${MARK}${connectionId}.${host.includes(":") ? `--6--${host.replaceAll(":", "-")}` : host}`;
}

export function unmarkHost(marked: string): { host: string; connectionId: string | undefined } {
  const match = MARKED.exec(marked);
  if (match === null) return { host: marked, connectionId: undefined };
  const host = match[2] ?? "";
  return { connectionId: match[1], host: host.startsWith("--6--") ? host.slice(5).replaceAll("-", ":") : host };
}
