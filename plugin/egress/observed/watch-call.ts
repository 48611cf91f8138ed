/**
 * Fills the detail of an observed call, if somebody watches closely: its steps, its connection, and the pieces that passed.
 */

import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";

import { Capture } from "../../scenario/capture.ts";
import { type CallDetail, MAX_PIECES, type Piece } from "../../scenario/call-detail.ts";
import type {
  CallStep,
  CertificateDetail,
  ClientCertificateDetail,
  ConnectionDetail,
  TlsDetail,
} from "../../scenario/call-steps.ts";
import type { ConnectionEntry, Journal, RequestEntry } from "../../scenario/journal.ts";
import type { DialTarget, DialWatch } from "../connections/dial.ts";
import type { ExchangeWatch } from "../http/exchange.ts";
import { toFields } from "../http/headers.ts";
import { isAskedForCertificate } from "../tls/tls.ts";
import { createMessageReader } from "./websocket-messages.ts";

export interface RequestWatch extends ExchangeWatch {
  mark: (step: CallStep) => void;
}

export interface TcpWatch extends DialWatch {
  mark: (step: CallStep) => void;
  piece: (from: Piece["from"], chunk: Uint8Array) => void;
}

/** @returns undefined if nobody watches closely; call it when the request begins */
export function watchRequest(entry: RequestEntry, journal: Journal): RequestWatch | undefined {
  if (!journal.isWatchedClosely) return undefined;
  const detail: NonNullable<RequestEntry["detail"]> = { at: {} };
  entry.detail = detail;
  const { mark, now, dial } = watchSteps(detail);
  return {
    mark,
    ...dial,
    taken(socket, { isReused, target }) {
      mark("taken");
      detail.connection = { ...detail.connection, number: journal.numberOf(socket), isReused };
      if (!isReused) return;
      noteServer(detail.connection, socket, target);
      if (socket instanceof tls.TLSSocket) detail.connection.tls = describeTls(socket);
    },
    sent: () => mark("sent"),
    answered(response) {
      const { httpVersion, rawHeaders, headers, statusCode, statusMessage = "" } = response;
      detail.response = { httpVersion, headers: toFields(rawHeaders) };
      detail.statusText = statusMessage;
      if (statusCode === 101 && headers.upgrade?.toLowerCase() === "websocket")
        Object.assign(detail, { messages: [], messageBytes: new Capture() });
    },
    upgraded(worker, target, response) {
      const { messages, messageBytes: bytes } = detail;
      if (messages === undefined || bytes === undefined) return;
      const isDeflated = /\bpermessage-deflate\b/i.test(response.headers["sec-websocket-extensions"] ?? "");
      const lose = (): void => void (detail.messagesDropped = (detail.messagesDropped ?? 0) + 1);
      const hear = (from: Piece["from"], socket: Duplex): void => {
        const read = createMessageReader({
          isDeflated,
          message(opcode, data) {
            if (messages.length >= MAX_PIECES) return lose();
            messages.push({ from, at: now(), opcode, offset: bytes.size, size: data.length });
            journal.capture(bytes, data);
            journal.notePiece(entry);
          },
          lost: lose,
        });
        socket.on("data", read);
      };
      hear("worker", worker);
      hear("target", target);
      target.once("close", () => {
        mark("ended");
        bytes.end();
        journal.note(entry);
      });
    },
  };
}

/** @returns undefined if nobody watches closely; call it when the connection begins */
export function watchConnection(entry: ConnectionEntry, journal: Journal): TcpWatch | undefined {
  if (!journal.isWatchedClosely) return undefined;
  const detail: NonNullable<ConnectionEntry["detail"]> = { at: {}, chunks: [], chunksDropped: 0 };
  entry.detail = detail;
  const { mark, now, dial } = watchSteps(detail);
  return {
    mark,
    ...dial,
    dialled(socket, target) {
      detail.connection = { number: journal.numberOf(socket), isReused: false };
      dial.dialled(socket, target);
    },
    piece(from, { byteLength: size }) {
      if (from === "target" && detail.at.answered === undefined) mark("answered");
      const capture = from === "worker" ? entry.sent : entry.received;
      if (detail.chunks.length < MAX_PIECES) {
        detail.chunks.push({ from, at: now(), offset: capture.size, size });
        journal.notePiece(entry);
      } else detail.chunksDropped++;
    },
  };
}

interface Steps {
  mark: (step: CallStep) => void;
  /** Milliseconds since the call began. */
  now: () => number;
  dial: DialWatch;
}

function watchSteps(detail: CallDetail): Steps {
  const startedAt = performance.now();
  const now = (): number => performance.now() - startedAt;
  const mark = (step: CallStep): void => void (detail.at[step] = now());
  const dial: DialWatch = {
    dialled(socket, target) {
      mark("dialled");
      socket.once("lookup", () => mark("resolved"));
      socket.once("connect", () => {
        mark("connected");
        detail.connection ??= { number: 0, isReused: false };
        noteServer(detail.connection, socket, target);
      });
    },
    secured(socket) {
      mark("secured");
      detail.connection ??= { number: 0, isReused: false };
      detail.connection.tls = describeTls(socket);
    },
  };
  return { mark, now, dial };
}

function noteServer(connection: ConnectionDetail, socket: Duplex, target: DialTarget): void {
  if (target.type === "unix") {
    // A function that answers with faults has no path.
    if (target.path !== "") connection.server = { path: target.path };
  } else if (socket instanceof net.Socket && socket.remoteAddress !== undefined) {
    connection.server = { address: socket.remoteAddress, port: socket.remotePort ?? target.port };
  }
}

function describeTls(socket: tls.TLSSocket): TlsDetail {
  // Its type has no word for the name that was sent.
  const serverName: unknown = Reflect.get(socket, "servername");
  const certificate = describeCertificate(socket.getPeerCertificate());
  const client = isAskedForCertificate(socket) ? describeClient(socket.getCertificate()) : undefined;
  return {
    protocol: socket.getProtocol() ?? "",
    cipher: socket.getCipher().standardName,
    ...(typeof serverName === "string" && serverName !== "" && { serverName }),
    ...(certificate && { certificate }),
    ...(client && { clientCertificate: client }),
  };
}

/** A resumed TLS session has none. */
function describeCertificate(certificate: Partial<tls.PeerCertificate>): CertificateDetail | undefined {
  const { subject, issuer, valid_from: from, valid_to: to } = certificate;
  if (subject === undefined || issuer === undefined || from === undefined || to === undefined) return undefined;
  return { subject: nameOf(subject), issuer: nameOf(issuer), validFrom: Date.parse(from), validTo: Date.parse(to) };
}

/** @param certificate empty or null if there is none */
function describeClient(certificate: tls.PeerCertificate | object | null): ClientCertificateDetail | undefined {
  if (certificate === null || !("fingerprint256" in certificate)) return undefined;
  return { subject: nameOf(certificate.subject), fingerprint: certificate.fingerprint256 };
}

function nameOf({ CN, O }: tls.Certificate): string {
  const given = CN ?? O ?? "";
  return Array.isArray(given) ? given.join(", ") : given;
}
