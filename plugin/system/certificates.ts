/**
 * Reads the PEM files that a vpc config names: when the config is checked, and again when they are needed and have
 * changed. No message quotes what is in a file.
 */

import { type KeyObject, X509Certificate, createPrivateKey } from "node:crypto";
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
  const content = readText(file);
  if (typeof content !== "string") return { code: "ca-not-found", ...content };
  const certificates = content.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) return { code: "ca-invalid", text: "contains no certificate in PEM form" };
  try {
    return certificates.map((certificate) => new X509Certificate(certificate).toString());
  } catch (error) {
    return { code: "ca-invalid", text: `contains a certificate that can't be read: ${messageOf(error)}` };
  }
}

export interface ClientCertificate {
  /** PEM: the certificate itself, then any others of its file. */
  cert: string;
  /** PEM. */
  key: string;
  leaf: X509Certificate;
}

/** A client certificate, for messages. */
export interface PresentedCertificate {
  /** Absolute path. */
  file: string;
  /** Common names, or else whole names. */
  subject: string;
  issuer: string;
}

export interface ClientProblem {
  part: "cert" | "key";
  code: "cert-not-found" | "cert-invalid" | "key-not-found" | "key-invalid" | "key-encrypted" | "key-mismatch";
  /** As a clause that follows the file's name. */
  text: string;
  /** What to do about it. */
  advice: string;
}

const ADVICE_ON_CERTIFICATE = "A PEM file has blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.";
const ADVICE_ON_KEY = "A PEM file has a block from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----.";

/** @param files absolute paths, which may be the same */
export function readClientCertificate(files: { cert: string; key: string }): ClientCertificate | ClientProblem {
  const certificates = readCertificates(files.cert);
  if (!Array.isArray(certificates)) {
    const { text } = certificates;
    return certificates.code === "ca-invalid"
      ? { part: "cert", code: "cert-invalid", text, advice: ADVICE_ON_CERTIFICATE }
      : { part: "cert", code: "cert-not-found", text, advice: `Its full path is ${files.cert}.` };
  }
  const key = readPrivateKey(files.key);
  if ("code" in key) return { part: "key", ...key };
  const leaf = new X509Certificate(certificates[0] ?? "");
  if (!leaf.checkPrivateKey(key.object)) {
    const isLater = certificates.some((other) => new X509Certificate(other).checkPrivateKey(key.object));
    return {
      part: "key",
      code: "key-mismatch",
      text: `is not the key of the certificate ${JSON.stringify(nameIn(leaf.subject))} in ${files.cert}`,
      advice: isLater
        ? "It is the key of a later certificate of that file. Put that one first."
        : "Name the key that the certificate was issued for.",
    };
  }
  return { cert: certificates.join(""), key: key.pem, leaf };
}

/** What is wrong with a private key alone. */
export function findKeyProblem(file: string): ClientProblem | undefined {
  const key = readPrivateKey(file);
  return "code" in key ? { part: "key", ...key } : undefined;
}

/** RFC 7468 §10 and §11, and the older forms of OpenSSL. */
const PRIVATE_KEY = /-----BEGIN ((?:[A-Z]+ )*PRIVATE KEY)-----[^]*?-----END \1-----/;

function readPrivateKey(file: string): { pem: string; object: KeyObject } | Omit<ClientProblem, "part"> {
  const content = readText(file);
  if (typeof content !== "string")
    return { code: "key-not-found", text: content.text, advice: `Its full path is ${file}.` };
  const [pem, label = ""] = PRIVATE_KEY.exec(content) ?? [];
  if (pem === undefined)
    return { code: "key-invalid", text: "contains no private key in PEM form", advice: ADVICE_ON_KEY };
  if (label.startsWith("ENCRYPTED") || pem.includes("Proc-Type: 4,ENCRYPTED")) {
    return {
      code: "key-encrypted",
      text: "is encrypted, and there is no way to give its passphrase",
      advice: `Write a copy without a passphrase: openssl pkey -in ${file} -out client.key`,
    };
  }
  try {
    return { pem, object: createPrivateKey(pem) };
  } catch (error) {
    const text = `contains a private key that can't be read: ${messageOf(error)}`;
    return { code: "key-invalid", text, advice: ADVICE_ON_KEY };
  }
}

/** @param name of Node's `X509Certificate`: a line for each part. @returns its common name, or else the whole name */
export function nameIn(name: string): string {
  return /^CN=(.*)$/m.exec(name)?.[1] ?? name.replaceAll("\n", ", ");
}

function readText(file: string): string | Pick<CertificateProblem, "text" | "isMissing"> {
  try {
    return readFile(file).toString();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return { text: "does not exist", isMissing: true };
    if (hasCode(error, "EISDIR")) return { text: "is not a file" };
    return { text: `can't be read: ${messageOf(error)}` };
  }
}
