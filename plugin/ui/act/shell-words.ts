/** Writes text and bytes for a POSIX shell (IEEE Std 1003.1, §2.2.2). */

/** Any text without NUL, as one word. */
export function quoteWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command that prints exactly these bytes. */
export function printBytes(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => {
    const char = String.fromCharCode(byte);
    return /[\w .,:;/<>=(){}[\]"-]/.test(char) ? char : `\\0${byte.toString(8).padStart(3, "0")}`;
  }).join("");
  return `printf '%b' '${text}'`;
}
