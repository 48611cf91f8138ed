/**
 * Explains what is wrong with a target's TLS: its certificate, or the handshake.
 */

import net from "node:net";
import type { PeerCertificate } from "node:tls";

import type { EgressFailure } from "../../../service-worker/routing/egress-protocol.ts";
import type { TlsPolicy } from "../../../service-worker/routing/table.ts";
import type { PresentedCertificate } from "../../system/certificates.ts";

/** Whether a certificate's only name is its common name, which doesn't count (RFC 9525 §6.3). */
export function isOnlyCommon({ subjectaltname }: PeerCertificate): boolean {
  return !/(^|, )(DNS|IP Address):/.test(subjectaltname ?? "");
}

/** @param hostName what the certificate should be for */
export function describeHostMismatch(hostName: string, certificate: PeerCertificate): EgressFailure {
  return {
    code: "tls_certificate_error",
    detail: `the target's certificate ${explainMismatch(hostName, certificate)}`,
    hint: `Issue one for ${hostName} ("mkcert ${hostName}" does), or write "tls_settings": { "cert_verification_mode": "verify_ca" } if production has it.`,
  };
}

function explainMismatch(hostName: string, certificate: PeerCertificate): string {
  const { subjectaltname = "", subject } = certificate;
  if (isOnlyCommon(certificate)) {
    return `has only a common name, ${JSON.stringify(subject?.CN ?? "")}; only a subject alternative name counts`;
  }
  const entries = subjectaltname.split(", ");
  if (net.isIP(hostName) !== 0 && entries.includes(`DNS:${hostName}`)) {
    return `has ${hostName} as a DNS name; an address counts only as an IP address`;
  }
  const wildcard = `*.${hostName.slice(hostName.indexOf(".") + 1)}`;
  const names = entries.map((entry) => entry.replace(/^(DNS|IP Address):/, "")).join(", ");
  if (wildcard.split(".").length === 2 && entries.includes(`DNS:${wildcard}`)) {
    return `is for ${names}; a wildcard right below the top level matches no name, ${hostName} included`;
  }
  return `is for ${names}, not for ${hostName}`;
}

/**
 * @param problem OpenSSL's name for the problem, as in Node's `X509 certificate error codes`
 * @param certificate of the target itself
 */
export function describeChainProblem(
  problem: string,
  certificate: PeerCertificate,
  policy: Pick<TlsPolicy, "authority" | "trust">,
): EgressFailure {
  return { code: "tls_certificate_error", ...explainChain(problem, certificate, policy) };
}

/** Whether another root could solve the problem. @param problem as for `describeChainProblem` */
export function lacksRoot(problem: string): boolean {
  return problem === SELF_SIGNED || UNKNOWN_ISSUER.has(problem);
}

const SELF_SIGNED = "DEPTH_ZERO_SELF_SIGNED_CERT";
const UNKNOWN_ISSUER: ReadonlySet<string> = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

const DISABLE = 'write "tls_settings": { "cert_verification_mode": "disabled" } if production has it.';

/** @param advice a list of what else to do. With an authority of the record, "disabled" is refused, as in production. */
function adviseOn(advice: readonly string[], { authority }: Pick<TlsPolicy, "authority">): string {
  const all = authority === undefined ? [...advice, DISABLE] : advice;
  const hint = all.join(", or ");
  return `${hint.slice(0, 1).toUpperCase()}${hint.slice(1)}${hint.endsWith(".") ? "" : "."}`;
}

/** @param file what to name in the vpc config */
function toTrust(file: string, { authority, trust }: Pick<TlsPolicy, "authority" | "trust">): string {
  if (authority !== undefined)
    return `put ${file} into ${authority}, which stands for the "certificate_authority" of the record`;
  if (trust === undefined) return `name ${file} in "ca" of the vpc config`;
  return 'with "trust": "production", only public CAs and the Cloudflare Origin CA count: reach it as a VPC Service whose record has a "certificate_authority", as production needs it too (a VPC Network can\'t have one)';
}

