/**
 * The faults on the messages of a WebSocket that ends in workerd: both of its ends come here as connections.
 *
 *   service worker ── near │ faults │ far ── service worker
 */

import type { Duplex } from "node:stream";

import { ESTABLISHED } from "../../../service-worker/routing/egress-protocol.ts";
import { pipeWithFaults } from "../../scenario/faults/fault-pipe.ts";
import type { OpenCall } from "../../scenario/open-call.ts";
import type { Random } from "../../scenario/faults/random.ts";
import { sendRawFailure } from "../egress-error.ts";

interface Expected {
  open: OpenCall;
  random: Random;
  /** The end that has come. */
  near?: Duplex;
}

/** WebSockets whose ends are on their way, by exchange id. */
const expected = new Map<string, Expected>();

/** Call it when the upgrade is answered. The call stays open as long as the WebSocket. */
export function expectSocket(exchangeId: string, { open, random }: Pick<Expected, "open" | "random">): void {
  const call: Expected = { open, random };
  expected.set(exchangeId, call);
  open.onEnd(() => {
    expected.delete(exchangeId);
    call.near?.destroy();
    open.close();
  });
}

/** Carries out an `attach-socket` order. The near end comes first. */
export function attachSocket(exchangeId: string, socket: Duplex): void {
  const known = expected.get(exchangeId);
  if (known === undefined)
    return sendRawFailure(socket, { code: "connection_terminated", detail: "the call was ended" });
  const { open, random, near } = known;
  socket.write(ESTABLISHED);
  if (near === undefined) {
    known.near = socket;
    socket.once("close", () => {
      expected.delete(exchangeId);
      open.close();
    });
    return;
  }
  expected.delete(exchangeId);
  open.onEnd(() => {
    near.destroy();
    socket.destroy();
  });
  const options = { live: open, random, onBreak() {} };
  pipeWithFaults(near, socket, { ...options, stream: "upstream" });
  pipeWithFaults(socket, near, { ...options, stream: "downstream" });
}
