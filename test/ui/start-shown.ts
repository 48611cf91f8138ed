/** A Worker under test whose traffic a page shows. */

import { once } from "node:events";
import http from "node:http";

import { expect } from "vitest";

import { findRunning } from "../../plugin/scenario/running.ts";
import type { JournalEntry } from "../../plugin/scenario/journal.ts";
import type { Scenario } from "../../plugin/scenario/scenario.ts";
import type {
  CallView,
  FeedEvent,
  FeedEvents,
  InForceView,
  NetworkView,
  TrafficRow,
} from "../../plugin/ui/traffic-view.ts";
import type { VpcConfig } from "../../plugin/config.ts";
import { ops } from "../control/start-controlled.ts";
import { type TestWorker, startTestWorker } from "../setup/test-worker.ts";

export interface Shown extends TestWorker {
  /** Of the page. Ends with the token and `/`. */
  url: string;
  scenario: Scenario;
  /** Opens the document, as a browser does. */
  open(): Promise<http.IncomingMessage>;
  view(id: number): Promise<CallView>;
  /** As the page's own code asks. */
  // oxlint-disable-next-line typescript/no-explicit-any -- each test knows what it asks for
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; json: any }>;
}

/** @param env as `startTestWorker` takes it */
export async function startShown(config: VpcConfig | string, env?: Record<string, object>): Promise<Shown> {
  const worker = await startTestWorker({ config, ops, ui: true, ...(env && { env }) });
  const running = findRunning(String((await worker.miniflare.getBindings())["MINIFLARE_VPC"]));
  if (running === undefined) throw new Error("the instance has no scenario");
  const url = addressIn(worker.output());
  return {
    ...worker,
    url,
    scenario: running.scenario,
    open: () => get(url),
    async ask(method, path, body) {
      const type = body === undefined ? {} : { "Content-Type": "application/json" };
      const response = await fetch(url + path, {
        method,
        headers: { Origin: new URL(url).origin, ...type },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, json: text === "" ? undefined : JSON.parse(text) };
    },
    view: async (id) => (await (await fetch(`${url}api/calls/${id}`)).json()) as CallView,
  };
}

/** @returns the id of the entry of a call, when it is over. It may fail */
export async function callOnce(
  { call, scenario }: Pick<Shown, "call" | "scenario">,
  op: string,
  argument: object,
): Promise<number> {
  await call(op, argument).catch(() => {});
  return (await lastEntry({ scenario })).id;
}

/** Waits until it is over: the Worker may have all of an answer before the journal knows. */
export async function lastEntry({ scenario }: Pick<Shown, "scenario">): Promise<JournalEntry> {
  const entry = scenario.journal.entries.at(-1)!;
  await expect.poll(() => entry.duration, { timeout: 30_000 }).toBeDefined();
  return entry;
}

/** The order of fields, the case of their names, and fields of the connection are no difference. */
export function sortedRequest(request: string): string {
  const [head = "", body = ""] = request.split("\r\n\r\n");
  const [first = "", ...fields] = head.split("\r\n");
  const kept = fields
    .map((field) => field.replace(/^[^:]*/, (name) => name.toLowerCase()))
    .filter((field) => !/^(?:connection|content-length|transfer-encoding|accept-encoding):/.test(field));
  return [first, ...kept.toSorted(), "", body].join("\n");
}

/** @throws {Error} if the output has none */
export function addressIn(output: string): string {
  const [, url] = /Traffic {2}(http:\/\/127\.0\.0\.1:\d+\/[\w-]{16,}\/)$/m.exec(output) ?? [];
  if (url === undefined) throw new Error(`no address of a page in:\n${output}`);
  return url;
}

/** Without what `fetch` adds or forbids. The body is read and dropped. */
export function get(url: string, options: http.RequestOptions = {}): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: false, ...options }, (response) => {
      response.resume().once("end", () => resolve(response));
    });
    request.on("error", reject).end();
  });
}

export interface Feed extends AsyncDisposable {
  rows: Map<number, TrafficRow>;
  /** The newest. */
  inForce?: InForceView;
  network?: NetworkView;
  /** The names of the events, in order. */
  events: string[];
}

/** Reads the feed as the page does. */
export async function readFeed(url: string): Promise<Feed> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}api/feed`);
  const closed = once(socket, "close");
  const feed: Omit<Feed, typeof Symbol.asyncDispose> = { rows: new Map(), events: [] };
  socket.addEventListener("message", ({ data: text }) => {
    const { event, data } = JSON.parse(String(text)) as {
      [Name in keyof FeedEvents]: FeedEvent<Name>;
    }[keyof FeedEvents];
    feed.events.push(event);
    if (event === "rows") for (const row of data) feed.rows.set(row.id, row);
    if (event === "network") feed.network = data;
    if (event === "inForce") feed.inForce = data;
    if (event === "cleared") for (const id of feed.rows.keys()) if (id <= data.upTo) feed.rows.delete(id);
  });
  await once(socket, "open");
  return Object.assign(feed, {
    async [Symbol.asyncDispose]() {
      socket.close();
      await closed;
    },
  });
}
