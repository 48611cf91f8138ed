/** Finds entries of a vpc config that no binding of any environment leads to, or that no service names. */

import { MESH_ID } from "../../service-worker/routing/table.ts";
import { findShadowed, serviceKeysOf } from "../link/link-keys.ts";
import { type Entry, type VpcBinding, type VpcModel, entryKey } from "../model.ts";
import type { Finding } from "../read/document.ts";
import { placeOf, quote } from "../read/document.ts";

/**
 * @param bindings the bindings of every Worker next to the config, in every environment
 * @param where the names of the wrangler configs, for messages
 */
export function findUnbound(model: VpcModel, bindings: readonly VpcBinding[], where: string): Finding[] {
  // All kinds of bindings, because a key in the wrong section is already reported as an error.
  const bound = new Set(bindings.flatMap(({ id, bindingName }) => [entryKey(id), bindingName]));
  const isUnbound = ([key, entry]: [string, Entry<unknown>]): boolean => entry.kind !== "broken" && !bound.has(key);
  const led = new Set(serviceKeysOf(model));
  // A service that is not there is probably the wrong name of one that is.
  const isUnclear =
    [...model.hyperdrives.values()].some(({ kind }) => kind === "broken") &&
    [...led].some((key) => !model.services.has(key));
  const services = isUnclear ? [] : [...model.services].filter(isUnbound).filter(([key]) => !led.has(key));
  const hyperdrives = [...model.hyperdrives].filter(isUnbound);
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
      notes: [`This key is neither the "service_id" nor the name of a binding in ${where}. Correct or remove it.`],
    })),
    ...hyperdrives.map(([, { at }]): Finding => ({
      severity: "warning",
      code: "unbound-hyperdrive",
      text: `no binding has the Hyperdrive entry ${quote(at[1])}`,
      at,
      part: "key",
      notes: [`This key is neither the "id" nor the name of a Hyperdrive binding in ${where}. Correct or remove it.`],
    })),
    ...networks.map(([, { at }]): Finding => ({
      severity: "warning",
      code: "unbound-network",
      text: `no binding leads to the network ${quote(at[1])}, and no service uses it`,
      at,
      part: "key",
      notes: [`This key is neither the id nor the name of a binding in ${where}. Correct or remove it.`],
    })),
  ];
}

export function findUnnamed({ unusedCertificates }: VpcModel): Finding[] {
  return unusedCertificates.map((at) => ({
    severity: "warning",
    code: "unused-certificate",
    text: `no service names the certificate ${quote(at[1])}`,
    at,
    part: "key",
    notes: [
      'Write the id as "certificate_authority" or "client_certificate" of a service\'s "tls_settings", or remove the entry.',
    ],
  }));
}

/** Finds entries that have no effect: every binding of that name has another entry, under its id. */
export function findTwice(model: VpcModel, bindings: readonly VpcBinding[]): Finding[] {
  return findShadowed(model, bindings).map(({ bindingName, at, winner }) => ({
    severity: "warning",
    code: "entry-twice",
    text: `${quote(bindingName)} has a second entry, under its id on ${placeOf(model.document, winner)}`,
    at,
    part: "key",
    notes: ["The entry under the id wins; remove this one."],
  }));
}
