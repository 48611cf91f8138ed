/**
 * What a config's keys say about a session's bindings: an entry in the wrong section, a slip of the
 * finger, two entries for one binding.
 */

import { didYouMean } from "../diagnostics.ts";
import { type Report, placeOf, quote } from "../read/document.ts";
import { type Entry, MESH_ID, type VpcBinding, type VpcModel, entryKey, isUuid } from "../model.ts";

/** Each key is compared with each of them. */
const MAX_CANDIDATES = 100;

type Section = "services" | "networks";
type Entries<T> = ReadonlyMap<string, Entry<T>>;

const SECTIONS = {
  services: { bindingType: "vpc-service", other: "networks", a: "a service", otherA: "a network" },
  networks: { bindingType: "vpc-network", other: "services", a: "a network", otherA: "a service" },
} as const;

function entriesFor(model: VpcModel, { bindingType }: VpcBinding): Entries<unknown> {
  return bindingType === "vpc-service" ? model.services : model.networks;
}

/** The entry that counts for a binding, and its key: its id's, or else its name's. */
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
  return findEntry(entriesFor(model, binding), binding)?.entry.kind === "remote";
}

/** @returns the bindings whose entry was found, but in the wrong section */
export function checkKeys(model: VpcModel, bindings: readonly VpcBinding[], report: Report): Set<VpcBinding> {
  for (const binding of bindings) checkTwice(model, binding, report);
  return new Set([
    ...checkSection("services", { model, bindings, report }),
    ...checkSection("networks", { model, bindings, report }),
  ]);
}

function checkTwice(model: VpcModel, binding: VpcBinding, report: Report): void {
  const entries = entriesFor(model, binding);
  const byId = entries.get(entryKey(binding.id));
  const byName = entries.get(binding.bindingName);
  if (byId === undefined || byName === undefined || byId === byName) return;
  report({
    severity: "warning",
    code: "entry-twice",
    text: `${quote(binding.bindingName)} has a second entry, under its id on ${placeOf(model.document, byId.at)}`,
    at: byName.at,
    part: "key",
    notes: ["The entry under the id counts; remove this one."],
  });
}

interface SectionCheck {
  model: VpcModel;
  bindings: readonly VpcBinding[];
  report: Report;
}

function* checkSection(section: Section, { model, bindings, report }: SectionCheck): Generator<VpcBinding> {
  const { bindingType, other, a, otherA } = SECTIONS[section];
  const own = bindings.filter((binding) => binding.bindingType === bindingType);
  const known = new Set([...own.flatMap(keysOf), ...(section === "networks" ? networkIdsIn(model) : [])]);
  const misplaced = Map.groupBy(
    bindings
      .filter((binding) => binding.bindingType !== bindingType)
      .flatMap((binding) => keysOf(binding).map((key) => ({ key, binding }))),
    ({ key }) => key,
  );
  // A slip is likely only where something is missing.
  const wanted = own
    .filter((binding) => findEntry(entriesFor(model, binding), binding) === undefined)
    .slice(0, MAX_CANDIDATES)
    .map(({ bindingName }) => bindingName);
  for (const [key, { at }] of model[section]) {
    if (known.has(key)) continue;
    const elsewhere = misplaced.get(key) ?? [];
    if (elsewhere.length > 0) {
      report({
        code: "wrong-section",
        text: `${quote(at[1])} is ${otherA} binding, but its entry stands under "${section}", as for ${a}`,
        at,
        part: "key",
        notes: [`Move it under "${other}".`],
      });
      yield* elsewhere.map(({ binding }) => binding);
      continue;
    }
    // An id is pasted, not typed; and another Worker's id is not like this one's.
    const meant = isUuid(key) ? undefined : didYouMean(key, wanted);
    if (meant === undefined) continue;
    report({
      severity: "warning",
      code: "unmatched-key",
      text: `${quote(at[1])} is no binding of this session`,
      at,
      part: "key",
      notes: [`Did you mean ${quote(meant)}?`],
    });
  }
}

function keysOf(binding: VpcBinding): string[] {
  return [entryKey(binding.id), binding.bindingName];
}

/** Ids of networks that are known without a binding. */
function networkIdsIn(model: VpcModel): string[] {
  return [
    MESH_ID,
    ...[...model.services.values()].flatMap((entry) => (entry.kind === "entry" ? (entry.service.networkId ?? []) : [])),
  ];
}
