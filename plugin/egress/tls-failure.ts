/**
 * Explains what is wrong with a target's TLS: its certificate, or the handshake.
 */

import net from "node:net";
import type { PeerCertificate } from "node:tls";

import type { EgressFailure } from "../../service-worker/routing/egress-protocol.ts";

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
export function describeChainProblem(problem: string, certificate: PeerCertificate): EgressFailure {
  return { code: "tls_certificate_error", ...explainChain(problem, certificate) };
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

const OR_DISABLE = 'write "tls_settings": { "cert_verification_mode": "disabled" } if production has it.';

function explainChain(problem: string, certificate: PeerCertificate): { detail: string; hint: string } {
  const own = "the target's certificate";
  const { valid_from: from, valid_to: to, issuer } = certificate;
  if (UNKNOWN_ISSUER.has(problem)) {
    return {
      detail: `${own} was issued by ${JSON.stringify(issuer?.CN ?? issuer?.O ?? "nobody")}, and no trusted root vouches for it`,
      hint: `Name the PEM file of its root in "ca" of the vpc config (and make the target send its intermediate certificates), or ${OR_DISABLE}`,
    };
  }
  switch (problem) {
    case "CERT_HAS_EXPIRED": {
      const isOwn = Date.parse(to) < Date.now();
      return {
        detail: isOwn ? `${own} expired on ${to}` : `a certificate that vouches for the target's has expired`,
        hint: `Renew it, or ${OR_DISABLE}`,
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
        hint: `Name its PEM file in "ca" of the vpc config, or ${OR_DISABLE}`,
      };
    case "CERT_REVOKED":
      return { detail: `${own} was revoked`, hint: `Replace it, or ${OR_DISABLE}` };
    default:
      return { detail: `${own} was not accepted: ${problem}`, hint: `Replace it, or ${OR_DISABLE}` };
  }
}

/** Whether an error's code comes from OpenSSL rather than the system. */
export function isTlsCode(code: string): boolean {
  return code.startsWith("ERR_SSL_") || code === "EPROTO";
}

/**
 * @param error of a handshake, or of the connection later on, with a code that `isTlsCode` accepts;
 *   `reason` is OpenSSL's own text
 */
export function describeProtocolError(error: { code: string; message: string; reason?: unknown }): EgressFailure {
  const detail = typeof error.reason === "string" ? error.reason : error.message;
  return { code: "tls_protocol_error", detail, ...explainProtocol(error.code) };
}

/** The target hung up during the handshake. */
export function describeHangUp(): EgressFailure {
  return {
    code: "tls_protocol_error",
    detail: "the target closed the connection during the TLS handshake",
    hint: SPEAKS_TLS,
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
    case "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED":
      return {
        detail: "the target requires a client certificate",
        hint: "A VPC binding has none, in production either. Change the target to accept connections without one.",
      };
    default:
      return undefined;
  }
}