function explainChain(
  problem: string,
  certificate: PeerCertificate,
  policy: Pick<TlsPolicy, "authority" | "trust">,
): { detail: string; hint: string } {
  const own = "the target's certificate";
  const { valid_from: from, valid_to: to, issuer } = certificate;
  if (UNKNOWN_ISSUER.has(problem)) {
    return {
      detail: `${own} was issued by ${JSON.stringify(issuer?.CN ?? issuer?.O ?? "nobody")}, and no trusted root vouches for it`,
      hint: adviseOn(
        [toTrust("the PEM file of its root", policy), "make the target send its intermediate certificates"],
        policy,
      ),
    };
  }
  switch (problem) {
    case "CERT_HAS_EXPIRED": {
      const isOwn = Date.parse(to) < Date.now();
      return {
        detail: isOwn ? `${own} expired on ${to}` : `a certificate that vouches for the target's has expired`,
        hint: adviseOn(["renew it"], policy),
      };
    }
    case "CERT_NOT_YET_VALID": {
      const isOwn = Date.parse(from) > Date.now();
      return {
        detail: isOwn
          ? `${own} isn't valid before ${from}`
          : `a certificate that vouches for the target's is not valid yet`,
        hint: "Check this machine's clock and that of the machine that issued it.",
      };
    }
    case SELF_SIGNED:
      return {
        detail: `${own} is self-signed and not trusted here`,
        hint: adviseOn([toTrust("its PEM file", policy)], policy),
      };
    case "CERT_REVOKED":
      return { detail: `${own} was revoked`, hint: adviseOn(["replace it"], policy) };
    default:
      return { detail: `${own} was not accepted: ${problem}`, hint: adviseOn(["replace it"], policy) };
  }
}

/** An error of OpenSSL's. `reason` is its own text. */
export type TlsError = Error & { code: string; reason?: unknown };

/** Whether an error comes from OpenSSL rather than the system. */
export function isTlsError(error: unknown): error is TlsError {
  if (!(error instanceof Error && "code" in error && typeof error.code === "string")) return false;
  return error.code.startsWith("ERR_SSL_") || error.code === "EPROTO";
}

/** What a target gets if it asks for a client certificate. */
export interface Presented {
  client?: PresentedCertificate | undefined;
  /** The record's "client_certificate", if "certificates" doesn't have it: then none is presented. */
  missingClient?: string | undefined;
}

/** What a policy presents. */
export function presentedBy(client: PresentedCertificate | undefined, { missing = [] }: TlsPolicy): Presented {
  return { client, missingClient: missing.find(({ field }) => field === "client_certificate")?.id };
}

/**
 * @param error of a handshake, or of the connection later on
 * @param presented `client`: what the target got if it asked; `isAsked`: the target is known to have asked
 */
export function describeProtocolError(
  error: TlsError,
  presented: Presented & { isAsked?: boolean } = {},
): EgressFailure {
  const detail = typeof error.reason === "string" ? error.reason : error.message;
  const explained = explainClient(error.code, presented) ?? explainProtocol(error.code);
  return { code: "tls_protocol_error", detail, ...explained };
}

/** The target hung up during the handshake, before it asked for a client certificate. */
export function describeHangUp(): EgressFailure {
  return {
    code: "tls_protocol_error",
    detail: "the target closed the connection during the TLS handshake",
    hint: SPEAKS_TLS,
  };
}

/** The target ended or reset the connection in place of a TLS alert or an answer. Without a `client`, it asked for one, and got none. */
export function describeReset({ client, missingClient }: Presented): EgressFailure {
  const hint =
    client === undefined
      ? `It asked for a client certificate and got none. ${toPresent(missingClient)}`
      : `If it checks client certificates, it may have refused ${nameOf(client)}. Look into its log.`;
  return { code: "connection_terminated", detail: "the target closed the connection before it answered", hint };
}

