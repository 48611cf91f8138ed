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

type Section = "services" | "networks";
type Entries<T> = ReadonlyMap<string, Entry<T>>;

const SECTIONS = {
  services: { bindingType: "vpc-service", other: "networks", otherA: "a network" },
  networks: { bindingType: "vpc-network", other: "services", otherA: "a service" },
} as const;

function entriesFor(model: VpcModel, { bindingType }: VpcBinding): Entries<unknown> {
  return bindingType === "vpc-service" ? model.services : model.networks;
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
    notes: ["The entry under the id wins; remove this one."],
  });
}

interface SectionCheck {
  model: VpcModel;
  bindings: readonly VpcBinding[];
  report: Report;
}

function* checkSection(section: Section, { model, bindings, report }: SectionCheck): Generator<VpcBinding> {
  const { bindingType, other, otherA } = SECTIONS[section];
  const own = bindings.filter((binding) => binding.bindingType === bindingType);
  const known = new Set([...own.flatMap(keysOf), ...(section === "networks" ? networkIdsIn(model) : [])]);
  const misplaced = Map.groupBy(
    bindings
      .filter((binding) => binding.bindingType !== bindingType)
      .flatMap((binding) => keysOf(binding).map((key) => ({ key, binding }))),
    ({ key }) => key,
  );
  // A key is probably a typo only if some binding has no entry.
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
        text: `${quote(at[1])} is ${otherA} binding, but its entry is under "${section}"`,
        at,
        part: "key",
        notes: [`Move it to "${other}".`],
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

/** The ids of networks that need no binding of their own: the mesh, and the networks of services. */
function networkIdsIn(model: VpcModel): string[] {
  return [
    MESH_ID,
    ...[...model.services.values()].flatMap((entry) => (entry.kind === "entry" ? (entry.service.networkId ?? []) : [])),
  ];
}
