/**
 * Decides whether a request that may not be repeated uses a kept connection: only one that was used a moment
 * ago, and only if the target is known to keep connections for longer than that. The target may close any other
 * connection just as the request is written, and then nobody can tell whether it acted on the request.
 *
 *   request ─── reused ───▶ MOMENT ─── a new connection ───▶
 */

import type { Duplex } from "node:stream";

/** Milliseconds. Far below any server's idle timeout, and long enough for consecutive requests. */
const MOMENT = 50;

/** Milliseconds of idleness after which a new connection replaces a kept one, so that they don't pile up. */
const REPLACED_AFTER = 1000;

/** From this number of kept connections on, a new one replaces the oldest at once. Many requests in a second open many. */
const MANY = 32;

/** Milliseconds for which each such request uses a new connection, after the target closed one within a moment. */
const DISTRUST = 60_000;

/** When each connection got its last request. Its target can't have been waiting for the next one any longer. */
const usedSince = new WeakMap<Duplex, number>();

/** When each kept connection became idle. */
const idleSince = new WeakMap<Duplex, number>();

/**
 * By the key of a connection: until when its target is not trusted to keep connections. 0: it is known to keep them. Absent:
 * nothing is known yet.
 */
const distrustedUntil = new Map<string, number>();

export function noteUsed(socket: Duplex): void {
  idleSince.delete(socket);
  usedSince.set(socket, performance.now());
}

export function noteKept(socket: Duplex): void {
  idleSince.set(socket, performance.now());
}

/** Call it before we close a connection ourselves, because that says nothing about its target. */
export function noteDropped(socket: Duplex): void {
  idleSince.delete(socket);
}

export function noteClosed(socket: Duplex, key: string): void {
  if (age(idleSince, socket) < MOMENT) distrust(key);
}

export function distrust(key: string): void {
  distrustedUntil.set(key, performance.now() + DISTRUST);
}

/** @param kept the open connections with one key; the last one would be used next */
export function mayReuse(kept: readonly Duplex[], key: string): boolean {
  const next = kept.at(-1);
  if (next === undefined || age(usedSince, next) >= MOMENT) return false;
  const until = distrustedUntil.get(key);
  if (until === 0) return true;
  if (until !== undefined && performance.now() < until) return false;
  // A connection that is still open after a moment shows that the target keeps them.
  const isProven = kept.some((socket) => age(idleSince, socket) >= MOMENT);
  if (isProven) distrustedUntil.set(key, 0);
  return isProven;
}

/** @param kept the open connections with one key, the oldest first. @returns the one that a new connection replaces */
export function toReplace<Connection extends Duplex>(kept: readonly Connection[]): Connection | undefined {
  const [oldest] = kept;
  if (oldest === undefined) return undefined;
  return kept.length >= MANY || age(idleSince, oldest) >= REPLACED_AFTER ? oldest : undefined;
}

function age(since: WeakMap<Duplex, number>, socket: Duplex): number {
  return performance.now() - (since.get(socket) ?? -Infinity);
}
