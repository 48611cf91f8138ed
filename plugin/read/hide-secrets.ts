/**
 * Keeps secrets out of diagnostics, because the output ends up in CI logs: passwords in URLs, and keys that stand where
 * the name of a file or anything else was meant. Imports nothing.
 */

/** The shortest base64 text that is taken for a key: an Ed25519 key has this length. */
const SHORTEST_KEY = 64;
/** NAME_MAX of Linux and macOS, and PATH_MAX of macOS, in bytes. */
const LONGEST_FILE_NAME = 255;
const LONGEST_PATH = 1024;

/**
 * How a key begins in base64: a DER sequence (X.690 §8.9) of a length that a key has, or the dashes of PEM armour
 * (RFC 7468).
 */
const BEGINNING = String.raw`(?:MI[GHI]|MH[cQ]|MEc|MC4|LS0tLS)`;
const BASE64 = "[A-Za-z0-9+/=_-]";
const KEY_AT_START = new RegExp(`^${BEGINNING}`);
const KEY_ANYWHERE = new RegExp(`${BEGINNING}${BASE64}{${SHORTEST_KEY - 6},}`, "g");
/** Without slashes, which also part the folders of a path. */
const BLOB_ANYWHERE = /[A-Za-z0-9+=_-]{64,}/g;
/** Longer than a SHA-256. */
const HEX_ANYWHERE = /[0-9A-Fa-f]{65,}/g;
const RUNS = /[A-Za-z0-9+/=_-]{64,}/g;
const QUOTED = /"((?:[^"\\]|\\.)*)"/gs;
const ARMOUR = /-----BEGIN [A-Z0-9 ]*-----/;

const HIDDEN = "(a text that looks like a key)";

/** Whether a text can't be the name of a file, or looks like what is in a key or a certificate. */
export function looksLikeContents(text: string): boolean {
  if (ARMOUR.test(text)) return true;
  if (text.length < SHORTEST_KEY) return false;
  // Base64 is often broken into lines.
  const bare = text.replace(/^(?:base64|data:[^,]*)[:,]/i, "").replaceAll(/\s/g, "");
  if (isBase64(bare)) return true;
  if (Buffer.byteLength(text) > LONGEST_PATH) return true;
  return text.split(/[/\\]/).some((segment) => Buffer.byteLength(segment) > LONGEST_FILE_NAME);
}

/** Whether a text is long, and all of it is base64 or hexadecimal. A path has dots, or begins with a slash, or has short names. */
function isBase64(text: string): boolean {
  if (text.length < SHORTEST_KEY) return false;
  if (/^[0-9a-f]+$/i.test(text)) return true;
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text) || text.startsWith("/")) return false;
  if (KEY_AT_START.test(text)) return true;
  return isMixed(text) && text.split("/").some((segment) => segment.length >= 24);
}

/** Base64 of a key has all three, but with a chance that is of no account. */
function isMixed(text: string): boolean {
  return /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text);
}

/** Hides passwords in quoted URLs, and keys wherever they stand. */
export function hideSecrets(text: string): string {
  return text
    .replaceAll(/(:\/\/[^\s/"@:]*):[^\s/"@]+@/g, "$1:…@")
    .replaceAll(/(-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----)(?! to )[^"]*/g, "$1…")
    .replaceAll(QUOTED, (quoted, inner: string) =>
      (inner.replaceAll(/^[a-z]+:\/\/|\\[nrt]|\s/gi, "").match(RUNS) ?? []).some(isBase64) ? `"${HIDDEN}"` : quoted,
    )
    .replaceAll(KEY_ANYWHERE, HIDDEN)
    .replaceAll(HEX_ANYWHERE, HIDDEN)
    .replaceAll(BLOB_ANYWHERE, (run) => (isMixed(run) ? HIDDEN : run));
}

/**
 * Shows a piece of a config that can't be read. If it stands in a line of a key, which was pasted without quotes, none of it
 * is shown.
 */
export function showPiece(text: string, { offset, length }: { offset: number; length: number }): string {
  const before = /[A-Za-z0-9+/=_-]*$/.exec(text.slice(Math.max(offset - 100, 0), offset))?.[0] ?? "";
  const after = /^[A-Za-z0-9+/=_-]*/.exec(text.slice(offset, offset + 100))?.[0] ?? "";
  const around = before + after;
  if ((around.length >= 16 && isMixed(around)) || /^[0-9a-f]{32,}$/i.test(around)) return HIDDEN;
  return text.slice(offset, offset + Math.max(length, 1)).split("\n")[0] ?? "";
}
