/**
 * Faults that come while an answer is under way. One whose connection has had faults from its start needs none of it.
 *
 *   what answers ── far │ faults │ near ──▶ service worker
 */

import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import type { EgressFailure } from "../../../service-worker/routing/egress-protocol.ts";
import { linkWithFaults } from "../../scenario/faults/link.ts";
import { sendFailure } from "../egress-error.ts";
import { formatHead } from "../http/headers.ts";
import { type Faulted, hasStreamFaults } from "./faulted-connection.ts";
import { methodsOf, readHead, toBytes } from "./tap.ts";

/** From the first such fault on, the answer travels through a link, also after that fault is removed. */
export function awaitFaults(
  outgoing: ServerResponse,
  {
    open,
    random,
    isAnswer,
  }: Faulted & { /** Whether what it has begun to send is an answer. */ isAnswer: () => boolean },
): void {
  const unsubscribe = open.onChange(() => {
    if (!hasStreamFaults(open) && !open.faults.some(({ type }) => type === "down")) return;
    unsubscribe();
    const isUnderWay = !outgoing.destroyed && !outgoing.writableEnded && (!outgoing.headersSent || isAnswer());
    if (isUnderWay) sendThrough(linkWithFaults({ live: open, random, onBreak() {} }), outgoing);
  });
}

/** Its head counts as bytes, too, as on a real connection. A failure of our own doesn't take this way. */
export function sendThrough([near, far]: [near: Duplex, far: Duplex], outgoing: ServerResponse): void {
  const direct = methodsOf(outgoing);
  let head: unknown[] | undefined;
  /** Bytes of the head that have not come through yet. */
  let missing = 0;
  /** Bytes that are on their way. */
  let pending = 0;
  let endArguments: unknown[] | undefined;
  let isBypassed = false;

  const push = (bytes: Uint8Array): boolean => {
    pending += bytes.length;
    return far.write(bytes);
  };
  const pushAny = (chunk: unknown): boolean => {
    const bytes = toBytes(chunk);
    return bytes === undefined || bytes.length === 0 || push(bytes);
  };
  Object.assign(outgoing, {
    writeHead(...args: unknown[]) {
      const { status, statusText, fields, failure, isProceeding } = readHead(args);
      const isAnswer = failure === undefined && !isProceeding;
      const bytes = isAnswer ? formatHead(`HTTP/1.1 ${status} ${statusText}`, fields) : undefined;
      isBypassed ||= bytes === undefined;
      if (bytes === undefined) return direct.writeHead(args);
      head = args;
      missing = bytes.length;
      push(bytes);
      return outgoing;
    },
    write: (...args: unknown[]) => (isBypassed ? direct.write(args) : pushAny(args[0])),
    end(...args: unknown[]) {
      if (isBypassed) return direct.end(args);
      endArguments = args.filter((argument) => typeof argument === "function");
      pushAny(args[0]);
      far.end();
      return outgoing;
    },
  });
  far.on("drain", () => outgoing.emit("drain"));
  outgoing.on("drain", () => {
    if (!outgoing.writableNeedDrain) near.resume();
  });
  outgoing.once("close", () => near.destroy());
  const fail = (failure: EgressFailure): void => {
    if (!isBypassed && !outgoing.destroyed) sendFailure(outgoing, failure);
  };
  near.on("data", (chunk: Buffer) => {
    if (isBypassed) return;
    pending -= chunk.length;
    const body = chunk.subarray(missing);
    missing = Math.max(0, missing - chunk.length);
    if (missing > 0) return;
    if (head !== undefined) {
      direct.writeHead(head);
      head = undefined;
      direct.write([new Uint8Array()]);
    }
    if (body.length > 0 && direct.write([body]) === false) near.pause();
  });
  near.once("end", () => {
    if (endArguments !== undefined && pending === 0 && !isBypassed) direct.end(endArguments);
    else
      fail({
        code: "http_response_incomplete",
        detail: `a fault ended the answer in the middle of its ${missing > 0 ? "head" : "body"}`,
      });
  });
  far.on("error", () => {});
  near.once("error", (error) => fail({ code: "connection_terminated", detail: error.message }));
}
