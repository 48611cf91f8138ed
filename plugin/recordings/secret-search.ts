/** Finds secrets by their values, in every way in which they may be written. */

import { REDACTED } from "./har.ts";

/** A shorter value would be found in too much that is no secret. */
export const MIN_SECRET = 8;

/** A word or a small number is only replaced beside its name: elsewhere it says nothing. */
export const COMMON: RegExp = /^(?:[a-z]{1,15}|\d{1,11})$/i;

export interface SecretSearch {
  add(secret: string): void;
  replace(text: string): string;
  /** @returns all places of secrets, which may overlap */
  find(text: string): [start: number, end: number][];
}

/** Finds any of many secrets in one pass, by what they begin with. */
export function createSecretSearch(): SecretSearch {
  const secrets = new Set<string>();
  /** Spellings by their first characters, the longest first. */
  const byStart = new Map<string, string[]>();
  return {
    add(secret) {
      if (secrets.has(secret)) return;
      secrets.add(secret);
      for (const spelling of new Set(spell(secret))) {
        const start = spelling.slice(0, MIN_SECRET);
        const others = byStart.get(start) ?? [];
        byStart.set(
          start,
          [...others, spelling].toSorted((one, other) => other.length - one.length),
        );
      }
    },
    replace(text) {
      if (byStart.size === 0) return text;
      let replaced = "";
      let done = 0;
      for (let at = 0; at + MIN_SECRET <= text.length; at++) {
        const found = byStart.get(text.slice(at, at + MIN_SECRET))?.find((spelling) => text.startsWith(spelling, at));
        if (found === undefined) continue;
        replaced += text.slice(done, at) + REDACTED;
        done = at + found.length;
        at = done - 1;
      }
      return replaced + text.slice(done);
    },
    find: (text) =>
      Array.from({ length: Math.max(0, text.length - MIN_SECRET + 1) }, (_, at) => at).flatMap((at) =>
        (byStart.get(text.slice(at, at + MIN_SECRET)) ?? [])
          .filter((spelling) => text.startsWith(spelling, at))
          .map((spelling): [number, number] => [at, at + spelling.length]),
      ),
  };
}

/** The ways in which a secret may be written, all of which give it away. */
function spell(secret: string): string[] {
  const encoded = encodeURIComponent(secret);
  const quoted = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    // In bytes that are no text.
    Buffer.from(secret).toString("latin1"),
    encoded,
    encoded.replaceAll("%20", "+"),
    encoded.replaceAll(/%[\dA-F]{2}/g, (escape) => escape.toLowerCase()),
    quoted,
    quoted.replaceAll("/", "\\/"),
    toAscii(quoted),
    toAscii(quoted).replaceAll("\\", "\\\\"),
    JSON.stringify(quoted).slice(1, -1),
    ...spellBase64(secret),
  ];
}

/** As programs write JSON that must be ASCII. */
function toAscii(json: string): string {
  return json.replaceAll(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Base64 differs with the position that the secret begins at. */
function spellBase64(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replaceAll("=", "");
    // What it shares with its neighbours is left out.
    const begin = Math.ceil((offset * 8) / 6);
    const end = Math.floor(((offset + bytes.length) * 8) / 6);
    const own = text.slice(begin, end);
    const isLong = own.length >= MIN_SECRET;
    return isLong ? [own, own.replaceAll("+", "-").replaceAll("/", "_")] : [];
  });
}
