/**
 * The roots that may issue a target's certificate: public CAs, the Cloudflare Origin CA, mkcert's, and the files that
 * a vpc config names. They are read when first needed, and a changed file is read again within a moment. The system's
 * own roots take seconds to read, so they are added only after a certificate was refused without them.
 */

import { statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";

import { readCertificates } from "../system/certificates.ts";
import { messageOf } from "../system/error.ts";
import { readSystemRoots } from "../system/system-roots.ts";
import { EgressError } from "./egress-error.ts";
import { ORIGIN_CA_ROOTS } from "./origin-ca.ts";

export interface Trust {
  /** Differs whenever the roots do. */
  key: string;
  context: tls.SecureContext;
  /** Whether the system's own roots are not among them yet. */
  lacksSystemRoots: boolean;
}

/** The oldest version that a tunnel speaks. Older ones are broken. */
const MIN_VERSION = "TLSv1.2";

/** For targets whose certificate isn't checked. */
let unchecked: Trust | undefined;

export function trustUnchecked(): Trust {
  unchecked ??= {
    key: "none",
    context: tls.createSecureContext({ minVersion: MIN_VERSION }),
    lacksSystemRoots: false,
  };
  return unchecked;
}

/** The last result for each list of files. `lookedAt`: milliseconds. */
const readings = new Map<string, { lookedAt: number; stamps: string; trust: Trust }>();
let count = 0;

/** Milliseconds between two looks at the files, so that not every request pays for one. */
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
  const optional = mkcertRoot();
  const stamps = [...files, optional ?? ""].map((file) => `${file} ${stampOf(file)}`).join("\n");
  if (known?.stamps === stamps) {
    known.lookedAt = lookedAt;
    return known.trust;
  }
  const context = tls.createSecureContext({
    ca: [...commonRoots(), ...files.flatMap(readRoots), ...readOptionalRoots(optional)],
    // A file may hold an intermediate, or the target's own certificate.
    allowPartialTrustChain: true,
    minVersion: MIN_VERSION,
  });
  const trust: Trust = { key: String(++count), context, lacksSystemRoots: systemRoots === undefined };
  readings.set(list, { lookedAt, stamps, trust });
  return trust;
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
  common = undefined;
  readings.clear();
}

let common: readonly string[] | undefined;

function commonRoots(): readonly string[] {
  common ??= [...new Set([...nodeRoots(), ...Object.values(ORIGIN_CA_ROOTS), ...(systemRoots ?? [])])];
  return common;
}

/** Public roots, and those of `NODE_EXTRA_CA_CERTS`. Not "default": with `--use-system-ca` that includes the system's. */
function nodeRoots(): readonly string[] {
  // Available since Node 22.15.
  const read = (tls as Partial<typeof tls>).getCACertificates;
  return read === undefined ? tls.rootCertificates : [...read("bundled"), ...read("extra")];
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
function readOptionalRoots(file: string | undefined): string[] {
  const read = file === undefined ? [] : readCertificates(file);
  if (Array.isArray(read)) return read;
  const warning = `miniflare-vpc: mkcert's root certificate ${file} ${read.text}; certificates from mkcert are not trusted.`;
  // Most machines don't have one.
  if (!read.isMissing && !warned.has(warning)) console.warn(warning);
  warned.add(warning);
  return [];
}

/** Reads a file that `ca` names. @throws {EgressError} */
function readRoots(file: string): string[] {
  const read = readCertificates(file);
  if (Array.isArray(read)) return read;
  throw new EgressError({
    code: "tls_certificate_error",
    detail: `the root certificate ${file} ${read.text}`,
    hint: 'Restore it, or remove it from "ca" in the vpc config.',
  });
}
