/**
 * Makes a screenshot small enough for a repository: 256 colours, compressed as well as zlib can.
 * https://www.w3.org/TR/png-3/
 */

import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOURS = 256;

interface Picture {
  width: number;
  height: number;
  /** 0xRRGGBB of each, row by row. */
  pixels: Uint32Array;
}

/** @param png with 8 bits for each of red, green, blue and perhaps alpha, not interlaced, as Chromium writes it */
export function shrinkPng(png: Buffer): Buffer {
  const { width, height, pixels } = readPng(png);
  const palette = chooseColours(pixels);
  const known = new Map(palette.map((colour, index) => [colour, index]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = pixels[y * width + x]!;
      let index = known.get(colour);
      if (index === undefined) known.set(colour, (index = nearest(palette, colour)));
      rows[y * (width + 1) + 1 + x] = index;
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3], 8);
  const colours = Buffer.from(palette.flatMap(channelsOf));
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", head),
    chunk("PLTE", colours),
    chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** One after the other, the colour whose pixels would be the furthest from what they are. */
function chooseColours(pixels: Uint32Array): number[] {
  const counts = new Map<number, number>();
  for (const colour of pixels) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const left = Array.from(counts, ([colour, count]) => ({ colour, count, distance: Infinity }));
  const chosen: number[] = [];
  while (chosen.length < Math.min(COLOURS, left.length)) {
    const next = left.reduce((one, other) =>
      other.count * other.distance > one.count * one.distance ? other : one,
    ).colour;
    chosen.push(next);
    for (const each of left) each.distance = Math.min(each.distance, distanceOf(each.colour, next));
  }
  return chosen;
}

function nearest(palette: readonly number[], colour: number): number {
  const distances = palette.map((each) => distanceOf(each, colour));
  return distances.indexOf(Math.min(...distances));
}

function distanceOf(one: number, other: number): number {
  const [red, green, blue] = [16, 8, 0].map((shift) => ((one >> shift) & 255) - ((other >> shift) & 255));
  return red! ** 2 + green! ** 2 + blue! ** 2;
}

function channelsOf(colour: number): number[] {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function readPng(png: Buffer): Picture {
  const parts: Buffer[] = [];
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at);
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const size = png[25] === 6 ? 4 : 3;
  const bytes = unfilter(inflateSync(Buffer.concat(parts)), { stride: width * size, size });
  const pixels = Uint32Array.from({ length: width * height }, (_, index) => bytes.readUIntBE(index * size, 3));
  return { width, height, pixels };
}

/** Filters 0 to 4: none, sub, up, average, Paeth. */
function unfilter(data: Buffer, { stride, size }: { stride: number; size: number }): Buffer {
  const rows = data.length / (stride + 1);
  const out = Buffer.alloc(rows * stride);
  for (let y = 0; y < rows; y++) {
    const filter = data[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x < size ? 0 : out[y * stride + x - size]!;
      const up = y === 0 ? 0 : out[(y - 1) * stride + x]!;
      const corner = x < size || y === 0 ? 0 : out[(y - 1) * stride + x - size]!;
      const guess = [0, left, up, (left + up) >> 1, filter === 4 ? paeth(left, up, corner) : 0][filter ?? 0] ?? 0;
      out[y * stride + x] = data[y * (stride + 1) + 1 + x]! + guess;
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const [toLeft, toUp, toCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
