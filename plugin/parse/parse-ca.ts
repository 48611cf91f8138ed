/**
 * Parses a "ca" of the vpc config: the names of PEM files, which must exist and contain certificates.
 */

import path from "node:path";

import { readCertificates } from "../system/certificates.ts";
import { type Parsing, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { isFileName } from "./file-name.ts";

/**
 * @param value the array as written. Items that aren't names are reported elsewhere and skipped here.
 * @returns absolute paths of the files that contain certificates
 */
export function parseCa(
  { value, at }: { value: unknown; at: Path },
  { document, report, namedFiles }: Parsing,
): string[] {
  const names: unknown[] = Array.isArray(value) ? value : [];
  return names.flatMap((name, index) => {
    if (typeof name !== "string" || name === "") return [];
    const place = { name, at: [...at, index], what: "the root certificate", example: "./root.pem" };
    if (!isFileName(place, { document, report })) return [];
    const file = path.resolve(document.folder, name);
    namedFiles.add(file);
    const read = readCertificates(file);
    if (Array.isArray(read)) return [file];
    report({
      code: read.code,
      text: `the root certificate ${quote(name)} ${read.text}`,
      at: [...at, index],
      notes: [
        read.code === "ca-not-found"
          ? `Its full path is ${file}.`
          : "A PEM file has blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
      ],
    });
    return [];
  });
}
