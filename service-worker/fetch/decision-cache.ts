/**
 * Remembers the decision for each origin that a binding requests, until an edit replaces the table. To look it up is faster
 * than to parse the URL and decide for each request (docs/performance.md). Pure apart from that memory.
 */

import { type Forward, type Refusal, decide } from "../routing/decide.ts";
import { describeIgnoredPort, portInUrl } from "../routing/ignored-port.ts";
import type { IndexedTable } from "../routing/route-index.ts";
import { type HttpWay, destinationOf, httpWayOf } from "../routing/transport.ts";

/** The decision for all requests of a binding to one origin. */
export type OriginDecision = {
  /** `http:` or `https:`, or another one that `http.ts` refuses. */
  protocol: string;
} & (
  | { type: "refuse"; decision: Refusal }
  | {
      type: "forward";
      decision: Forward;
      way: HttpWay;
      /** A warning, if the URL's port has no effect. */
      ignoredPort?: string;
    }
);

/**
 * The start of a URL, up to its path, query or fragment. Nothing after it changes where the URL leads. Only plain
 * characters match, because a Worker with an old compatibility date sends URLs as they were written. A parser drops tabs,
 * line ends and surplus slashes: in `http://<tab>/host/`, the host is `host`, although it looks like the path.
 */
const ORIGIN = /^https?:\/\/[\w.:[\]-]{1,300}(?=[/?#]|$)/;

/** At this many, the cache is emptied. */
const MAX_ORIGINS = 1000;

let remembered: { index: IndexedTable; decisions: Map<string, OriginDecision> } | undefined;

/** @throws as `decide` */
export function decideOrigin(url: string, asked: { index: IndexedTable; bindingId: string }): OriginDecision {
  const { index, bindingId } = asked;
  const origin = ORIGIN.exec(url)?.[0];
  if (origin === undefined) return decideUrl(url, asked);
  if (remembered?.index !== index) remembered = { index, decisions: new Map() };
  const { decisions } = remembered;
  const key = `${bindingId} ${origin}`;
  const known = decisions.get(key);
  if (known !== undefined) return known;
  const decided = decideUrl(url, asked);
  if (decisions.size >= MAX_ORIGINS) decisions.clear();
  decisions.set(key, decided);
  return decided;
}

function decideUrl(text: string, { index, bindingId }: { index: IndexedTable; bindingId: string }): OriginDecision {
  const url = new URL(text);
  const { protocol } = url;
  const destination = destinationOf(url);
  const decision = decide(index, bindingId, destination);
  if (decision.type === "refuse") return { type: "refuse", decision, protocol };
  const ignoredPort = describeIgnoredPort(decision, { scheme: destination.scheme, port: portInUrl(url) });
  const way = httpWayOf(url, decision, index.table);
  return { type: "forward", decision, protocol, way, ...(ignoredPort && { ignoredPort }) };
}
