/**
 * Checks the keys of a config against the bindings of a session: an entry in the wrong section, a typo,
 * two entries for one binding.
 */

import { didYouMean } from "../diagnostics.ts";
import { type Report, placeOf, quote } from "../read/document.ts";
import { MESH_ID } from "../../service-worker/routing/table.ts";
import { type Entry, type VpcBinding, type VpcModel, entryKey, isUuid } from "../model.ts";

/** Limits the work: each unknown key is compared with each candidate. */
const MAX_CANDIDATES = 100;

type Entries<T> = ReadonlyMap<string, Entry<T>>;

/** Where the entry of a binding belongs. */
const SECTIONS = {
  "vpc-service": { section: "services", a: "a service" },
  "vpc-network": { section: "networks", a: "a network" },
  hyperdrive: { section: "hyperdrive", a: "a Hyperdrive" },
} as const;

function entriesIn(model: VpcModel, bindingType: VpcBinding["bindingType"]): Entries<unknown> {
  const { services, networks, hyperdrives } = model;
  return { "vpc-service": services, "vpc-network": networks, hyperdrive: hyperdrives }[bindingType];
}

/** Finds the entry of a binding, and its key: the binding's id, or else its name. */
export function findEntry<T>(
  entries: Entries<T>,
  { id, bindingName }: VpcBinding,
): { key: string; entry: Entry<T> } | undefined {
  for (const key of [entryKey(id), bindingName]) {
    const entry = entries.get(key);
    if (entry !== undefined) return { key, entry };
  }
  return undefined;
}

export function isRemote(model: VpcModel, binding: VpcBinding): boolean {
  return findEntry(entriesIn(model, binding.bindingType), binding)?.entry.kind === "remote";
}

/** @returns the bindings whose entry was found, but in the wrong section */
export function checkKeys(model: VpcModel, bindings: readonly VpcBinding[], report: Report): Set<VpcBinding> {
  for (const binding of bindings) checkTwice(model, binding, report);
  return new Set([
    ...checkSection("vpc-service", { model, bindings, report }),
    ...checkSection("vpc-network", { model, bindings, report }),
    ...checkSection("hyperdrive", { model, bindings, report }),
  ]);
}

function checkTwice(model: VpcModel, binding: VpcBinding, report: Report): void {
  const entries = entriesIn(model, binding.bindingType);
  const byId = entries.get(entryKey(binding.id));
  const byName = entries.get(binding.bindingName);
  if (byId === undefined || byName === undefined || byId === byName) return;
  report({
    severity: "warning",
    code: "entry-twice",
    text: `${quote(binding.bindingName)} has a second entry, under its id on ${placeOf(model.document, byId.at)}`,
    at: byName.at,
    part: "key",
    notes: ["The entry under the id wins; remove this one."],
  });
}

interface SectionCheck {
  model: VpcModel;
  bindings: readonly VpcBinding[];
  report: Report;
}

function* checkSection(
  bindingType: VpcBinding["bindingType"],
  { model, bindings, report }: SectionCheck,
): Generator<VpcBinding> {
  const entries = entriesIn(model, bindingType);
  const own = bindings.filter((binding) => binding.bindingType === bindingType);
  const known = new Set([...own.flatMap(keysOf), ...usedWithoutBinding(model, bindingType)]);
  const misplaced = Map.groupBy(
    bindings
      .filter((binding) => binding.bindingType !== bindingType)
      .flatMap((binding) => keysOf(binding).map((key) => ({ key, binding }))),
    ({ key }) => key,
  );
  // A key is probably a typo only if some binding has no entry.
  const wanted = own
    .filter((binding) => binding.ownString === undefined && findEntry(entries, binding) === undefined)
    .slice(0, MAX_CANDIDATES)
    .map(({ bindingName }) => bindingName);
  for (const [key, { at }] of entries) {
    if (known.has(key)) continue;
    const elsewhere = misplaced.get(key) ?? [];
    const [first] = elsewhere;
    if (first !== undefined) {
      const { section, a } = SECTIONS[first.binding.bindingType];
      report({
        code: "wrong-section",
        text: `${quote(at[1])} is ${a} binding, but its entry is under "${SECTIONS[bindingType].section}"`,
        at,
        part: "key",
        notes: [first.binding.bindingType === "hyperdrive" ? NAME_SERVICE : `Move it to "${section}".`],
      });
      yield* elsewhere.map(({ binding }) => binding);
      continue;
    }
    // People paste ids, so they don't mistype them; and an id of another Worker isn't a typo.
    const meant = isUuid(key) ? undefined : didYouMean(key, wanted);
    if (meant === undefined) continue;
    report({
      severity: "warning",
      code: "unmatched-key",
      text: `${quote(at[1])} matches no binding of this session`,
      at,
      part: "key",
      notes: [`Did you mean ${quote(meant)}?`],
    });
  }
}

function keysOf(binding: VpcBinding): string[] {
  return [entryKey(binding.id), binding.bindingName];
}

const NAME_SERVICE = 'Add an entry for it to "hyperdrive", whose "service" is the key of a tcp service.';

/** The keys that need no binding of their own: the mesh, the networks of services, and the services of databases. */
function usedWithoutBinding({ services, hyperdrives }: VpcModel, bindingType: VpcBinding["bindingType"]): string[] {
  switch (bindingType) {
    case "vpc-service":
      return serviceKeysOf(hyperdrives);
    case "vpc-network":
      return [
        MESH_ID,
        ...[...services.values()].flatMap((entry) => (entry.kind === "entry" ? (entry.service.networkId ?? []) : [])),
      ];
    case "hyperdrive":
      return [];
    default:
      return bindingType satisfies never;
  }
}

/** The services that Hyperdrive entries lead to. */
export function serviceKeysOf(hyperdrives: VpcModel["hyperdrives"]): string[] {
  return [...hyperdrives.values()].flatMap((entry) => (entry.kind === "entry" ? entry.serviceKey : []));
}
