/**
 * Adds one hop to a connection whose bytes are counted, because JavaScript must not read the caller's end itself: if the
 * caller closes its socket, bytes that it wrote a moment ago and nobody has read yet are lost. The runtime's own pipe
 * loses nothing, and the end behind it is ours and ends cleanly.
 *
 *   caller ◀── inbound ──▶ native pipes ◀── hop ──▶ Relay (counts) ◀── upstream ──▶ target
 *
 * To the Relay it is as if the caller had connected to it: the knock comes through the pipe, too.
 */

import type { Call } from "../env.ts";
import { cancel, drain, whenClosed } from "./relay.ts";

/** What the two events of one connection share: plain data, because they can't use each other's streams. */
export interface Hop extends Omit<Call, "ctx"> {
  asked: AskedConnection;
  /** When the caller closed its socket or its event ended; milliseconds since the epoch. */
  goneAt: number | undefined;
}

/** What a caller of `connect()` asked for. */
export interface AskedConnection {
  /** `host:port`. */
  address: string;
  /** Absent: the caller doesn't knock. */
  connectionId?: string;
}

const hops = new Map<string, Hop>();
let made = 0;

/** Resolves when the connection is over, or when there is none. Never rejects. */
export async function connectByHop(inbound: Socket, asked: AskedConnection, { ctx, ...call }: Call): Promise<void> {
  const { hop, outbound } = openHop(asked, call);
  inbound.closed.catch(() => (hop.goneAt ??= Date.now()));
  const down = sendDown(outbound, inbound);
  const up = sendUp(inbound, outbound, hop);
  const isOver: Promise<unknown> = Promise.race([
    up.then(() => down),
    // Nothing goes up after a reset, or after the Relay has returned.
    down.then((isReset) => (isReset ? undefined : up)),
    Promise.all([down, whenClosed(outbound)]),
  ]);
  // The Relay goes on, too.
  ctx.waitUntil(isOver);
  await isOver;
}

/** The Relay takes a knock when there is a connection. */
export function openHop(asked: AskedConnection, call: Omit<Call, "ctx">): { hop: Hop; outbound: Socket } {
  const hop: Hop = { ...call, asked, goneAt: undefined };
  const id = `hop-${++made}`;
  hops.set(id, hop);
  return { hop, outbound: call.env.RELAY.connect({ hostname: id, port: 1 }, { allowHalfOpen: true }) };
}

/** @param address as the Relay gets it. @throws an `Error` if no hop has the address */
export function takeHop(address: string): Hop {
  const id = address.slice(0, address.lastIndexOf(":"));
  const hop = hops.get(id);
  if (hop === undefined) throw new Error(`miniflare-vpc: no hop ${JSON.stringify(address)}`);
  hops.delete(id);
  return hop;
}

async function sendUp(inbound: Socket, outbound: Socket, hop: Hop): Promise<void> {
  const { readable } = inbound;
  try {
    await readable.pipeTo(outbound.writable, { preventAbort: true });
  } catch {
    // The caller's stream is sound, so it is the Relay that takes no more.
    if (!(await cancel(readable))) return;
    hop.goneAt ??= Date.now();
    await outbound.writable.close();
  }
}

/**
 * A caller may stop reading and still send. If it is gone, this waits until its last bytes are out.
 *
 * @returns whether the target reset the connection; the reset has been passed on
 */
async function sendDown(outbound: Socket, inbound: Socket): Promise<boolean> {
  const { readable } = outbound;
  return readable.pipeTo(inbound.writable, { preventCancel: true }).then(
    () => false,
    () => drain(readable),
  );
}
