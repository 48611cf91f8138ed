/** Bytes as a hex dump, sixteen a line, as `hexdump -C` prints them. */

const PER_LINE = 16;

/** Characters of a whole line, with its end. */
export const HEX_LINE: number = 8 + 2 + PER_LINE * 3 + 1 + 1 + PER_LINE + 1;

export function formatHex(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += PER_LINE) {
    const part = bytes.subarray(offset, offset + PER_LINE);
    const pairs = Array.from(part, (byte) => byte.toString(16).padStart(2, "0"));
    const [left, right] = [pairs.slice(0, 8).join(" "), pairs.slice(8).join(" ")];
    const text = Array.from(part, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${offset.toString(16).padStart(8, "0")}  ${left.padEnd(23)}  ${right.padEnd(23)}  ${text}`);
  }
  return lines.join("\n");
}
