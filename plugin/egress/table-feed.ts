/**
 * Sends an edit of the vpc config to a running service worker. The service worker keeps an order open here, which is
 * answered with the new table. Its next order says that the table is in force. Calls to repeat go the same way.
 */

import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { EgressOrder, EgressTable, RepeatedCall } from "../../service-worker/routing/egress-protocol.ts";
import { type PackedTable, packTable } from "../../service-worker/routing/packed-table.ts";
import type { RoutingTable } from "../../service-worker/routing/table.ts";

export interface TableFeed {
  /** The service worker sends it with each order. */
  feedId: string;
  /**
   * Resolves when the table is in force: the service worker has it, or will ask for it before its first call.
   *
   * @throws {Error} if the running service worker has not taken it within ten seconds
   */
  push(table: RoutingTable): Promise<void>;
  /** Lets the service worker make a call. @returns false if no runtime asks for one: it has had no call since it started */
  repeat(call: RepeatedCall): boolean;
  /** Called when no connection of the runtime is left: it was ended, or has crashed. */
  onGone(call: () => void): void;
  /** Tells the service worker that there are no more tables. */
  close(): void;
}

export interface TableFeeds {
  open: () => TableFeed;
  /** Calls `send` one time: immediately, or when the table that the order waits for exists. */
  answer: (
    order: EgressOrder & { op: "table" },
    outgoing: ServerResponse,
    send: (table: EgressTable["table"]) => void,
  ) => void;
}

interface Feed {
  newest: PackedTable | undefined;
  /** The generation that the service worker last said it has. */
  taken: number;
  /** The open connections that orders came on. If there are none, no runtime has started to ask. */
  followers: Set<Socket>;
  waiting: Set<(table: EgressTable["table"]) => void>;
  /** Calls to make that no order has taken yet. */
  repeats: RepeatedCall[];
  /** Called when `taken` or `followers` changes. */
  observers: Set<() => void>;
  gone: () => void;
}

/** Milliseconds. */
const DEADLINE = 10_000;

export function createTableFeeds(): TableFeeds {
  const feeds = new Map<string, Feed>();
  return {
    open() {
      const feedId = randomUUID();
      const feed: Feed = {
        newest: undefined,
        taken: 0,
        followers: new Set(),
        waiting: new Set(),
        repeats: [],
        observers: new Set(),
        gone() {},
      };
      feeds.set(feedId, feed);
      return {
        feedId,
        push: (table) => push(table, feed),
        repeat: (call) => repeat(call, feed),
        onGone: (call) => void (feed.gone = call),
        close() {
          feeds.delete(feedId);
          feed.gone = () => {};
          sendAll("over", feed);
          feed.followers.clear();
          notify(feed);
        },
      };
    },
    answer({ feedId, generation, isPatient }, outgoing, send) {
      const feed = feeds.get(feedId);
      if (feed === undefined) return send("over");
      if (outgoing.socket !== null) addFollower(outgoing.socket, feed);
      feed.taken = Math.max(feed.taken, generation);
      notify(feed);
      const { newest } = feed;
      if (newest !== undefined && newest.generation > generation) return send(newest);
      if (!isPatient) return send("none");
      const call = feed.repeats.shift();
      if (call !== undefined) return send({ repeat: call });
      feed.waiting.add(send);
      outgoing.once("close", () => feed.waiting.delete(send));
    },
  };
}

function addFollower(socket: Socket, feed: Feed): void {
  if (feed.followers.has(socket)) return;
  feed.followers.add(socket);
  socket.once("close", () => {
    feed.followers.delete(socket);
    notify(feed);
    if (feed.followers.size === 0) feed.gone();
  });
}

function push(table: RoutingTable, feed: Feed): Promise<void> {
  feed.newest = packTable(table);
  sendAll(feed.newest, feed);
  const isTaken = (): boolean => feed.taken >= table.generation || feed.followers.size === 0;
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      feed.observers.delete(observe);
      settle();
    };
    const observe = (): void => {
      if (isTaken()) end(resolve);
    };
    const timer = setTimeout(() => {
      const seconds = DEADLINE / 1000;
      const text = `The running service worker did not take the vpc config within ${seconds} s. Restart to apply it.`;
      end(() => reject(new Error(text)));
    }, DEADLINE).unref();
    feed.observers.add(observe);
    observe();
  });
}

function repeat(call: RepeatedCall, feed: Feed): boolean {
  if (feed.followers.size === 0) return false;
  const [send] = feed.waiting;
  if (send === undefined) feed.repeats.push(call);
  else {
    feed.waiting.delete(send);
    send({ repeat: call });
  }
  return true;
}

function sendAll(table: EgressTable["table"], feed: Feed): void {
  const waiting = [...feed.waiting];
  feed.waiting.clear();
  for (const send of waiting) send(table);
}

function notify({ observers }: Feed): void {
  for (const observer of observers) observer();
}
