/**
 * What a TLS connection to a target trusts and presents: roots, and a client certificate. The roots are public CAs, the
 * Cloudflare Origin CA, mkcert's, and the files that a vpc config names; an authority of the record takes the place of the
 * public ones. Files are read when first needed, and a changed file is read again within a moment. The system's own roots
 * take seconds to read, so they are added only after a certificate was refused without them.
 */

import { statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";

import type { TlsPolicy } from "../../../service-worker/routing/table.ts";
import {
  type ClientCertificate,
  type PresentedCertificate,
  nameIn,
  readCertificates,
  readClientCertificate,
} from "../../system/certificates.ts";
import { messageOf } from "../../system/error.ts";
import { readSystemRoots } from "../../system/system-roots.ts";
import { EgressError } from "../egress-error.ts";
import { ORIGIN_CA_ROOTS } from "./origin-ca.ts";

export interface Trust {
  /** Differs whenever the roots or the client certificate do. */
  key: string;
  context: tls.SecureContext;
  /** Whether the system's own roots belong to them, but are not among them yet. */
  lacksSystemRoots: boolean;
  client?: PresentedCertificate;
}

/** The oldest version that a tunnel speaks. Older ones are broken. */
const MIN_VERSION = "TLSv1.2";

/** The last result for each policy. `lookedAt`: milliseconds. */
const readings = new Map<string, { lookedAt: number; stamps: string; trust: Trust }>();
let count = 0;

/** Milliseconds between two looks at the files, so that not every request pays for one. */
const FRESH = 50;

/**
 * If an edit breaks a file, what the files held before stays in force until all of them fit again: a certificate is often
 * replaced before its key.
 *
 * @throws {EgressError} `tls_certificate_error` for a file that can't be read or doesn't hold what it should, if it never did
 */
export function trustOf(policy: TlsPolicy): Trust {
  const { verify, ca, trust: mode, authority, client } = policy;
  const isChecked = verify !== "disabled";
  const list = JSON.stringify([isChecked, ca, mode, authority, client]);
  const known = readings.get(list);
  const lookedAt = performance.now();
  if (known !== undefined && lookedAt - known.lookedAt < FRESH) return known.trust;
  const stamps = filesOf(policy)
    .map((file) => `${file} ${stampOf(file)}`)
    .join("\n");
  if (known?.stamps === stamps) {
    known.lookedAt = lookedAt;
    return known.trust;
  }
  let trust: Trust;
  try {
    trust = readTrust(policy, isChecked);
  } catch (error) {
    if (known === undefined || !(error instanceof EgressError)) throw error;
    warnOnce(`miniflare-vpc: ${error.failure.detail}; what it held before stays in force.`);
    Object.assign(known, { lookedAt, stamps });
    return known.trust;
  }
  readings.set(list, { lookedAt, stamps, trust });
  return trust;
}

/** @throws {EgressError} `tls_certificate_error` */
function readTrust(policy: TlsPolicy, isChecked: boolean): Trust {
  const { client } = policy;
  const presented = client && readClient(client);
  return {
    key: String(++count),
    context: createContext({
      ...(isChecked && { ca: rootsOf(policy) }),
      ...(presented && { cert: presented.cert, key: presented.key }),
    }),
    lacksSystemRoots: isChecked && usesSystemRoots(policy) && systemRoots === undefined,
    ...(client && presented && { client: describeClient(client.cert, presented) }),
  };
}

/** The files that matter, some of which need not exist. */
function filesOf(policy: TlsPolicy): string[] {
  const { verify, client } = policy;
  const ofClient = client === undefined ? [] : [client.cert, client.key];
  return [...(verify === "disabled" ? [] : rootFilesOf(policy)), ...ofClient];
}

/** The files of roots, some of which need not exist. */
export function rootFilesOf({ ca, trust, authority }: TlsPolicy): string[] {
  const optional = trust === "production" ? undefined : mkcertRoot();
  return [...ca, authority, optional].filter((file) => file !== undefined);
}

function rootsOf(policy: TlsPolicy): string[] {
  return [
    ...(trustsPublicRoots(policy) ? bundledRoots() : []),
    ...(usesSystemRoots(policy) ? (systemRoots ?? []) : []),
    ...namedRootsOf(policy),
  ];
}

/**
 * All but public CAs and the system's own.
 *
 * @param options `extra`: those of `NODE_EXTRA_CA_CERTS`; `warn`: hears that mkcert's root can't be read
 * @throws {EgressError} `tls_certificate_error`
 */
export function namedRootsOf(
  policy: TlsPolicy,
  { extra = extraRoots(), warn = warnOnce }: { extra?: readonly string[]; warn?: (warning: string) => void } = {},
): string[] {
  const { ca, trust, authority } = policy;
  const own = authority === undefined ? Object.values(ORIGIN_CA_ROOTS) : readRoots(authority, "certificates");
  if (trust === "production") return own;
  return [...own, ...extra, ...ca.flatMap((file) => readRoots(file, "ca")), ...readOptionalRoots(mkcertRoot(), warn)];
}

/** The record's own authority takes the place of public CAs. */
export function trustsPublicRoots({ authority }: TlsPolicy): boolean {
  return authority === undefined;
}

/** The system's store also has public CAs. */
function usesSystemRoots(policy: TlsPolicy): boolean {
  return policy.trust !== "production" && trustsPublicRoots(policy);
}

/** @throws {EgressError} `tls_certificate_error` */
function createContext(options: tls.SecureContextOptions): tls.SecureContext {
  try {
    // A file may hold an intermediate, or the target's own certificate.
    return tls.createSecureContext({ ...options, allowPartialTrustChain: true, minVersion: MIN_VERSION });
  } catch (error) {
    throw new EgressError({
      code: "tls_certificate_error",
      detail: `the certificates that the vpc config names can't be used: ${messageOf(error)}`,
      hint: "Replace them.",
    });
  }
}

/** Undefined until they are read. */
let systemRoots: readonly string[] | undefined;
let readingSystem: Promise<void> | undefined;

/** Adds the system's own roots to what `trustOf` returns from now on. */
export function addSystemRoots(): Promise<void> {
  readingSystem ??= readSystem();
  return readingSystem;
}

async function readSystem(): Promise<void> {
  systemRoots = await readSystemRoots();
  readings.clear();
}

/** Not "default": with `--use-system-ca` that includes the system's. */
export function bundledRoots(): readonly string[] {
  return readFromNode("bundled") ?? tls.rootCertificates;
}

/** Those of `NODE_EXTRA_CA_CERTS`. */
export function extraRoots(): readonly string[] {
  return readFromNode("extra") ?? [];
}

/** Available since Node 22.15. */
function readFromNode(store: "bundled" | "extra"): string[] | undefined {
  const read = (tls as Partial<typeof tls>).getCACertificates;
  return read?.(store);
}

/** Where mkcert would keep its root on this machine. Looks in the same order as mkcert. */
export function mkcertRoot(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  if (env["CAROOT"]) return path.join(env["CAROOT"], "rootCA.pem");
  const folder = dataFolder(env, platform);
  return folder && path.join(folder, "mkcert", "rootCA.pem");
}

function dataFolder({ LOCALAPPDATA, XDG_DATA_HOME }: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | undefined {
  if (platform === "win32") return LOCALAPPDATA;
  if (XDG_DATA_HOME) return XDG_DATA_HOME;
  if (platform === "darwin") return path.join(os.homedir(), "Library", "Application Support");
  return path.join(os.homedir(), ".local", "share");
}

/** Never throws. The function that reads the file reports why it can't be read. */
function stampOf(file: string): string {
  try {
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats === undefined ? "" : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
  } catch (error) {
    return messageOf(error);
  }
}

/** Warnings that were already printed. */
const warned = new Set<string>();

/** Reads mkcert's root. No config names it, so if it can't be read, that is only a warning. */
function readOptionalRoots(file: string | undefined, warn: (warning: string) => void): string[] {
  const read = file === undefined ? [] : readCertificates(file);
  if (Array.isArray(read)) return read;
  const warning = `miniflare-vpc: mkcert's root certificate ${file} ${read.text}; certificates from mkcert are not trusted.`;
  // Most machines don't have one.
  if (!read.isMissing) warn(warning);
  return [];
}

function warnOnce(warning: string): void {
  if (!warned.has(warning)) console.warn(warning);
  warned.add(warning);
}

/** Reads a file that the config names. @throws {EgressError} */
function readRoots(file: string, field: "ca" | "certificates"): string[] {
  const read = readCertificates(file);
  if (Array.isArray(read)) return read;
  throw new EgressError({
    code: "tls_certificate_error",
    detail: `the root certificate ${file} ${read.text}`,
    hint: `Restore it, or remove it from "${field}" in the vpc config.`,
  });
}

/** @throws {EgressError} */
function readClient(client: NonNullable<TlsPolicy["client"]>): ClientCertificate {
  const read = readClientCertificate(client);
  if (!("part" in read)) return read;
  const what = read.part === "cert" ? `the client certificate ${client.cert}` : `the private key ${client.key}`;
  throw new EgressError({ code: "tls_certificate_error", detail: `${what} ${read.text}`, hint: read.advice });
}

function describeClient(file: string, { leaf }: ClientCertificate): PresentedCertificate {
  return { file, subject: nameIn(leaf.subject), issuer: nameIn(leaf.issuer) };
}
