/**
 * Merges one compose file over another, as Docker Compose does: merges mappings key by key, concatenates lists and
 * replaces everything else. Respects `!reset` and `!override`.
 */

import type { ComposeNode } from "./compose-node.ts";

/** @param over wins */
export function mergeNodes(base: ComposeNode, over: ComposeNode): ComposeNode {
  if (over.tag !== undefined) return over;
  if (over.type === "map" && base.type === "map") {
    return { ...over, entries: mergeEntries(base.entries, over.entries) };
  }
  if (over.type === "list" && base.type === "list") return { ...over, items: [...base.items, ...over.items] };
  return over.type === "scalar" && over.value === null ? base : over;
}

export function mergeEntries<T extends ComposeNode>(
  base: ReadonlyMap<string, T>,
  over: ReadonlyMap<string, T>,
): Map<string, ComposeNode> {
  const merged = new Map<string, ComposeNode>(base);
  for (const [key, node] of over) {
    const under = base.get(key);
    merged.set(key, under === undefined || under.tag === "reset" ? node : mergeNodes(under, node));
  }
  return merged;
}
