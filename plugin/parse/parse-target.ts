/**
 * Parses targets: the right-hand side of a route, and a service's "target". Does not check whether a
 * `worker:` exists, which is the job of `link`.
 */

import { type Problem, isProblem, parseEndpoint, parseHost } from "../../service-worker/routing/address.ts";
import { PROXY_ERROR_CODES, isProxyErrorCode } from "../../service-worker/routing/error-codes.ts";
import type { Target } from "../../service-worker/routing/table.ts";
import type { VpcFunctionTarget } from "../config.ts";
import { didYouMean } from "../diagnostics.ts";
import { type Parsing, type Report, isPlainObject, quote } from "../read/document.ts";
import { looksLikeContents } from "../read/hide-secrets.ts";
import type { Path } from "../read/locate.ts";
import type { ModelTarget } from "../model.ts";
import { routeFields, targetFields } from "./config-schema.ts";
import { parseHar } from "./parse-har.ts";
import { parseOpenapi } from "./parse-openapi.ts";
import { parseRespond } from "./parse-respond.ts";
import { parseSocket } from "./parse-socket.ts";
import { splitPort, splitScheme } from "./split-address.ts";

const FORMS =
  'A target is "localhost:3000", "unix:path", "http://localhost:3000", "worker:NAME", "passthrough", "openapi:FILE", "har:FILE", { "respond": … } or { "deny": code }.';
const SCHEMES = ["worker", "unix", "http", "https", "openapi", "har"];

/** No scheme, no keyword and nothing too long. */
const USUAL_TARGET = /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/;

type PlainTarget = Exclude<Target, { type: "function" | "stand-in" }>;

interface TargetProblem extends Problem {
  /** What to write instead. */
  note: string;
}

/** @returns undefined if the value isn't a target, which is reported */
export function parseTarget(value: unknown, at: Path, parsing: Parsing): ModelTarget | undefined {
  const { document, report } = parsing;
  if (typeof value === "string") {
    const usual = USUAL_TARGET.test(value) ? parseHostAndPort(value) : undefined;
    if (usual !== undefined && !isProblem(usual)) return { ...usual, at };
    const [, kind, file = ""] = /^(openapi|har):(.*)$/is.exec(value) ?? [];
    if (kind !== undefined && file === "") {
      reportNoFile(value, { at, report });
      return undefined;
    }
    if (kind !== undefined && !/^\d+$/.test(file)) {
      return kind.toLowerCase() === "har"
        ? parseHar({ value: { har: file }, at, parseTarget }, parsing)
        : parseOpenapi(file, at, parsing);
    }
    const target = parseTargetText(value, document.folder);
    if (isProblem(target)) {
      report({
        code: "invalid-target",
        text: `the target ${quote(value)} ${target.problem}`,
        at,
        notes: [target.note],
      });
      return undefined;
    }
    if (target.type === "address" && isLikePassthrough(target.host)) {
      report({
        severity: "warning",
        code: "target-like-keyword",
        text: `the target ${quote(value)} is read as a host name`,
        at,
        notes: [
          `Did you mean "passthrough"?${value.includes(":") ? " It keeps the scheme and the port that the Worker asks for." : ""}`,
        ],
      });
    }
    return { ...target, at };
  }
  if (isFunctionTarget(value)) {
    return typeof value === "function" || hasOnlyFields(value, ["fetch", "connect"], { at, report })
      ? { type: "function", call: value, at }
      : undefined;
  }
  if (isPlainObject(value)) {
    if (Object.hasOwn(value, "deny")) return parseDeny(value, at, report);
    if (Object.hasOwn(value, "respond")) {
      const isAlone = hasOnlyFields(value, ["respond"], { at, report });
      const parsed = parseRespond(value["respond"], at, parsing);
      return isAlone ? parsed : undefined;
    }
    if (Object.hasOwn(value, "har")) return parseHar({ value, at, parseTarget }, parsing);
  }
  const asText = textInPlaceOf(value);
  if (asText !== undefined) {
    report({ code: "invalid-target", text: "the target is an object, but must be a string", at, notes: [asText] });
    return undefined;
  }
  report({
    code: "invalid-target",
    text: `the target is ${quote(value)}, which is not a target`,
    at,
    notes: [typeof value === "number" ? `A port alone has no host; write "localhost:${value}".` : FORMS],
  });
  return undefined;
}

