/** Compares what a client presents with a secret. */

import { timingSafeEqual } from "node:crypto";

/** In constant time, apart from the length. */
export function isSecret(presented: unknown, secret: string): boolean {
  if (typeof presented !== "string") return false;
  const [one, other] = [Buffer.from(presented), Buffer.from(secret)];
  return one.length === other.length && timingSafeEqual(one, other);
}