function nameOf({ subject, file }: PresentedCertificate): string {
  return `${JSON.stringify(subject)} of ${file}`;
}

/** Why a target refuses a client certificate, by the name of its alert (RFC 8446 §6.2). */
const REFUSALS: Record<string, (client: PresentedCertificate) => string> = {
  BAD_CERTIFICATE: () => "it can't verify it",
  UNSUPPORTED_CERTIFICATE: () => "it doesn't support its kind",
  CERTIFICATE_REVOKED: () => "it was revoked",
  CERTIFICATE_EXPIRED: () => "it has expired, or isn't valid yet",
  CERTIFICATE_UNKNOWN: () => "it doesn't say why",
  CERTIFICATE_REQUIRED: () => "it doesn't take a key of its kind",
  UNKNOWN_CA: ({ issuer }) => `it doesn't know its issuer ${JSON.stringify(issuer)}`,
  ACCESS_DENIED: () => "it has no access",
};

function toPresent(missing: string | undefined): string {
  return missing === undefined
    ? 'Give the record of a VPC Service a "client_certificate", and name its files in "certificates" of the vpc config.'
    : `"certificates" of the vpc config doesn't have the record's "client_certificate". Add "${missing}": { "cert": "./client.pem", "key": "./client.key" }.`;
}

/** @returns undefined if the alert is not about a client certificate */
function explainClient(
  code: string,
  { client, missingClient, isAsked = false }: Presented & { isAsked?: boolean },
): { detail: string; hint: string } | undefined {
  // OpenSSL names an alert in different ways: ERR_SSL_SSLV3_ALERT_…, ERR_SSL_TLSV13_ALERT_…, ERR_SSL_SSL/TLS_ALERT_….
  const [, alert = ""] = /_ALERT_(.+)$/.exec(code) ?? [];
  if (client === undefined) {
    // In TLS 1.2, the alert for a missing certificate is one of two that can mean anything.
    const isMissing =
      alert === "CERTIFICATE_REQUIRED" || (isAsked && (alert === "HANDSHAKE_FAILURE" || alert === "BAD_CERTIFICATE"));
    return isMissing
      ? { detail: "the target requires a client certificate", hint: toPresent(missingClient) }
      : undefined;
  }
  // A target that has asked has also chosen a cipher, so only the certificate can be missing.
  const isMissing = isAsked && alert === "HANDSHAKE_FAILURE";
  const why = REFUSALS[isMissing ? "CERTIFICATE_REQUIRED" : alert]?.(client);
  if (why === undefined) return undefined;
  return {
    detail: `the target refuses the client certificate ${nameOf(client)}: ${why}`,
    hint: 'Name another one in "certificates" of the vpc config, or make the target accept this one.',
  };
}

const SPEAKS_TLS = 'Check that it speaks TLS at this port. If it speaks plain HTTP, write "http://host:port".';

function explainProtocol(code: string): { detail: string; hint: string } | undefined {
  switch (code) {
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return { detail: "the target's answer isn't TLS", hint: SPEAKS_TLS };
    case "ERR_SSL_UNSUPPORTED_PROTOCOL":
    case "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION":
      return {
        detail: "the target and this proxy have no TLS version in common",
        hint: "Turn on TLS 1.2 or 1.3 in the target.",
      };
    case "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL":
      return { detail: "the target does not speak HTTP/1.1 over TLS", hint: "Turn HTTP/1.1 on in it." };
    case "ERR_SSL_TLSV1_UNRECOGNIZED_NAME":
    case "ERR_SSL_TLSV1_ALERT_UNRECOGNIZED_NAME":
      return {
        detail: "the target has no certificate for the URL's host",
        hint: "Give it one, or use a host in the URL that it has a certificate for.",
      };
    default:
      return undefined;
  }
}
