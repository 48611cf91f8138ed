/**
 * Watches the bytes of an exchange for the journal, and breaks an answer off for a fault. Node has no events for what is
 * written, so this replaces the methods of the one response.
 */

import type { IncomingMessage, ServerResponse } from "node:http";

import { type EgressFailure, FAILURE_HEADER, PROCEED_HEADER } from "../../../service-worker/routing/egress-protocol.ts";
import { sendFailure } from "../egress-error.ts";
import { type Field, firstValue, toFields } from "../http/headers.ts";

/**
 * Hears what is read of a request's body, by whom and whenever it is read. A listener of its own would start the flow
 * before its reader is there.
 */
export function tapIncoming(incoming: IncomingMessage, hear: (chunk: Buffer) => void): void {
  const listen = (event: string | symbol): void => {
    if (event !== "data") return;
    incoming.off("newListener", listen);
    incoming.on("data", hear);
  };
  incoming.on("newListener", listen);
}

export interface OutgoingTap {
  /** The head of the answer; `failure`: it reports one in place of a target's answer. */
  head: (head: Pick<AnswerHead, "status" | "statusText" | "fields">, failure: EgressFailure | undefined) => void;
  bytes: (chunk: Uint8Array) => void;
  /** The connection now belongs to another protocol. */
  upgraded: () => void;
  /** @param isWhole whether all of the answer was sent */
  over: (isWhole: boolean) => void;
}

interface AnswerHead {
  status: number;
  statusText: string;
  fields: Field[];
  /** It reports one in place of a target's answer. */
  failure: EgressFailure | undefined;
  /** It sends the request back to the service worker. */
  isProceeding: boolean;
}

/** @param args those of `writeHead` */
export function readHead([status, ...rest]: unknown[]): AnswerHead {
  const fieldList = rest.find((argument) => typeof argument === "object");
  const fields = Array.isArray(fieldList) ? toFields(fieldList as string[]) : toPairs(fieldList);
  const failure = firstValue(fields, FAILURE_HEADER);
  return {
    status: Number(status),
    statusText: typeof rest[0] === "string" ? rest[0] : "",
    fields,
    failure: failure === undefined ? undefined : (JSON.parse(failure) as EgressFailure),
    isProceeding: firstValue(fields, PROCEED_HEADER) !== undefined,
  };
}

export function tapOutgoing(outgoing: ServerResponse, tap: OutgoingTap): void {
  const { writeHead, write, end, detachSocket } = methodsOf(outgoing);
  let isOurs = false;
  let isUpgraded = false;
  const hearHead = (args: unknown[]): void => {
    const { failure, isProceeding, ...head } = readHead(args);
    isOurs = failure !== undefined || isProceeding;
    if (!isProceeding) tap.head(head, failure);
  };
  const hear = (chunk: unknown): void => {
    const bytes = isOurs ? undefined : toBytes(chunk);
    if (bytes !== undefined) tap.bytes(bytes);
  };
  Object.assign(outgoing, {
    writeHead(...args: unknown[]) {
      hearHead(args);
      return writeHead(args);
    },
    write(...args: unknown[]) {
      hear(args[0]);
      return write(args);
    },
    end(...args: unknown[]) {
      hear(args[0]);
      return end(args);
    },
    detachSocket(...args: unknown[]) {
      // Node also calls it at the end of each response.
      isUpgraded = !outgoing.headersSent;
      if (isUpgraded) tap.upgraded();
      return detachSocket(args);
    },
  });
  outgoing.once("close", () => {
    if (!isUpgraded) tap.over(outgoing.writableFinished);
  });
}

/** Calls it when the head of the answer goes out, or the exchange is over without one. */
export function whenAnswered(outgoing: ServerResponse, then: () => void): void {
  const { writeHead, detachSocket } = methodsOf(outgoing);
  Object.assign(outgoing, {
    writeHead(...args: unknown[]) {
      then();
      return writeHead(args);
    },
    detachSocket(...args: unknown[]) {
      then();
      return detachSocket(args);
    },
  });
  outgoing.once("close", then);
}

/** @param limit bytes of the body */
export function breakOffAfter(outgoing: ServerResponse, limit: number, failure: EgressFailure): void {
  const { write, end } = methodsOf(outgoing);
  let left = limit;
  let isBroken = false;
  /** @returns whether it is broken off, so that nothing may follow: an end would leave the caller waiting */
  const breaks = (chunk: unknown): boolean => {
    const bytes = toBytes(chunk);
    if (isBroken || bytes === undefined) return isBroken;
    isBroken = bytes.length > left;
    if (isBroken && !outgoing.destroyed) {
      write([bytes.subarray(0, left)]);
      sendFailure(outgoing, failure);
    }
    left -= bytes.length;
    return isBroken;
  };
  Object.assign(outgoing, {
    write: (...args: unknown[]) => (breaks(args[0]) ? false : write(args)),
    end: (...args: unknown[]) => (breaks(args[0]) ? outgoing : end(args)),
  });
}

type Method = (args: unknown[]) => unknown;

export function methodsOf(outgoing: ServerResponse): Record<"writeHead" | "write" | "end" | "detachSocket", Method> {
  const bind =
    (method: (...args: never[]) => unknown): Method =>
    (args) =>
      Reflect.apply(method, outgoing, args);
  return {
    writeHead: bind(Reflect.get(outgoing, "writeHead")),
    write: bind(Reflect.get(outgoing, "write")),
    end: bind(Reflect.get(outgoing, "end")),
    detachSocket: bind(Reflect.get(outgoing, "detachSocket")),
  };
}

/** @returns undefined for what is no piece of a body */
export function toBytes(chunk: unknown): Uint8Array | undefined {
  if (typeof chunk === "string") return Buffer.from(chunk);
  return chunk instanceof Uint8Array ? chunk : undefined;
}

function toPairs(fields: unknown): Field[] {
  return Object.entries(fields ?? {}).map(([fieldName, value]) => [fieldName, String(value)]);
}
