/**
 * A "ca" of the vpc config: names of PEM files, which must be there and hold certificates.
 */

import path from "node:path";

import { readCertificates } from "../certificates.ts";
import { type Parsing, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";

/**
 * @param value as written: what is no name in it was reported, and hides no other mistake
 * @returns absolute paths of the files that hold certificates
 */
export function parseCa({ value, at }: { value: unknown; at: Path }, { document, report }: Parsing): string[] {
  const names: unknown[] = Array.isArray(value) ? value : [];
  return names.flatMap((name, index) => {
    if (typeof name !== "string" || name === "") return [];
    const file = path.resolve(document.folder, name);
    const read = readCertificates(file);
    if (Array.isArray(read)) return [file];
    report({
      code: read.code,
      text: `the root certificate ${quote(name)} ${read.text}`,
      at: [...at, index],
      notes: [
        read.code === "ca-not-found"
          ? `It was looked for at ${file}.`
          : "A PEM file has blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
      ],
    });
    return [];
  });
}
