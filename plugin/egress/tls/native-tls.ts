/**
 * The https targets that workerd's own client may take, and the roots that it has for each. It gets them when the runtime
 * starts, so a target whose roots have changed since is left to the egress proxy. It gets no roots of the system's own
 * store, which are too many.
 */

import { X509Certificate } from "node:crypto";

import type { TargetKey } from "../../../service-worker/routing/forward-target.ts";
import { trustKey } from "../../../service-worker/routing/secure-target.ts";
import type { RoutingTable, TlsPolicy } from "../../../service-worker/routing/table.ts";
import type { SecureTarget } from "../../miniflare/known-secure-targets.ts";
import { chainOf } from "./presented-chain.ts";
import { bundledRoots, extraRoots, namedRootsOf, rootFilesOf, trustsPublicRoots } from "./trust.ts";

export interface NativeTls {
  /** Those with a service of their own. */
  targets: ReadonlyMap<TargetKey, NativeTarget>;
  /** Absolute paths. Some of them need not exist. */
  files: readonly string[];
  /** Adds what has changed since the runtime started. */
  withChanges(table: RoutingTable): RoutingTable;
  /** Whether it would add something else than the last time. */
  hasChanged(): boolean;
  /** Whether workerd would accept the certificate that the target has presented to the egress proxy. */
  isVerified(key: string): boolean;
}

export interface NativeTarget extends SecureTarget {
  /** PEM texts, shared by all targets with the same roots. */
  roots: readonly string[];
  /** Whether public CAs count, too. */
  hasPublic: boolean;
}

export function openNativeTls(known: ReadonlyMap<TargetKey, SecureTarget>): NativeTls {
  const policies = new Map([...known.values()].map(({ policy }) => [trustKey(policy), policy]));
  const atStart = new Map([...policies].map(([key, policy]) => [key, readRoots(policy)]));
  const isChanged = (key: string): boolean => {
    const policy = policies.get(key);
    return policy === undefined || readRoots(policy)?.join("") !== atStart.get(key)?.join("");
  };
  const changes = (): string[] => [...policies.keys()].filter(isChanged);
  let said = "";
  const targets = new Map<TargetKey, NativeTarget>();
  let left = MAX_PUBLIC;
  for (const [name, target] of known) {
    const roots = atStart.get(trustKey(target.policy));
    if (roots !== undefined) targets.set(name, { ...target, roots, hasPublic: hasPublic(target) && left-- > 0 });
  }
  return {
    targets,
    files: [...new Set([...policies.values()].flatMap(rootFilesOf))],
    withChanges(table) {
      const changedTrust = changes();
      said = changedTrust.join("\n");
      return changedTrust.length === 0 ? table : { ...table, changedTrust };
    },
    hasChanged: () => changes().join("\n") !== said,
    isVerified(key) {
      const target = targets.get(key as TargetKey);
      return target !== undefined && !isChanged(trustKey(target.policy)) && isVouchedFor(target);
    },
  };
}

/** Each costs a service 4 kB, and the start time (`docs/performance.md`). Most configs have the two of the Origin CA and one more. */
const MAX_ROOTS = 16;

/** @returns undefined if a file that the vpc config names can't be used, or has too many */
function readRoots(policy: TlsPolicy): string[] | undefined {
  const extra = extraRoots();
  try {
    const roots = namedRootsOf(policy, {
      // A whole store is left out, as the system's own is.
      extra: extra.length > MAX_ROOTS ? [] : extra,
      // The egress proxy warns when it needs them.
      warn() {},
    });
    return roots.length > MAX_ROOTS ? undefined : roots;
  } catch {
    return undefined;
  }
}

/** Public CAs cost each service 0.1 MB and 2 ms of CPU time, whether it is used or not (`docs/performance.md`). */
const MAX_PUBLIC = 8;

/** Public CAs rarely vouch for a name at loopback. */
function hasPublic({ policy, target: { host } }: SecureTarget): boolean {
  return trustsPublicRoots(policy) && host !== "localhost" && host !== "::1" && !host.startsWith("127.");
}

function isVouchedFor({ target, hostName, roots, hasPublic: isPublic }: NativeTarget): boolean {
  const chain = chainOf(target, hostName);
  if (chain === undefined || !chain.isModern) return false;
  const [own = ""] = chain.fingerprints;
  const trusted = new Set([...roots, ...(isPublic ? bundledRoots() : [])].map(fingerprintOf));
  // workerd refuses the certificate of an authority as the target's own, unless it is trusted as such.
  if (chain.isAuthority && !trusted.has(own)) return false;
  return chain.fingerprints.some((fingerprint) => trusted.has(fingerprint));
}

const fingerprints = new Map<string, string>();

function fingerprintOf(pem: string): string {
  const known = fingerprints.get(pem) ?? new X509Certificate(pem).fingerprint256;
  fingerprints.set(pem, known);
  return known;
}
