/** Hears what the session tells, and connects again when the connection is lost. */

import type { FeedEvent, FeedEvents } from "../traffic-view.ts";

type Take = { [Name in keyof FeedEvents]: (data: FeedEvents[Name]) => void };

/** Milliseconds until the next attempt. */
const REST = 1000;

export function openFeed(heard: Take & { lost(): void }): void {
  // A relative address is too new for some browsers.
  const address = new URL("api/feed", location.href);
  address.protocol = "ws:";
  const connect = (): void => {
    const socket = new WebSocket(address);
    socket.addEventListener("message", ({ data }: MessageEvent<string>) => take(heard, JSON.parse(data)));
    socket.addEventListener("close", () => {
      heard.lost();
      setTimeout(connect, REST);
    });
  };
  connect();
}

function take<Name extends keyof FeedEvents>(heard: Take, { event, data }: FeedEvent<Name>): void {
  heard[event](data);
}
