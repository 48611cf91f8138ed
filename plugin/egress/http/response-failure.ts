/**
 * Explains why there is no response, or only part of one.
 */

import type { IncomingMessage } from "node:http";

import type { EgressFailure } from "../../../service-worker/routing/egress-protocol.ts";
import { hasCode } from "../../system/error.ts";
import { EgressError, classify, codeOf } from "../egress-error.ts";
import { type Presented, describeProtocolError, describeReset, isTlsError } from "../tls/tls-failure.ts";

/** `client`: in the handshake of this request. In TLS 1.3, the target can refuse it only now. */
interface NoResponse extends Presented {
  /** Bytes of a response so far. */
  received: number;
  /** The request asked for an upgrade. */
  isUpgrade: boolean;
}

export function describeNoResponse(error: unknown, state: NoResponse): EgressFailure {
  const failure = withoutResponse(error, state);
  if (!state.isUpgrade) return failure;
  switch (failure.code) {
    case "connection_terminated":
      return { code: "http_upgrade_failed", detail: "it closed the connection instead of answering" };
    case "http_response_incomplete":
    case "http_protocol_error":
      return { code: "http_upgrade_failed", detail: `its answer isn't an HTTP response: ${failure.detail}` };
    default:
      return failure;
  }
}

function withoutResponse(error: unknown, { received, client, missingClient }: NoResponse): EgressFailure {
  if (isTlsError(error)) return describeProtocolError(error, { client, missingClient });
  if (isConnecting(error) || !hasCode(error, "ECONNRESET", "EPIPE")) return classify(error);
  if (received > 0) {
    const detail = `the connection closed after ${bytes(received)}, in the middle of the response's head`;
    return { code: "http_response_incomplete", detail };
  }
  if (client !== undefined) return describeReset({ client });
  // A reset comes from the system and names its system call. A clean end doesn't.
  if (error instanceof Error && "syscall" in error) return classify(error);
  return { code: "connection_terminated", detail: "the connection ended without a byte of a response" };
}

function isConnecting(error: unknown): boolean {
  return error instanceof EgressError || (error instanceof Error && "syscall" in error && error.syscall === "connect");
}

/** @param received bytes of the response's body */
export function describeBreakOff(error: unknown, response: IncomingMessage, received: number): EgressFailure {
  const code = codeOf(error);
  if (error instanceof EgressError || isTlsError(error)) return classify(error);
  if (code.startsWith("HPE_")) {
    const { detail } = classify(error);
    return { code: "http_protocol_error", detail: `after ${bytes(received)} of the response's body: ${detail}` };
  }
  const length = response.headers["content-length"];
  const isChunked = /chunked\s*$/i.test(response.headers["transfer-encoding"] ?? "");
  const missing = isChunked ? "and then no last chunk" : "and then the connection failed";
  return {
    code: "http_response_incomplete",
    detail:
      length === undefined || response.headers["transfer-encoding"] !== undefined
        ? `${bytes(received)} of the body arrived, ${missing}`
        : `${received} of ${bytes(Number(length))} of the body arrived`,
  };
}

function bytes(count: number): string {
  return count === 1 ? "1 byte" : `${count} bytes`;
}
