/** The body of a recorded answer as it was sent: the file has it decoded, so it is encoded again (RFC 9110 §8.4). */

import { Readable, type Transform, pipeline } from "node:stream";
import zlib from "node:zlib";

import { bodyPieces } from "./body-pieces.ts";
import { codingsIn } from "./decode-body.ts";
import type { FoundEntry } from "./recording.ts";

export interface RecordedContent {
  body: Readable;
  /** Bytes; absent: they are not known before its end. */
  length?: number;
  isEncoded: boolean;
}

export interface ContentOptions {
  /** The folder of the HAR file. */
  folder: string;
  /** The recorded `Content-Encoding`. */
  encoding: string | undefined;
  /** Whether its length must be known. */
  isMeasured: boolean;
}

/** The file is closed when the body has been read, or is destroyed. */
export async function recordedContent(
  { entry, read, file }: FoundEntry,
  { folder, encoding, isMeasured }: ContentOptions,
): Promise<RecordedContent> {
  const pieces = (): AsyncIterable<Buffer> =>
    bodyPieces(file, read, { folder, offset: entry.start, entry: entry.number });
  const first = await firstOf(pieces());
  // Some tools write the body as it was sent.
  const codings = first === undefined || isEncodedAlready(first, encoding) ? [] : codingsOf(encoding);
  const make = (): Readable => encode(Readable.from(pieces(), { objectMode: false }), codings ?? []);
  const isEncoded = first !== undefined && codings !== undefined && encoding !== undefined;
  const length = isMeasured ? await lengthOf(make()) : undefined;
  const body = make();
  body.once("close", () => void file.close());
  return { body, isEncoded, ...(length !== undefined && { length }) };
}

async function firstOf(pieces: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  for await (const piece of pieces) return piece;
  return undefined;
}

async function lengthOf(body: Readable): Promise<number> {
  let length = 0;
  for await (const piece of body) length += (piece as Buffer).length;
  return length;
}

function isEncodedAlready(first: Buffer, encoding: string | undefined): boolean {
  const begins = (mark: string): boolean => first.toString("hex", 0, mark.length / 2) === mark;
  return /gzip/i.test(encoding ?? "") ? begins("1f8b") : /zstd/i.test(encoding ?? "") && begins("28b52ffd");
}

type MakeEncoder = () => Transform;

const ENCODERS: Record<string, MakeEncoder | undefined> = {
  gzip: () => zlib.createGzip(),
  "x-gzip": () => zlib.createGzip(),
  deflate: () => zlib.createDeflate(),
  br: () => zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
  // Since Node.js 22.15.
  zstd: "createZstdCompress" in zlib ? () => zlib.createZstdCompress() : undefined,
};

/** @returns in the order in which they were applied; undefined: one of them is unknown */
function codingsOf(encoding = ""): MakeEncoder[] | undefined {
  const encoders = codingsIn(encoding)
    .filter((name) => name !== "" && name !== "identity")
    .map((name) => ENCODERS[name]);
  return encoders.every((each) => each !== undefined) ? encoders : undefined;
}

function encode(body: Readable, codings: readonly MakeEncoder[]): Readable {
  return codings.reduce<Readable>((decoded, make) => pipeline(decoded, make(), () => undefined), body);
}
