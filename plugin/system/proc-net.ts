/** Finds listening sockets in Linux's tables of TCP sockets, `/proc/net/tcp` and `tcp6` (proc(5)). */

export const PROC_NET_FILES = ["/proc/net/tcp", "/proc/net/tcp6"] as const;

export interface Listener {
  port: number;
  /** Whether `localhost` reaches it; otherwise only another address of loopback does, such as `127.0.0.2`. */
  isAtLocalhost: boolean;
  /** The socket's inode, as in a file descriptor's link `socket:[inode]`. */
  inode: string;
}

/** The state that means "listening". */
const LISTEN = "0A";

/** Loopback (127.0.0.0/8, `::1`, 127.0.0.0/8 in IPv6) and "any address", in the byte order of a little-endian machine. */
const LOCAL_ADDRESS = /^(0+|[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F)$/;

/** `127.0.0.1`, `::1` and "any address", likewise. */
const LOCALHOST = /^(0+|0100007F|0{24}01000000|0{16}FFFF0000(0100007F|0{8}))$/;

/** @returns the sockets of a table that an address of loopback reaches */
export function parseListeners(table: string): Listener[] {
  return table.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local = "", , state] = fields;
    const [address = "", port = ""] = local.split(":");
    if (state !== LISTEN || !LOCAL_ADDRESS.test(address)) return [];
    return [{ port: Number.parseInt(port, 16), isAtLocalhost: LOCALHOST.test(address), inode: fields[9] ?? "" }];
  });
}
