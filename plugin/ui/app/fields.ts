/** Header fields as lines of text, as HTTP/1.1 writes them (RFC 9112 §5). */

type Field = [fieldName: string, value: string];

/** What the runtime writes itself. */
const OWN = new Set(["host", "content-length"]);

export function formatFieldLines(fields: readonly Field[]): string {
  return fields
    .filter(([name]) => !OWN.has(name.toLowerCase()))
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
}

/** @returns what is wrong with a line, in words */
export function parseFieldLines(text: string): Field[] | string {
  const fields: Field[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const at = line.indexOf(":");
    if (at < 1) return `The line ${JSON.stringify(line)} is no header field. Write one like "accept: text/plain".`;
    fields.push([line.slice(0, at).trim(), line.slice(at + 1).trim()]);
  }
  return fields;
}
