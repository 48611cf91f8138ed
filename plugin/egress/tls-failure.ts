/**
 * What is wrong with a target's TLS, in words: with its certificate, or with the handshake.
 */

import type { PeerCertificate } from "node:tls";

import type { EgressFailure } from "../../service-worker/egress-protocol.ts";

/** @param hostName what the certificate should be for */
export function describeHostMismatch(hostName: string, { subjectaltname, subject }: PeerCertificate): EgressFailure {
  const names = (subjectaltname ?? "").split(", ").map((entry) => entry.replace(/^(DNS|IP Address):/, ""));
  const given = names.join(", ") || String(subject?.CN ?? "no name at all");
  return {
    code: "tls_certificate_error",
    detail: `the target's certificate is for ${given}, not for ${hostName}`,
    hint: `Issue one for ${hostName} ("mkcert ${hostName}" does), or write "tls_settings": { "cert_verification_mode": "verify_ca" } if production has it.`,
  };
}

/**
 * @param problem OpenSSL's name for it, as in Node's `X509 certificate error codes`
 * @param certificate the target's own
 */
export function describeChainProblem(problem: string, certificate: PeerCertificate): EgressFailure {
  return { code: "tls_certificate_error", ...explainChain(problem, certificate) };
}

const OR_DISABLE = 'write "tls_settings": { "cert_verification_mode": "disabled" } if production has it.';

function explainChain(problem: string, certificate: PeerCertificate): { detail: string; hint: string } {
  const own = "the target's certificate";
  const { valid_from: from, valid_to: to, issuer } = certificate;
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
          ? `${own} is valid only from ${from} on`
          : `a certificate that vouches for the target's is not valid yet`,
        hint: "Check this machine's clock and that of the machine that issued it.",
      };
    }
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return {
        detail: `${own} is self-signed and not trusted here`,
        hint: `Name its PEM file in "ca" of the vpc config, or ${OR_DISABLE}`,
      };
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return {
        detail: `${own} was issued by ${JSON.stringify(issuer?.CN ?? issuer?.O ?? "nobody")}, which no root trusted here vouches for`,
        hint: `Name the PEM file of its root in "ca" of the vpc config (and have the target send its intermediate certificates), or ${OR_DISABLE}`,
      };
    case "CERT_REVOKED":
      return { detail: `${own} was revoked`, hint: `Replace it, or ${OR_DISABLE}` };
    default:
      return { detail: `${own} was not accepted: ${problem}`, hint: `Replace it, or ${OR_DISABLE}` };
  }
}

/** Whether an error's code is OpenSSL's rather than the system's. */
export function isTlsCode(code: string): boolean {
  return code.startsWith("ERR_SSL_") || code === "EPROTO";
}

/**
 * @param error with a code for which `isTlsCode` holds, of a handshake or of the connection later on;
 *   OpenSSL's own words are its `reason`
 */
export function describeProtocolError(error: { code: string; message: string; reason?: unknown }): EgressFailure {
  const detail = typeof error.reason === "string" ? error.reason : error.message;
  return { code: "tls_protocol_error", detail, ...explainProtocol(error.code) };
}

/** The target hung up in the middle of the handshake. */
export function describeHangUp(): EgressFailure {
  return {
    code: "tls_protocol_error",
    detail: "the target closed the connection during the TLS handshake",
    hint: SPEAKS_TLS,
  };
}

const SPEAKS_TLS = 'Check that it speaks TLS at this port; a plaintext copy is written "http://host:port".';

function explainProtocol(code: string): { detail: string; hint: string } | undefined {
  switch (code) {
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return { detail: "the target's answer is not TLS", hint: SPEAKS_TLS };
    case "ERR_SSL_UNSUPPORTED_PROTOCOL":
    case "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION":
      return {
        detail: "the target and this proxy have no TLS version in common",
        hint: "Have the target speak TLS 1.2 or 1.3.",
      };
    case "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL":
      return { detail: "the target does not speak HTTP/1.1 over TLS", hint: "Turn HTTP/1.1 on in it." };
    case "ERR_SSL_TLSV1_UNRECOGNIZED_NAME":
    case "ERR_SSL_TLSV1_ALERT_UNRECOGNIZED_NAME":
      return {
        detail: "the target has no certificate for the URL's host",
        hint: "Give it one, or use a host that it has one for in the URL.",
      };
    case "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED":
      return {
        detail: "the target wants a certificate of its client",
        hint: "A VPC binding has none, in production either: have the target accept connections without.",
      };
    default:
      return undefined;
  }
}
