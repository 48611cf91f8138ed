/** What both sides of a connection said, in turn: the messages of a WebSocket, or the bytes of TCP. */

import type { VNode } from "preact";
import { useState } from "preact/hooks";

import type { BytesView, CallView, ConversationView, PieceView } from "../traffic-view.ts";
import { Bytes, textIn, useBytes } from "./bytes.tsx";
import { countInWords, sizeInWords, formatDuration } from "./format.ts";
import { Section } from "./section.tsx";

interface ConversationProps {
  call: CallView;
  conversation: ConversationView;
}

type PieceBytes = Uint8Array<ArrayBuffer> | "on the way" | "dropped";

/** Pieces that are shown at once. */
const PIECE = 100;

export function Conversation({ call, conversation: { pieces, more } }: ConversationProps): VNode {
  const { id, kind } = call.row;
  const isTcp = kind === "tcp";
  const [shown, setShown] = useState(PIECE);
  const kept = {
    sent: lengthOf(call.sent, pieces, "worker"),
    received: lengthOf(call.received, pieces, "target"),
  };
  const content = {
    sent: useBytes(`api/calls/${id}/${isTcp ? "sent" : "messages"}`, kept.sent),
    received: useBytes(isTcp ? `api/calls/${id}/received` : "", kept.received),
  };
  const bytesFor = ({ from, offset, size }: PieceView): PieceBytes => {
    const side = isTcp && from === "target" ? "received" : "sent";
    if (offset + size > kept[side]) return "dropped";
    const all = content[side];
    return all && offset + size <= all.length ? all.subarray(offset, offset + size) : "on the way";
  };
  const unit = isTcp ? "piece" : "message";
  return (
    <Section title={isTcp ? "Conversation" : "Messages"} note={countInWords(pieces.length + more, unit)}>
      <ol class="conversation">
        {pieces.slice(0, shown).map((piece) => (
          <Said key={`${piece.from} ${piece.offset} ${piece.at}`} piece={piece} bytes={bytesFor(piece)} />
        ))}
      </ol>
      {pieces.length > shown && (
        <button onClick={() => setShown(shown + PIECE * 5)}>
          Show {countInWords(pieces.length - shown, `more ${unit}`)}
        </button>
      )}
      {more > 0 && <p class="note">{countInWords(more, `later ${unit}`)} are not shown.</p>}
    </Section>
  );
}

/** All bytes of a WebSocket's messages are in one place. */
function lengthOf(bytes: BytesView | undefined, pieces: readonly PieceView[], from: PieceView["from"]): number {
  return bytes?.kept ?? (from === "worker" ? pieces.reduce((sum, { size }) => sum + size, 0) : 0);
}

function Said({ piece, bytes }: { piece: PieceView; bytes: PieceBytes }): VNode {
  const { from, at, size, opcode } = piece;
  const isWorker = from === "worker";
  const goodbye = opcode === CLOSE && typeof bytes !== "string" ? readGoodbye(bytes) : undefined;
  return (
    <li class={from}>
      <p class="said">
        <span class="side">{isWorker ? "↑ Worker" : "↓ Target"}</span>
        <span class="note">
          {formatDuration(at)}, {opcode === undefined ? "" : `${OPCODES[opcode] ?? `opcode ${opcode}`}, `}
          {sizeInWords(size)}
        </span>
      </p>
      {bytes === "dropped" && size > 0 && <p class="note">Its bytes are not kept.</p>}
      {goodbye !== undefined && <code class="goodbye">{goodbye}</code>}
      {typeof bytes !== "string" && size > 0 && goodbye === undefined && (
        <Bytes content={bytes} first={textIn(bytes) === undefined ? "Hex" : undefined} />
      )}
    </li>
  );
}

/** @returns the code and the reason of a Close frame (RFC 6455 §5.5.1); undefined if it has none */
function readGoodbye(bytes: Uint8Array): string | undefined {
  if (bytes.length < 2) return undefined;
  const code = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0);
  return `${code} ${new TextDecoder().decode(bytes.subarray(2))}`.trim();
}

/** RFC 6455 §5.2 */
const CLOSE = 8;
const OPCODES: Record<number, string> = { 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong" };
