/**
 * Reads the PEM files that a vpc config names in "ca": once when the config is checked, and again
 * whenever they are needed and have changed.
 */

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

import { hasCode, messageOf } from "./error.ts";

export interface CertificateProblem {
  code: "ca-not-found" | "ca-invalid";
  /** As a clause that follows the file's name. */
  text: string;
}

/** RFC 7468 §5. */
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/** @returns every certificate in the file as PEM, at least one; or why there is none */
export function readCertificates(file: string): string[] | CertificateProblem {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return { code: "ca-not-found", text: "does not exist" };
    if (hasCode(error, "EISDIR")) return { code: "ca-not-found", text: "is not a file" };
    return { code: "ca-not-found", text: `can't be read: ${messageOf(error)}` };
  }
  const certificates = content.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) return { code: "ca-invalid", text: "holds no certificate in PEM form" };
  try {
    return certificates.map((certificate) => new X509Certificate(certificate).toString());
  } catch (error) {
    return { code: "ca-invalid", text: `holds a certificate that can't be read: ${messageOf(error)}` };
  }
}
