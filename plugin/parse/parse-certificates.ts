/**
 * Parses "certificates": what each id in the records is on this machine. The files must exist, and a key must fit its
 * certificate.
 */

import { X509Certificate } from "node:crypto";
import path from "node:path";

import { type CertificateModel, entryKey, isUuid } from "../model.ts";
import { type Parsing, isPlainObject, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { findKeyProblem, readCertificates, readClientCertificate } from "../system/certificates.ts";
import { checkFields } from "./check-fields.ts";
import { authorityFields, clientCertificateFields } from "./config-schema.ts";
import { isFileName } from "./file-name.ts";
import { reportSameId } from "./same-id.ts";

/** What parsing a record needs of the rest of its config. */
export interface RecordParsing extends Parsing {
  /** Absent: the config isn't known, so none of them is reported as missing. */
  certificates?: KnownCertificates;
}

export interface KnownCertificates {
  /** By `entryKey`. */
  entries: ReadonlyMap<string, CertificateModel>;
  /** Collects what records name, as `entryKey`. */
  named: Set<string>;
  /** Collects what `entries` lacks where it makes a difference. */
  missing: MissingCertificate[];
}

export interface MissingCertificate {
  field: keyof typeof WITHOUT_CERTIFICATE;
  id: string;
  /** Of the record's entry. */
  at: Path;
}

/** As they are written in notes. */
const CLIENT_EXAMPLE = '{ "cert": "./client.pem", "key": "./client.key" }';
const AUTHORITY_EXAMPLE = '{ "ca": "./authority.pem" }';
/** What happens if "certificates" doesn't have what a field of a record names. */
export const WITHOUT_CERTIFICATE = {
  certificate_authority: "the usual roots are trusted in its place",
  client_certificate: "no client certificate is presented",
} as const;
export const CERTIFICATE_EXAMPLES: Record<keyof typeof WITHOUT_CERTIFICATE, string> = {
  certificate_authority: AUTHORITY_EXAMPLE,
  client_certificate: CLIENT_EXAMPLE,
};

/** @returns by `entryKey` */
export function parseCertificates(
  entries: Record<string, unknown> | undefined,
  parsing: Parsing,
): Map<string, CertificateModel> {
  const parsed = new Map<string, CertificateModel>();
  for (const [id, value] of Object.entries(entries ?? {})) {
    // An undefined entry of a vpc.config.ts was left out on purpose.
    if (value === undefined) continue;
    const at = ["certificates", id];
    const earlier = parsed.get(entryKey(id));
    if (earlier !== undefined) {
      reportSameId({ key: id, at, earlier: earlier.at }, parsing);
    } else if (isUuid(id)) parsed.set(entryKey(id), { at, ...parseCertificate(value, at, parsing) });
    else {
      parsing.report({
        code: "invalid-certificate-id",
        text: `the key ${quote(id)} of "certificates" must be a uuid`,
        at,
        part: "key",
        notes: ['Write the id that "certificate_authority" or "client_certificate" of a record has.'],
      });
    }
  }
  return parsed;
}

type Parsed = CertificateModel extends infer Model ? (Model extends { at: Path } ? Omit<Model, "at"> : never) : never;

const BROKEN = { kind: "broken" } as const;

function parseCertificate(value: unknown, at: Path, parsing: Parsing): Parsed {
  if (!isPlainObject(value)) {
    parsing.report({
      code: "invalid-certificate",
      text: `the certificate is ${quote(value)}, but must be an object`,
      at,
      notes: [`Write ${CLIENT_EXAMPLE}, or ${AUTHORITY_EXAMPLE} for an authority.`],
    });
    return BROKEN;
  }
  const isAuthority = value["ca"] !== undefined;
  const isClient = value["cert"] !== undefined || value["key"] !== undefined;
  if (isAuthority === isClient) {
    const text = isClient
      ? '"ca" cannot be used with "cert" and "key"'
      : 'the certificate has neither "ca" nor "cert" and "key"';
    parsing.report({
      code: "invalid-certificate",
      text,
      at,
      part: "key",
      notes: [`A client certificate is ${CLIENT_EXAMPLE}, and an authority is ${AUTHORITY_EXAMPLE}.`],
    });
    return BROKEN;
  }
  const named: Named = { at, fileOf: (field, name) => fileNamed(name, { at, field }, parsing) };
  return isAuthority ? parseAuthority(value, named, parsing) : parseClient(value, named, parsing);
}

interface Named {
  at: Path;
  /** The absolute path of a file that a field names. Undefined: the field is missing or wrong, which is reported. */
  fileOf: (field: FileField, name: string | undefined) => string | undefined;
}

function parseAuthority(value: Record<string, unknown>, { at, fileOf }: Named, parsing: Parsing): Parsed {
  const entry = checkFields({ fields: authorityFields, what: "an authority", value, at }, parsing);
  const file = fileOf("ca", entry.ca);
  if (file === undefined) return BROKEN;
  const read = readCertificates(file);
  if (Array.isArray(read)) {
    const dates = read.map((pem) => new X509Certificate(pem).validTo);
    if (dates.every((date) => Date.parse(date) < Date.now())) {
      parsing.report({
        severity: "warning",
        code: "certificate-expired",
        text: `the authority ${quote(entry.ca)} expired on ${dates[0]}`,
        at: [...at, "ca"],
        notes: ["No target's certificate is accepted with it. Renew it."],
      });
    }
    return { kind: "authority", file };
  }
  parsing.report({
    code: read.code,
    text: `the authority ${quote(entry.ca)} ${read.text}`,
    at: [...at, "ca"],
    notes: [
      read.code === "ca-not-found"
        ? `Its full path is ${file}.`
        : "A PEM file has blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
    ],
  });
  return BROKEN;
}

function parseClient(value: Record<string, unknown>, { at, fileOf }: Named, parsing: Parsing): Parsed {
  const entry = checkFields({ fields: clientCertificateFields, what: "a client certificate", value, at }, parsing);
  const cert = fileOf("cert", entry.cert);
  const key = fileOf("key", entry.key);
  if (cert === undefined || key === undefined) return BROKEN;
  const read = readClientCertificate({ cert, key });
  if ("part" in read) {
    const ofKey = read.part === "cert" ? findKeyProblem(key) : undefined;
    for (const { part, code, text, advice } of ofKey === undefined ? [read] : [read, ofKey]) {
      const what = part === "cert" ? "the client certificate" : "the private key";
      parsing.report({ code, text: `${what} ${quote(entry[part])} ${text}`, at: [...at, part], notes: [advice] });
    }
    return BROKEN;
  }
  const { validFrom: begins, validTo: expires } = read.leaf;
  if (Date.parse(begins) > Date.now()) {
    parsing.report({
      severity: "warning",
      code: "certificate-not-yet-valid",
      text: `the client certificate ${quote(entry.cert)} isn't valid before ${begins}`,
      at: [...at, "cert"],
      notes: ["A target that checks it refuses it until then. Check this machine's clock."],
    });
  }
  if (Date.parse(expires) < Date.now()) {
    parsing.report({
      severity: "warning",
      code: "certificate-expired",
      text: `the client certificate ${quote(entry.cert)} expired on ${expires}`,
      at: [...at, "cert"],
      notes: ["A target that checks it refuses it. Renew it."],
    });
  }
  return { kind: "client", cert, key };
}

type FileField = "ca" | "cert" | "key";

const EXAMPLES = { ca: "./authority.pem", cert: "./client.pem", key: "./client.key" } as const;

/** The absolute path of the file that a field names. */
function fileNamed(
  name: string | undefined,
  { at, field }: { at: Path; field: FileField },
  parsing: Parsing,
): string | undefined {
  const place = [...at, field];
  if (name === undefined || !isFileName({ name, at: place, what: quote(field), example: EXAMPLES[field] }, parsing))
    return undefined;
  const file = path.resolve(parsing.document.folder, name);
  parsing.namedFiles.add(file);
  return file;
}
