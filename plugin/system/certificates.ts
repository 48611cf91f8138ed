/**
 * Reads the PEM files that a vpc config names in "ca": when the config is checked, and again when they
 * are needed and have changed.
 */

import { X509Certificate } from "node:crypto";
import { hasCode, messageOf } from "./error.ts";
import { readFile } from "../read/read-file.ts";

export interface CertificateProblem {
  code: "ca-not-found" | "ca-invalid";
  /** As a clause that follows the file's name. */
  text: string;
  /** The file does not exist. */
  isMissing?: boolean;
}

/** RFC 7468 §5. */
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/** @returns every certificate in the file as PEM, at least one; or why there is none */
export function readCertificates(file: string): string[] | CertificateProblem {
  let content: string;
  try {
    content = readFile(file).toString();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return { code: "ca-not-found", text: "does not exist", isMissing: true };
    if (hasCode(error, "EISDIR")) return { code: "ca-not-found", text: "is not a file" };
    return { code: "ca-not-found", text: `can't be read: ${messageOf(error)}` };
  }
  const certificates = content.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) return { code: "ca-invalid", text: "contains no certificate in PEM form" };
  try {
    return certificates.map((certificate) => new X509Certificate(certificate).toString());
  } catch (error) {
    return { code: "ca-invalid", text: `contains a certificate that can't be read: ${messageOf(error)}` };
  }
}
