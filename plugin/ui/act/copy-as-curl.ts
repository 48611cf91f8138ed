/** Writes a call as a `curl` command that asks its target in the same way. */

import { isUtf8 } from "node:buffer";

import { formatEndpoint } from "../../../service-worker/routing/address.ts";
import type { RoutingTable } from "../../../service-worker/routing/table.ts";
import type { RequestEntry } from "../../scenario/journal.ts";
import type { ScenarioRule } from "../../scenario/rule.ts";
import type { CopyView } from "../traffic-view.ts";
import { refused } from "./refused.ts";
import { printBytes, quoteWord } from "./shell-words.ts";
import { type DirectTarget, targetOfCall } from "./target-of-call.ts";

/** Fields that curl writes itself, or that are for one connection only (RFC 9110 §7.6.1). */
const NOT_COPIED = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "te",
  "upgrade",
]);
/** Fields that curl adds on its own. */
const ADDED = ["Accept", "User-Agent"];
/** Bytes. Linux refuses a word of 128 KiB. */
const LONG = 100_000;

/** @throws {ControlError} in words, if no command can ask what answered */
export function copyAsCurl(
  entry: RequestEntry,
  { table, rules }: { table: RoutingTable; rules: readonly ScenarioRule[] },
): CopyView {
  if (isUpgrade(entry)) throw refused("curl can't talk to a WebSocket.");
  const { body, headers } = entry;
  if (!body.isEnded || body.isTruncated)
    throw refused(`the session has kept only ${body.kept} of the ${body.size} bytes of the request's body.`);
  const direct = targetOfCall(entry, table, rules);
  const { words, note } = addressWords(new URL(entry.url), direct);
  const { before, words: bodyWords } = bodyOptions(body.bytes);
  const fields = headers.filter(([field]) => !NOT_COPIED.has(field.toLowerCase()));
  const added = [...ADDED, ...(body.size > 0 ? ["Content-Type"] : [])];
  const options = [
    ...methodWords(entry.method, body.size > 0),
    ...words,
    ...fields.map(([field, value]) => `-H ${quoteWord(value === "" ? `${field};` : `${field}: ${value}`)}`),
    ...added.filter((name) => !has(fields, name)).map((name) => `-H '${name}:'`),
    ...bodyWords,
  ];
  // No variable of the environment, such as http_proxy, and no file leads elsewhere.
  const start = "curl -q --globoff --path-as-is --noproxy '*'";
  return { text: [`${before}${start}`, ...options].join(" \\\n  "), ...(note !== undefined && { note }) };
}

function isUpgrade({ headers }: RequestEntry): boolean {
  return has(headers, "upgrade");
}

function has(fields: readonly [string, string][], name: string): boolean {
  return fields.some(([field]) => field.toLowerCase() === name.toLowerCase());
}

function methodWords(method: string, hasBody: boolean): string[] {
  if (method === "HEAD") return ["--head"];
  return method === (hasBody ? "POST" : "GET") ? [] : [`-X ${quoteWord(method)}`];
}

function addressWords(url: URL, { target, tls }: DirectTarget): { words: string[]; note?: string } {
  const path = url.pathname + url.search;
  const isUnix = target.type === "unix";
  const socket = isUnix ? [`--unix-socket ${quoteWord(target.path)}`] : [];
  if (tls === undefined) {
    const address = isUnix ? url.host : formatEndpoint(target.host, target.port);
    const isSame = new URL(`http://${address}`).host === url.host;
    return {
      words: [
        ...socket,
        quoteWord(`http://${address}${path}`),
        ...(isSame ? [] : [`-H ${quoteWord(`Host: ${url.host}`)}`]),
      ],
    };
  }
  // The name in the URL is what the certificate is for.
  const host = url.hostname;
  const port = url.port === "" || url.protocol === "http:" ? "" : `:${url.port}`;
  const isSame = `${host}${port}` === url.host;
  const { authority, client } = tls;
  const ca = authority ?? tls.ca[0];
  const isUnchecked = tls.verify !== "verify_full";
  const words = [
    quoteWord(`https://${host}${port}${path}`),
    ...(isSame ? [] : [`-H ${quoteWord(`Host: ${url.host}`)}`]),
    ...(isUnix ? socket : [`--connect-to ${quoteWord(`::${formatEndpoint(target.host, target.port)}`)}`]),
    ...(isUnchecked ? ["--insecure"] : []),
    ...(ca === undefined || isUnchecked ? [] : [`--cacert ${quoteWord(ca)}`]),
    ...(client === undefined ? [] : [`--cert ${quoteWord(client.cert)}`, `--key ${quoteWord(client.key)}`]),
  ];
  return tls.verify === "verify_ca"
    ? { words, note: "curl can't check a certificate without its name, so this command doesn't check it." }
    : { words };
}

function bodyOptions(bytes: Buffer): { before: string; words: string[] } {
  if (bytes.length === 0) return { before: "", words: [] };
  if (isUtf8(bytes) && !bytes.includes(0) && bytes.length < LONG)
    return { before: "", words: [`--data-raw ${quoteWord(bytes.toString())}`] };
  return { before: `${printBytes(bytes)} | `, words: ["--data-binary @-"] };
}
