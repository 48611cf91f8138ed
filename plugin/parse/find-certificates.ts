/**
 * Finds the certificates that a VPC Service's record names by their ids. Cloudflare has them; "certificates" says what
 * they are on this machine. What is missing is one warning, if it makes a difference for any record.
 */

import { type CertificateModel, type ModelTarget, type RecordCertificates, entryKey } from "../model.ts";
import { type Finding, type Parsing, isPlainObject, placeOf, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import type { Checked } from "./check-fields.ts";
import type { ServiceTlsSettings } from "../config.ts";
import {
  CERTIFICATE_EXAMPLES,
  type MissingCertificate,
  type RecordParsing,
  WITHOUT_CERTIFICATE,
} from "./parse-certificates.ts";

interface Named {
  /** Of the record's entry. */
  at: Path;
  type?: "http" | "tcp" | undefined;
  /** The record has "http_port" only, so that its calls are plain HTTP. */
  isPlain?: boolean;
  target: ModelTarget | undefined;
}

export function findCertificates(
  tls: Checked<ServiceTlsSettings> | null | undefined,
  named: Named,
  parsing: RecordParsing,
): RecordCertificates {
  const { at } = named;
  const authority = tls?.certificate_authority ?? undefined;
  const presented = tls?.client_certificate ?? undefined;
  for (const id of [authority, presented]) if (id !== undefined) parsing.certificates?.named.add(entryKey(id));
  if (authority !== undefined && tls?.cert_verification_mode === "disabled") {
    parsing.report({
      code: "authority-unused",
      text: '"certificate_authority" cannot be used with "cert_verification_mode": "disabled"',
      at: [...at, "tls_settings", "certificate_authority"],
      part: "key",
      notes: ['Production refuses it. Write "verify_full" or "verify_ca", or remove the authority.'],
    });
    return {};
  }
  const roots = find("certificate_authority", authority, { ...named, parsing });
  const client = find("client_certificate", presented, { ...named, parsing });
  const wanted = [
    { field: "certificate_authority", id: authority },
    { field: "client_certificate", id: presented },
  ] as const;
  const missing = wanted.flatMap(({ field, id }) =>
    id !== undefined && parsing.certificates?.entries.has(entryKey(id)) === false ? [{ field, id }] : [],
  );
  return {
    ...(roots?.kind === "authority" && { authority: roots.file }),
    ...(client?.kind === "client" && { client: { cert: client.cert, key: client.key } }),
    ...(missing.length > 0 && { missing }),
  };
}

const KINDS = {
  certificate_authority: "authority",
  client_certificate: "client",
} as const;

type Field = keyof typeof KINDS;

function find(
  field: Field,
  id: string | undefined,
  { at, type, isPlain = false, target, parsing }: Named & { parsing: RecordParsing },
): CertificateModel | undefined {
  const { document, report, certificates } = parsing;
  if (id === undefined || certificates === undefined) return undefined;
  const found = certificates.entries.get(entryKey(id));
  const kind = KINDS[field];
  if (found !== undefined) {
    if (found.kind === kind || found.kind === "broken") return found;
    const other = found.kind === "authority" ? "an authority" : "a client certificate";
    report({
      code: "wrong-certificate",
      text: `${quote(field)} is ${quote(id)}, which is ${other} on ${placeOf(document, found.at)}`,
      ...placeOfField({ at, field }),
      notes: [`Write ${lineFor({ field, id })}.`],
    });
  } else if (type !== "tcp" && (!isPlain || speaksTlsOnly(target)) && mayUseTls(target)) {
    certificates.missing.push({ field, id, at });
  }
  return undefined;
}

/** Reports each missing certificate once. If there is no section yet, all notes say the same. */
export function reportMissing(missing: readonly MissingCertificate[], { document, report }: Parsing): void {
  const hasSection = isPlainObject(document.value) && document.value["certificates"] !== undefined;
  const lines = new Map(missing.map((each) => [entryKey(each.id), lineFor(each)]));
  const section = `Add "certificates": { ${[...lines.values()].join(", ")} } to this file.`;
  for (const uses of Map.groupBy(missing, ({ field, id }) => `${field} ${entryKey(id)}`).values()) {
    const [first] = uses;
    if (first === undefined) continue;
    const { field, id } = first;
    const users = uses.length === 1 ? "" : ` of ${uses.map(({ at }) => quote(at[1])).join(", ")}`;
    report({
      severity: "warning",
      code: "missing-certificate",
      text: `${quote(field)}${users} is ${quote(id)}, which "certificates" doesn't have: ${WITHOUT_CERTIFICATE[field]}`,
      ...placeOfField(first),
      notes: [hasSection ? `Add ${lineFor(first)} to "certificates".` : section],
    });
  }
}

function placeOfField({ at, field }: Omit<MissingCertificate, "id">): Pick<Finding, "at" | "part"> {
  return { at: [...at, "tls_settings", field], part: "key" };
}

function lineFor({ field, id }: Omit<MissingCertificate, "at">): string {
  return `${quote(id)}: ${CERTIFICATE_EXAMPLES[field]}`;
}

/** Whether the target speaks TLS whatever the URL's scheme is. */
function speaksTlsOnly(target: ModelTarget | undefined): boolean {
  return target?.type === "address" && target.scheme === "https";
}

/** Whether certificates can be exchanged: not with a plain HTTP target, nor with one that is called without a connection. */
function mayUseTls(target: ModelTarget | undefined): boolean {
  if (target === undefined || target.type === "passthrough" || target.type === "unix") return true;
  // What a recording records or falls back to.
  if (target.type === "stand-in" && target.standIn.type === "har" && target.standIn.target !== undefined)
    return mayUseTls(target.standIn.target);
  return target.type === "address" && target.scheme !== "http";
}
