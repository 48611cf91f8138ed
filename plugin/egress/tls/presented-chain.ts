/** Remembers which certificates each target has presented, so that it can be said later which roots vouch for them. */

import { X509Certificate } from "node:crypto";
import type tls from "node:tls";

import { keepNewest } from "../../../service-worker/routing/newest.ts";
import type { DialTarget } from "../connections/dial.ts";

export interface PresentedChain {
  /** SHA-256 fingerprints: the target's own, then those of its issuers, as far as they are known here. */
  fingerprints: string[];
  /** The target's own certificate is that of an authority. */
  isAuthority: boolean;
  /** TLS 1.3, or a cipher of TLS 1.2 that it could have, and keys that workerd's TLS knows. */
  isModern: boolean;
}

/** The newest of each target, newest last. */
const chains = new Map<string, PresentedChain>();
const MAX_CHAINS = 1000;

/** @param socket after a full handshake whose certificate was accepted for the host */
export function keepChain(target: DialTarget, hostName: string, socket: tls.TLSSocket): void {
  const certificate = socket.getPeerCertificate(true);
  const chain = chainFrom(certificate);
  const value = {
    fingerprints: chain.map(({ fingerprint256 }) => fingerprint256),
    isAuthority: certificate.ca,
    isModern: isModern(socket) && chain.every(hasCommonKey),
  };
  keepNewest(chains, keyOf(target, hostName), { value, max: MAX_CHAINS });
}

export function chainOf(target: DialTarget, hostName: string): PresentedChain | undefined {
  return chains.get(keyOf(target, hostName));
}

function keyOf(target: DialTarget, hostName: string): string {
  return JSON.stringify([target, hostName]);
}

/** A root is its own issuer. */
function chainFrom(certificate: tls.DetailedPeerCertificate): tls.DetailedPeerCertificate[] {
  const found = new Map<string, tls.DetailedPeerCertificate>();
  let next: tls.DetailedPeerCertificate | undefined = certificate;
  while (next?.fingerprint256 !== undefined && !found.has(next.fingerprint256)) {
    found.set(next.fingerprint256, next);
    next = next.issuerCertificate;
  }
  return [...found.values()];
}

/** Not Ed448 or RSASSA-PSS, which OpenSSL knows, too. */
const COMMON_KEYS: ReadonlySet<string | undefined> = new Set(["rsa", "ec", "ed25519"]);

function hasCommonKey({ raw }: tls.DetailedPeerCertificate): boolean {
  return COMMON_KEYS.has(new X509Certificate(raw).publicKey.asymmetricKeyType);
}

/** Forward secrecy and authenticated encryption (RFC 9325 §4.2). */
const MODERN = /^ECDHE-(ECDSA|RSA)-.*(GCM|POLY1305)/;

function isModern(socket: tls.TLSSocket): boolean {
  return socket.getProtocol() === "TLSv1.3" || MODERN.test(socket.getCipher().name);
}
