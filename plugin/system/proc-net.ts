/** Finds listening sockets in Linux's tables of TCP sockets, `/proc/net/tcp` and `tcp6` (proc(5)). */

export const PROC_NET_FILES = ["/proc/net/tcp", "/proc/net/tcp6"] as const;

export interface Listener {
  port: number;
  /** The socket's inode, as in a file descriptor's link `socket:[inode]`. */
  inode: string;
}

/** The state that means "listening". */
const LISTEN = "0A";

/** Loopback (127.0.0.0/8, `::1`, 127.0.0.0/8 in IPv6) and "any address", in the byte order of a little-endian machine. */
const LOCAL_ADDRESS = /^(0+|[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F)$/;

/** @returns the sockets of a table that `localhost` reaches */
export function parseListeners(table: string): Listener[] {
  return table.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local = "", , state] = fields;
    const [address = "", port = ""] = local.split(":");
    if (state !== LISTEN || !LOCAL_ADDRESS.test(address)) return [];
    return [{ port: Number.parseInt(port, 16), inode: fields[9] ?? "" }];
  });
}