/** @param host in normal form */
function isLikePassthrough(host: string): boolean {
  // Addresses have no letter but those of hexadecimal digits.
  if (host === "localhost" || !/[g-z]/.test(host)) return false;
  return host === "passthrough" || didYouMean(host, ["passthrough"]) !== undefined;
}

/** Whether the value is a target that is an object, with or without mistakes. */
export function isTargetObject(value: unknown): boolean {
  const fields = ["deny", "respond", "har", ...SCHEMES];
  return isFunctionTarget(value) || (isPlainObject(value) && fields.some((field) => Object.hasOwn(value, field)));
}

function reportNoFile(text: string, { at, report }: { at: Path; report: Report }): void {
  const example = `${text}./users.${text.toLowerCase() === "har:" ? "har" : "yaml"}`;
  report({
    code: "invalid-target",
    text: `the target ${quote(text)} names no file`,
    at,
    notes: [`Write ${quote(example)}: a path from the folder of the vpc config.`],
  });
}

/** @returns what to write in place of an object like `{ "openapi": "./users.yaml" }` */
function textInPlaceOf(value: unknown): string | undefined {
  const scheme = isPlainObject(value) ? SCHEMES.find((each) => Object.hasOwn(value, each)) : undefined;
  if (scheme === undefined || !isPlainObject(value)) return undefined;
  const rest = value[scheme];
  const slashes = scheme.startsWith("http") ? "//" : "";
  return `Write ${quote(`${scheme}:${slashes}${typeof rest === "string" ? rest.replace(/^\/\//, slashes === "" ? "//" : "") : "…"}`)}.`;
}

/** Whether the value is a function, or an object that has a `fetch` or `connect` function. */
export function isFunctionTarget(value: unknown): value is VpcFunctionTarget {
  if (typeof value === "function") return true;
  if (typeof value !== "object" || value === null) return false;
  const methods = [Reflect.get(value, "fetch"), Reflect.get(value, "connect")].filter((method) => method !== undefined);
  return methods.length > 0 && methods.every((method) => typeof method === "function");
}

/**
 * @param folder the base of a relative `unix:` path
 * @returns the target, with a Worker's name as written, or the reason why it isn't one
 */
function parseTargetText(text: string, folder: string): PlainTarget | TargetProblem {
  if (text === "passthrough") return { type: "passthrough" };
  if (text === "remote") {
    return {
      problem: "can only be a whole service or network",
      note: "Write \"remote\" in place of the service's or network's entry.",
    };
  }
  const { scheme, rest } = splitScheme(text) ?? { scheme: "", rest: "" };
  if (looksLikeContents(scheme === "" ? text : rest.replace(/^\/\//, "")))
    return { problem: "is not a target; it looks like the contents of a file", note: FORMS };
  const isUrl = rest.startsWith("//");
  switch (scheme.toLowerCase()) {
    case "worker":
      return /^[\w-]+$/.test(rest)
        ? { type: "worker", workerName: rest }
        : {
            problem: "has no Worker name",
            note: 'Write "worker:" followed by the "name" of a Worker of this session.',
          };
    case "unix":
      return parseSocket(rest, folder);
    case "http":
    case "https":
      // Three slashes are a typo, not a path.
      if (isUrl && !rest.startsWith("///"))
        return parseUrl(scheme.toLowerCase() === "http" ? "http" : "https", rest.slice(2));
      break;
    default:
  }
  // `name:3000` is a host and a port, even if the name looks like a scheme.
  if (scheme === "" || /^\d*$/.test(rest)) return parseAddress(text);
  const meant = didYouMean(scheme, SCHEMES);
  if (meant !== undefined) {
    const bare = rest.replace(/^\/+/, meant === "unix" ? "/" : "");
    return {
      problem: "is not a target",
      note: `Did you mean "${meant}${meant.startsWith("http") ? "://" : ":"}${bare}"?`,
    };
  }
  if (!isUrl) return parseAddress(text);
  const host = rest
    .slice(2)
    .replace(/[/?#].*$/s, "")
    .replace(/^.*@/s, "");
  return {
    problem: `has the scheme "${scheme}://"`,
    note: host === "" ? FORMS : `Write ${quote(host)}: the only schemes of a URL are http:// and https://.`,
  };
}

/** @param rest the part after `http://` */
function parseUrl(scheme: "http" | "https", rest: string): PlainTarget | TargetProblem {
  const authority = rest.replace(/[/?#].*$/s, "");
  const tail = rest.slice(authority.length);
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const extras = [
    ...(host === authority ? [] : ["a user name"]),
    ...(/^\/?([?#]|$)/.test(tail) ? [] : ["a path"]),
    ...(tail.includes("?") ? ["a query"] : []),
    ...(tail.includes("#") ? ["a fragment"] : []),
  ];
  if (extras.length > 0) {
    return {
      problem: `has ${extras.join(" and ")}`,
      note: `Write "${scheme}://${host}": path, query and credentials come from the request.`,
    };
  }
  const address = parseAddress(host);
  return isProblem(address) ? address : { ...address, scheme };
}

function parseAddress(text: string): Extract<Target, { type: "address" }> | TargetProblem {
  if (/^:?\d+$/.test(text)) {
    return { problem: "is a port without a host", note: `Write "localhost:${text.replace(":", "")}".` };
  }
  if (text.includes("*"))
    return { problem: "has a wildcard", note: "A target is one place. Use a wildcard in the destination." };
  if (!text.startsWith("[") && text.split(":").length > 2) {
    return {
      problem: "is an IPv6 address without brackets",
      note: `Write "[${text}]" to keep the destination's port, or "[address]:port".`,
    };
  }
  const { hostText, portText } = splitPort(text);
  if (portText === undefined) {
    const host = parseHost(hostText);
    return isProblem(host) ? { problem: host.problem, note: FORMS } : { type: "address", host: toLoopback(host.text) };
  }
  return parseHostAndPort(text);
}

function parseHostAndPort(text: string): Extract<Target, { type: "address" }> | TargetProblem {
  const endpoint = parseEndpoint(text);
  if (isProblem(endpoint)) return { problem: endpoint.problem, note: FORMS };
  return { type: "address", host: toLoopback(endpoint.host.text), port: endpoint.port };
}

/** A server that listens at every address is dialled at loopback, because Windows can't dial "every address". */
const EVERY_ADDRESS: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

/** @param host in normal form */
export function toLoopback(host: string): string {
  return EVERY_ADDRESS.get(host) ?? host;
}

function parseDeny(value: Record<string, unknown>, at: Path, report: Report): ModelTarget | undefined {
  const isAlone = hasOnlyFields(value, ["deny"], { at, report });
  const code = value["deny"];
  if (typeof code === "string" && isProxyErrorCode(code)) return isAlone ? { type: "deny", code, at } : undefined;
  const meant = typeof code === "string" ? didYouMean(code, PROXY_ERROR_CODES) : undefined;
  report({
    code: "unknown-error-code",
    text: `"deny" is ${quote(code)}, which is not an error code`,
    at: [...at, "deny"],
    notes: [meant === undefined ? `Valid codes: ${PROXY_ERROR_CODES.join(", ")}.` : `Did you mean "${meant}"?`],
  });
  return undefined;
}

function hasOnlyFields(value: object, fields: string[], { at, report }: { at: Path; report: Report }): boolean {
  // An instance of a class can have state in addition to its methods.
  const isLiteral = [Object.prototype, null].includes(Object.getPrototypeOf(value));
  const unknown = isLiteral ? Object.keys(value).filter((key) => !fields.includes(key)) : [];
  for (const key of unknown) {
    const meant = didYouMean(key, fields);
    const valid = meant === undefined ? `Valid fields: ${fields.join(", ")}.` : `Did you mean "${meant}"?`;
    report({
      code: "unknown-field",
      text: `${quote(key)} is not a field of a target`,
      at: [...at, key],
      part: "key",
      notes: [fields.includes("deny") ? valid : (placeOfSetting(key, { beside: fields, at }) ?? valid)],
    });
  }
  return unknown.length === 0;
}

/** @returns where to write a setting that stands in a target; undefined: it is none */
function placeOfSetting(key: string, { beside: [field = ""], at }: { beside: string[]; at: Path }): string | undefined {
  const isRoute = at[0] === "networks";
  if (isRoute && key === "rateLimit") return MOVE_RATE_LIMIT;
  if (!Object.hasOwn(isRoute ? routeFields : targetFields, key)) return undefined;
  return at.at(-1) === "target"
    ? `Move it out of "target", to stand beside it.`
    : `Write { "target": { "${field}": … }, "${key}": … }.`;
}

export const MOVE_RATE_LIMIT =
  "Move it to the entry of the network or of the service, or to the top of the vpc config.";
