/** Entries of a vpc config that no binding of any environment leads to. */

import { type Entry, MESH_ID, type VpcBinding, type VpcModel, entryKey } from "../model.ts";
import type { Finding } from "../read/document.ts";
import { quote } from "../read/document.ts";

/**
 * @param bindings of every Worker beside the config, in every environment
 * @param where the wrangler configs that were looked at, for messages
 */
export function findUnbound(model: VpcModel, bindings: readonly VpcBinding[], where: string): Finding[] {
  // A key of the other section is an error already.
  const bound = new Set(bindings.flatMap(({ id, bindingName }) => [entryKey(id), bindingName]));
  const isUnbound = ([key, entry]: [string, Entry<unknown>]): boolean => entry.kind !== "broken" && !bound.has(key);
  const services = [...model.services].filter(isUnbound);
  const isMeshBound = bindings.some(({ id }) => id === MESH_ID);
  const used = new Set(
    [...model.services.values()].map((entry) => (entry.kind === "entry" ? entry.service.networkId : undefined)),
  );
  const networks = isMeshBound ? [] : [...model.networks].filter(isUnbound).filter(([key]) => !used.has(key));
  return [
    ...services.map(([, { at }]): Finding => ({
      severity: "warning",
      code: "unbound-service",
      text: `no binding leads to the service ${quote(at[1])}`,
      at,
      part: "key",
      notes: [`It is neither the "service_id" nor the name of a binding in ${where}: correct or remove it.`],
    })),
    ...networks.map(([, { at }]): Finding => ({
      severity: "warning",
      code: "unbound-network",
      text: `no binding leads to the network ${quote(at[1])}, and no service lies in it`,
      at,
      part: "key",
      notes: [`It is neither the id nor the name of a binding in ${where}: correct or remove it.`],
    })),
  ];
}
