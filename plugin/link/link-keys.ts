/**
 * Checks the keys of a config against the bindings of a session: an entry in the wrong section, a typo; and against
 * those of all environments: two entries for one binding.
 */

import { didYouMean } from "../diagnostics.ts";
import { type Report, isPlainObject, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
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
  return new Set([
    ...checkSection("vpc-service", { model, bindings, report }),
    ...checkSection("vpc-network", { model, bindings, report }),
    ...checkSection("hyperdrive", { model, bindings, report }),
  ]);
}

/** An entry under the name of bindings that all have another one, under their id. */
export interface Shadowed {
  bindingName: string;
  /** Of the entry under the name. */
  at: Path;
  /** Of the first entry under an id. */
  winner: Path;
}

/** @param bindings of every Worker, in every environment: an entry under a name is right if it serves any of them */
export function findShadowed(model: VpcModel, bindings: readonly VpcBinding[]): Shadowed[] {
  const same = Map.groupBy(bindings, ({ bindingType, bindingName }) => `${bindingType} ${bindingName}`);
  return [...same.values()].flatMap((each): Shadowed[] => {
    const [first] = each;
    if (first === undefined) return [];
    const { bindingName, bindingType } = first;
    const entries = entriesIn(model, bindingType);
    const byName = entries.get(bindingName);
    const byId = each.map(({ id }) => entries.get(entryKey(id)));
    const [winner] = byId;
    if (byName === undefined || winner === undefined) return [];
    const isShadowed = byId.every((entry) => entry !== undefined && entry !== byName);
    return isShadowed ? [{ bindingName, at: byName.at, winner: winner.at }] : [];
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
  const unknown = [...entries].filter(([key]) => !known.has(key));
  // Usually, because what follows takes time if there are many bindings.
  if (unknown.length === 0) return;
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
  for (const [key, { at }] of unknown) {
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
function usedWithoutBinding(model: VpcModel, bindingType: VpcBinding["bindingType"]): string[] {
  switch (bindingType) {
    case "vpc-service":
      return serviceKeysOf(model);
    case "vpc-network":
      return [
        MESH_ID,
        ...[...model.services.values()].flatMap((entry) =>
          entry.kind === "entry" ? (entry.service.networkId ?? []) : [],
        ),
      ];
    case "hyperdrive":
      return [];
    default:
      return bindingType satisfies never;
  }
}

/** The services that Hyperdrive entries lead to. What a broken entry names counts, too: its own mistake is reported. */
export function serviceKeysOf({ hyperdrives, document }: Pick<VpcModel, "hyperdrives" | "document">): string[] {
  return [...hyperdrives.values()].flatMap((entry) => {
    if (entry.kind === "entry") return entry.serviceKey;
    const written = valueAt(document.value, [...entry.at, "service"]);
    return typeof written === "string" ? entryKey(written) : [];
  });
}

function valueAt(value: unknown, at: Path): unknown {
  return at.reduce<unknown>((inner, step) => (isPlainObject(inner) ? inner[step] : undefined), value);
}
