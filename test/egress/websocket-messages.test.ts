/** Reading the messages of a WebSocket from bytes that are cut anywhere. */

import { constants, deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { MAX_MESSAGE, createMessageReader } from "../../plugin/egress/observed/websocket-messages.ts";

function read(
  bytes: Buffer,
  { isDeflated = false, pieces = 1 }: { isDeflated?: boolean; pieces?: number } = {},
): unknown[] {
  const heard: unknown[] = [];
  const reader = createMessageReader({
    isDeflated,
    message: (opcode, data) => heard.push([opcode, data.toString()]),
    lost: () => heard.push("lost"),
  });
  const size = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length; at += size) reader(bytes.subarray(at, at + size));
  return heard;
}

/** @param flags the first byte. @param mask absent: not masked */
function frame(flags: number, payload: string | Buffer, mask?: number[]): Buffer {
  const data = Buffer.from(payload);
  const isMasked = mask === undefined ? 0 : 0x80;
  const length = data.length;
  const head =
    length < 126
      ? [flags, isMasked | length]
      : length < 65_536
        ? [flags, isMasked | 126, length >> 8, length & 255]
        : [flags, isMasked | 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255];
  const body = mask === undefined ? data : data.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.from(head), Buffer.from(mask ?? []), body]);
}

/** @param dictionary what came before */
function deflate(text: string, dictionary = ""): Buffer {
  const options = dictionary === "" ? {} : { dictionary: Buffer.from(dictionary) };
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH, ...options }).subarray(0, -4);
}

const MASK = [1, 2, 3, 4];

test.each([1, 2, 3, 7, 50])("all lengths, masked and not, in %i pieces", (pieces) => {
  const texts = ["", "short", "x".repeat(126), "y".repeat(70_000)];
  const bytes = Buffer.concat(texts.flatMap((text) => [frame(0x81, text, MASK), frame(0x82, text)]));
  expect(read(bytes, { pieces })).toEqual(
    texts.flatMap((text) => [
      [1, text],
      [2, text],
    ]),
  );
});

test("a byte at a time", () => {
  const bytes = Buffer.concat([frame(0x81, "one", MASK), frame(0x89, "ping"), frame(0x88, Buffer.from([3, 232]))]);
  expect(read(bytes, { pieces: bytes.length })).toEqual([
    [1, "one"],
    [9, "ping"],
    [8, Buffer.from([3, 232]).toString()],
  ]);
});

test("fragments are one message, and a control frame may come between them", () => {
  const bytes = Buffer.concat([frame(0x01, "be"), frame(0x89, ""), frame(0x00, "gi"), frame(0x80, "n")]);
  expect(read(bytes)).toEqual([
    [9, ""],
    [1, "begin"],
  ]);
});

test("compressed messages that refer to earlier ones, and plain ones between them", () => {
  const bytes = Buffer.concat([
    frame(0xc1, deflate("the same words"), MASK),
    frame(0x81, "plain", MASK),
    frame(0xc1, deflate("the same words again", "the same words"), MASK),
  ]);
  expect(read(bytes, { isDeflated: true, pieces: 5 })).toEqual([
    [1, "the same words"],
    [1, "plain"],
    [1, "the same words again"],
  ]);
});

test("bytes that can't be read are reported once, and end the reading", () => {
  expect(read(frame(0xc1, "compressed without an agreement"))).toEqual(["lost"]);
  const broken = Buffer.concat([frame(0xc1, "no deflated data"), frame(0x81, "next")]);
  expect(read(broken, { isDeflated: true })).toEqual(["lost"]);
});

test("a message that is too long is passed over", () => {
  const seen: unknown[] = [];
  const reader = createMessageReader({
    isDeflated: false,
    message: (opcode, data) => seen.push([opcode, data.toString()]),
    lost: () => seen.push("lost"),
  });
  const length = MAX_MESSAGE + 10;
  const head = Buffer.alloc(10);
  head.set([0x82, 127]);
  head.writeBigUInt64BE(BigInt(length), 2);
  reader(head);
  const chunk = Buffer.alloc(1024 * 1024);
  for (let left = length; left > 0; left -= chunk.length) reader(chunk.subarray(0, Math.min(left, chunk.length)));
  reader(frame(0x81, "next"));
  expect(seen).toEqual(["lost", [1, "next"]]);
});
