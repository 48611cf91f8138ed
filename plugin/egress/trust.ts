/**
 * Which roots a target's certificate may come from: public CAs, the system's, the Cloudflare Origin CA,
 * mkcert's, and the files a vpc config names. Read when first needed; a changed file is read again within
 * a moment.
 */

import { statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";

import { readCertificates } from "../certificates.ts";
import { EgressError } from "./failure.ts";
import { ORIGIN_CA_ROOTS } from "./origin-ca.ts";

export interface Trust {
  /** Differs whenever the roots do. */
  key: string;
  context: tls.SecureContext;
}

/** What a tunnel speaks; older versions are broken. */
const MIN_VERSION = "TLSv1.2";

/** For a target whose certificate is not looked at. */
let noTrust: Trust | undefined;

export function withoutTrust(): Trust {
  noTrust ??= { key: "none", context: tls.createSecureContext({ minVersion: MIN_VERSION }) };
  return noTrust;
}

/** The last reading of each list of files. `lookedAt`: milliseconds. */
const readings = new Map<string, { lookedAt: number; stamps: string; trust: Trust }>();
let count = 0;

/** Milliseconds for which files are taken for unchanged: to look at them takes a tenth of a small request's time. */
const FRESH = 50;

/**
 * @param files absolute paths of PEM files
 * @throws {EgressError} `tls_certificate_error` for a file that can't be read or holds no certificate
 */
export function trustOf(files: readonly string[]): Trust {
  const list = files.join("\n");
  const known = readings.get(list);
  const lookedAt = performance.now();
  if (known !== undefined && lookedAt - known.lookedAt < FRESH) return known.trust;
  const present = mkcertRoot();
  const all = [...new Set(present === undefined ? files : [...files, present])];
  const stamps = all.map((file) => `${file} ${stampOf(file)}`).join("\n");
  if (known?.stamps === stamps) {
    known.lookedAt = lookedAt;
    return known.trust;
  }
  const context = tls.createSecureContext({
    ca: [...commonRoots(), ...all.flatMap(readRoots)],
    // A file may hold an intermediate, or the very certificate of the target.
    allowPartialTrustChain: true,
    minVersion: MIN_VERSION,
  });
  const trust: Trust = { key: String(++count), context };
  readings.set(list, { lookedAt, stamps, trust });
  return trust;
}

let common: readonly string[] | undefined;

function commonRoots(): readonly string[] {
  common ??= [...new Set([...nodeRoots(), ...Object.values(ORIGIN_CA_ROOTS)])];
  return common;
}

/** Public ones, those of `NODE_EXTRA_CA_CERTS`, and the system's. */
function nodeRoots(): readonly string[] {
  // Node has it from 22.15 on.
  const read = (tls as Partial<typeof tls>).getCACertificates;
  return read === undefined ? tls.rootCertificates : [...read("default"), ...read("system")];
}

/** Where mkcert keeps its root, if it has made one here. */
function mkcertRoot(): string | undefined {
  const folder = mkcertFolder();
  const file = folder && path.join(folder, "rootCA.pem");
  return file && statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
}

function mkcertFolder(): string | undefined {
  const { CAROOT, LOCALAPPDATA, XDG_DATA_HOME } = process.env;
  if (CAROOT) return CAROOT;
  if (process.platform === "win32") return LOCALAPPDATA && path.join(LOCALAPPDATA, "mkcert");
  if (process.platform === "darwin") return path.join(os.homedir(), "Library", "Application Support", "mkcert");
  return path.join(XDG_DATA_HOME || path.join(os.homedir(), ".local", "share"), "mkcert");
}

function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
}

/** A file as `ca` names it. @throws {EgressError} */
function readRoots(file: string): string[] {
  const read = readCertificates(file);
  if (Array.isArray(read)) return read;
  throw new EgressError({
    code: "tls_certificate_error",
    detail: `the root certificate ${file} ${read.text}`,
    hint: 'Restore it, or take it out of "ca" in the vpc config.',
  });
}
