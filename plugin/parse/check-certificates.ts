/**
 * Checks the certificates that a VPC Service's record names by their ids. Only Cloudflare has these certificates, so a
 * warning says what to use on this machine instead, wherever it makes a difference.
 */

import type { ModelTarget } from "../model.ts";
import type { Parsing } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import type { Checked } from "./check-fields.ts";
import type { TargetEntry } from "../config.ts";

export function checkCertificates(
  { tls_settings: tls, ca }: Checked<Pick<TargetEntry, "tls_settings" | "ca">>,
  { at, target }: { at: Path; target: ModelTarget | undefined },
  { report }: Parsing,
): void {
  const authority = tls?.certificate_authority ?? undefined;
  if (authority !== undefined && tls?.cert_verification_mode === "disabled") {
    report({
      code: "authority-unused",
      text: '"certificate_authority" cannot be used with "cert_verification_mode": "disabled"',
      at: [...at, "tls_settings", "certificate_authority"],
      part: "key",
      notes: ['Production refuses it. Write "verify_full" or "verify_ca", or remove the authority.'],
    });
    return;
  }
  if (!mayUseTls(target)) return;
  const warn = (field: string, note: string): void =>
    report({
      severity: "warning",
      code: "certificate-without-effect",
      text: `"${field}" has no effect on this machine yet`,
      at: [...at, "tls_settings", field],
      part: "key",
      notes: [note],
    });
  if (authority !== undefined && (ca ?? []).length === 0) {
    warn(
      "certificate_authority",
      'Name the PEM file of the authority in "ca": ["./authority.pem"], beside "tls_settings".',
    );
  }
  if ((tls?.client_certificate ?? undefined) !== undefined) {
    warn(
      "client_certificate",
      'No client certificate is sent. Use a target that works without one, or plain HTTP: "target": "http://localhost:3001".',
    );
  }
}

/** Whether certificates can be exchanged: not with a plain HTTP target, nor with one that is called without a connection. */
function mayUseTls(target: ModelTarget | undefined): boolean {
  if (target === undefined || target.type === "passthrough") return true;
  return target.type === "address" && target.scheme !== "http";
}
