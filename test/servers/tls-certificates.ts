/**
 * A certificate authority for tests. Creates valid and invalid X.509 certificates (RFC 5280) with their keys, so that the
 * repository contains none.
 */

import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import net from "node:net";

export interface Certified {
  /** PEM. */
  cert: string;
  /** PEM. */
  key: string;
}

export interface CertificateOptions {
  /** The names and addresses that it is for. Default: none. */
  names?: string[];
  /** Default: yesterday and tomorrow. */
  notBefore?: Date;
  notAfter?: Date;
  /** Default: false. */
  isAuthority?: boolean;
  /** The type of its key. Default: P-256. */
  keyType?: "ed448";
}

export interface Authority extends Certified {
  issue(commonName: string, options?: CertificateOptions): Certified;
}

/** @param by the issuer. Default: the authority itself */
export function makeAuthority(commonName: string, { by }: { by?: Authority } = {}): Authority {
  const own =
    by === undefined ? selfSign(commonName, { isAuthority: true }) : by.issue(commonName, { isAuthority: true });
  return {
    ...own,
    issue: (subject, options) => makeCertificate(subject, { ...options, issuer: { ...own, commonName } }),
  };
}

export function selfSign(commonName: string, options: CertificateOptions = {}): Certified {
  return makeCertificate(commonName, options);
}

interface Issuer extends Certified {
  commonName: string;
}

const DAY = 24 * 60 * 60 * 1000;

function makeCertificate(commonName: string, options: CertificateOptions & { issuer?: Issuer }): Certified {
  const { names = [], issuer, isAuthority = false } = options;
  const { notBefore = new Date(Date.now() - DAY), notAfter = new Date(Date.now() + DAY) } = options;
  const { publicKey, privateKey } =
    options.keyType === undefined
      ? generateKeyPairSync("ec", { namedCurve: "prime256v1" })
      : generateKeyPairSync(options.keyType);
  const key = toPem("PRIVATE KEY", privateKey.export({ type: "pkcs8", format: "der" }));
  const extensions = [
    ...(isAuthority ? [extension(OID.basicConstraints, sequence(der(TAG.boolean, Buffer.from([0xff]))))] : []),
    ...(names.length > 0 ? [extension(OID.subjectAltName, sequence(...names.map(generalName)))] : []),
  ];
  const toBeSigned = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    sequence(OID.ecdsaWithSha256),
    distinguishedName(issuer?.commonName ?? commonName),
    sequence(time(notBefore), time(notAfter)),
    distinguishedName(commonName),
    publicKey.export({ type: "spki", format: "der" }),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  );
  const signature = sign("sha256", toBeSigned, issuer?.key ?? privateKey);
  const certificate = sequence(toBeSigned, sequence(OID.ecdsaWithSha256), bitString(signature));
  return { cert: toPem("CERTIFICATE", certificate), key };
}

/** X.690: identifier octets. */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  utf8: 0x0c,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
};

/** Object identifiers, encoded. */
const OID = {
  ecdsaWithSha256: Buffer.from("06082a8648ce3d040302", "hex"),
  commonName: Buffer.from("0603550403", "hex"),
  basicConstraints: Buffer.from("0603551d13", "hex"),
  subjectAltName: Buffer.from("0603551d11", "hex"),
};

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}

function sequence(...items: Buffer[]): Buffer {
  return der(TAG.sequence, Buffer.concat(items));
}

function integer(bytes: Buffer): Buffer {
  return der(TAG.integer, bytes);
}

function bitString(content: Buffer): Buffer {
  return der(TAG.bitString, Buffer.concat([Buffer.from([0]), content]));
}

/** GeneralizedTime. RFC 5280 requires UTCTime before 2050, but OpenSSL doesn't. */
function time(date: Date): Buffer {
  return der(TAG.time, Buffer.from(`${date.toISOString().replace(/\D/g, "").slice(0, 14)}Z`));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(TAG.set, sequence(OID.commonName, der(TAG.utf8, Buffer.from(commonName)))));
}

function extension(oid: Buffer, value: Buffer): Buffer {
  return sequence(oid, der(TAG.octetString, value));
}

/** RFC 5280 §4.2.1.6: dNSName or iPAddress. */
function generalName(text: string): Buffer {
  if (net.isIP(text) === 0) return der(0x82, Buffer.from(text));
  return der(0x87, net.isIPv4(text) ? Buffer.from(text.split(".").map(Number)) : ipv6Bytes(text));
}

function ipv6Bytes(text: string): Buffer {
  const [head = [], tail = []] = text.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return Buffer.from(
    [head, zeros, tail]
      .flat()
      .map((group) => group.padStart(4, "0"))
      .join(""),
    "hex",
  );
}

function toPem(label: string, content: Buffer): string {
  const lines = content.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
