/** Addresses and names in all their spellings. */

import * as fc from "fast-check";

/** A host and one spelling of it. */
export interface Spelled {
  /** The normal form. */
  normal: string;
  written: string;
}

const octet = fc.oneof(fc.constantFrom(0, 1, 10, 127, 255), fc.integer({ min: 0, max: 255 }));
const radix = fc.constantFrom("decimal", "hex", "HEX", "octal", "zeros");

function writeNumber(value: number, as: string): string {
  switch (as) {
    case "hex":
      return `0x${value.toString(16)}`;
    case "HEX":
      return `0X000${value.toString(16).toUpperCase()}`;
    case "octal":
      return `0${value.toString(8)}`;
    case "zeros":
      return `000${value.toString(8)}`;
    default:
      return String(value);
  }
}

/** WHATWG URL §3.5: one to four numbers, and the last one fills the rest. */
export const spelledV4: fc.Arbitrary<Spelled> = fc
  .record({
    octets: fc.tuple(octet, octet, octet, octet),
    parts: fc.integer({ min: 1, max: 4 }),
    radixes: fc.tuple(radix, radix, radix, radix),
    dots: fc.constantFrom("", ".", ".."),
    isWide: fc.boolean(),
    mapped: fc.constantFrom("no", "no", "dotted", "hex", "full"),
    hasBrackets: fc.boolean(),
  })
  .map(({ octets, parts, radixes, dots, isWide, mapped, hasBrackets }) => {
    const normal = octets.join(".");
    const [a, b, c, d] = octets;
    if (mapped !== "no") {
      const groups = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
      const text =
        mapped === "dotted"
          ? `::ffff:${normal}`
          : mapped === "hex"
            ? `::FFFF:${groups}`
            : `0:0:0:0:0000:ffff:${groups}`;
      return { normal, written: hasBrackets ? `[${text}]` : text };
    }
    const last = octets.slice(parts - 1).reduce((sum, value) => sum * 256 + value, 0);
    const numbers = [...octets.slice(0, parts - 1), last];
    const text = numbers.map((value, index) => writeNumber(value, radixes[index] ?? "")).join(".") + dots;
    return { normal, written: isWide ? toFullWidth(text) : text };
  });

/** U+FF01 to U+FF5E, which UTS 46 maps to ASCII. */
function toFullWidth(text: string): string {
  return text.replaceAll(/[0-9a-z.]/gi, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0));
}

const group = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 0xffff }));

export const v6Groups: fc.Arbitrary<number[]> = fc
  .array(group, { minLength: 8, maxLength: 8 })
  // `spelledV4` writes the IPv4-mapped ones.
  .filter((groups) => groups.slice(0, 5).some((value) => value !== 0) || groups[5] !== 0xffff);

/** RFC 4291 §2.2: leading zeros, upper and lower case, at most one omitted run of zeros, a dotted end. */
export const spelledV6: fc.Arbitrary<Spelled> = fc
  .record({
    groups: v6Groups,
    width: fc.constantFrom(1, 4),
    isUpper: fc.boolean(),
    hasBrackets: fc.boolean(),
    isDotted: fc.boolean(),
    /** The first group to omit, if it is zero. */
    from: fc.nat(7),
    length: fc.integer({ min: 1, max: 8 }),
  })
  .map(({ groups, width, isUpper, hasBrackets, isDotted, from, length }) => {
    const texts = groups.map((value) => value.toString(16).padStart(width, "0"));
    if (isDotted) {
      const [high = 0, low = 0] = groups.slice(6);
      texts.splice(6, 2, [high >> 8, high & 255, low >> 8, low & 255].join("."));
    }
    const to = Math.min(from + length, isDotted ? 6 : 8);
    const isEmpty = to > from && groups.slice(from, to).every((value) => value === 0);
    const text = isEmpty ? `${texts.slice(0, from).join(":")}::${texts.slice(to).join(":")}` : texts.join(":");
    const cased = isUpper ? text.toUpperCase() : text;
    return { normal: writeV6(groups), written: hasBrackets ? `[${cased}]` : cased };
  });

/** RFC 5952 §4: omits the longest run of two or more zeros, and the first of several. */
export function writeV6(groups: readonly number[]): string {
  let best = { from: 0, length: 1 };
  for (let from = 0; from < 8; from++) {
    let length = 0;
    while (from + length < 8 && groups[from + length] === 0) length++;
    if (length > best.length) best = { from, length };
  }
  const texts = groups.map((value) => value.toString(16));
  if (best.length === 1) return texts.join(":");
  return `${texts.slice(0, best.from).join(":")}::${texts.slice(best.from + best.length).join(":")}`;
}

const label = fc
  .stringMatching(/^[a-z_][a-z0-9_-]{0,8}$/)
  // IDNs have two hyphens in this place (RFC 5891 §4.2.3.1).
  .filter((text) => !text.endsWith("-") && text.slice(2, 4) !== "--");

/** Lower case, without a trailing dot. */
export const hostName: fc.Arbitrary<string> = fc
  .array(label, { minLength: 1, maxLength: 4 })
  .map((labels) => labels.join("."));

export const spelledName: fc.Arbitrary<Spelled> = fc
  .record({
    normal: hostName,
    cases: fc.array(fc.boolean(), { minLength: 1 }),
    dots: fc.constantFrom("", ".", "..."),
    isWide: fc.boolean(),
  })
  .map(({ normal, cases, dots, isWide }) => {
    const cased = Array.from(normal, (char, index) => (cases[index % cases.length] ? char.toUpperCase() : char)).join(
      "",
    );
    return { normal, written: (isWide ? toFullWidth(cased) : cased) + dots };
  });

export const spelledHost: fc.Arbitrary<Spelled> = fc.oneof(spelledV4, spelledV6, spelledName);
