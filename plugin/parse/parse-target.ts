/**
 * Targets: the right-hand side of a route, and a service's "target". Looks nothing up: whether a
 * `worker:` exists is link's business.
 */

import path from "node:path";

import { type Problem, isProblem, parseEndpoint, parseHost } from "../../service-worker/address.ts";
import { PROXY_ERROR_CODES, isProxyErrorCode } from "../../service-worker/proxy-error.ts";
import type { Target } from "../../service-worker/table.ts";
import type { VpcFunctionTarget } from "../config.ts";
import { didYouMean } from "../diagnostics.ts";
import { type Parsing, type Report, isTable, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import type { ModelTarget } from "../model.ts";
import { splitPort, splitScheme } from "./split-address.ts";

const FORMS =
  'A target is "localhost:3000", "unix:path", "http://localhost:3000", "worker:NAME", "passthrough" or { "deny": code }.';
const SCHEMES = ["worker", "unix", "http", "https"];

interface TargetProblem extends Problem {
  /** What to write instead. */
  note: string;
}

/** @returns undefined when it is no target; that is reported then */
export function parseTarget(value: unknown, at: Path, { document, report }: Parsing): ModelTarget | undefined {
  if (typeof value === "string") {
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
    if (target.type === "address" && !value.includes(":") && didYouMean(value, ["passthrough"]) !== undefined) {
      report({
        severity: "warning",
        code: "target-like-keyword",
        text: `the target ${quote(value)} is read as a host name`,
        at,
        notes: ['Did you mean "passthrough"?'],
      });
    }
    return { ...target, at };
  }
  if (isFunctionTarget(value)) {
    return typeof value === "function" || hasOnlyFields(value, ["fetch", "connect"], { at, report })
      ? { type: "function", call: value, at }
      : undefined;
  }
  if (isTable(value) && Object.hasOwn(value, "deny")) return parseDeny(value, at, report);
  report({
    code: "invalid-target",
    text: `the target is ${quote(value)}, which is no target`,
    at,
    notes: [typeof value === "number" ? `A port alone has no host; write "localhost:${value}".` : FORMS],
  });
  return undefined;
}

/** Whether the value is a function, or an object that has a `fetch` or `connect` function. */
export function isFunctionTarget(value: unknown): value is VpcFunctionTarget {
  if (typeof value === "function") return true;
  if (typeof value !== "object" || value === null) return false;
  const methods = [Reflect.get(value, "fetch"), Reflect.get(value, "connect")].filter((method) => method !== undefined);
  return methods.length > 0 && methods.every((method) => typeof method === "function");
}

/**
 * @param folder what a relative `unix:` path starts from
 * @returns the target, a Worker's name as written; or why it is none
 */
function parseTargetText(text: string, folder: string): Exclude<Target, { type: "function" }> | TargetProblem {
  if (text === "passthrough") return { type: "passthrough" };
  if (text === "remote") {
    return {
      problem: "is for a whole service or network",
      note: "Write \"remote\" in place of the service's or network's entry.",
    };
  }
  const { scheme, rest } = splitScheme(text) ?? { scheme: "", rest: "" };
  const isUrl = rest.startsWith("//");
  switch (scheme.toLowerCase()) {
    case "worker":
      return /^[\w-]+$/.test(rest)
        ? { type: "worker", workerName: rest }
        : { problem: "names no Worker", note: 'Write "worker:" and the "name" of a Worker of this session.' };
    case "unix":
      return rest === ""
        ? { problem: "names no socket", note: 'Write "unix:" and the path of a socket.' }
        : { type: "unix", path: path.resolve(folder, rest) };
    case "http":
    case "https":
      // More slashes are a slip, not a path.
      if (isUrl && !rest.startsWith("///"))
        return parseUrl(scheme.toLowerCase() === "http" ? "http" : "https", rest.slice(2));
      break;
    default:
  }
  // `name:3000` is a host and a port, whatever the name.
  if (scheme === "" || /^\d*$/.test(rest)) return parseAddress(text);
  const meant = didYouMean(scheme, SCHEMES);
  if (meant !== undefined) {
    const bare = rest.replace(/^\/+/, meant === "unix" ? "/" : "");
    return {
      problem: "is no target",
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
    note: host === "" ? FORMS : `Write ${quote(host)}: only http:// and https:// are written out.`,
  };
}

/** @param rest what follows `http://` */
function parseUrl(scheme: "http" | "https", rest: string): Exclude<Target, { type: "function" }> | TargetProblem {
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
    return { problem: "has a wildcard", note: "A target is one place; wildcards belong into destinations." };
  if (!text.startsWith("[") && text.split(":").length > 2) {
    return {
      problem: "is an IPv6 address without brackets",
      note: `Write "[${text}]" to keep the destination's port, or "[address]:port".`,
    };
  }
  const { hostText, portText } = splitPort(text);
  if (portText === undefined) {
    const host = parseHost(hostText);
    return isProblem(host) ? { problem: host.problem, note: FORMS } : { type: "address", host: host.text };
  }
  const endpoint = parseEndpoint(text);
  if (isProblem(endpoint)) return { problem: endpoint.problem, note: FORMS };
  return { type: "address", host: endpoint.host.text, port: endpoint.port };
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
    notes: [meant === undefined ? `The codes are ${PROXY_ERROR_CODES.join(", ")}.` : `Did you mean "${meant}"?`],
  });
  return undefined;
}

function hasOnlyFields(value: object, fields: string[], { at, report }: { at: Path; report: Report }): boolean {
  // An instance of a class may hold state besides its methods.
  const isLiteral = [Object.prototype, null].includes(Object.getPrototypeOf(value));
  const unknown = isLiteral ? Object.keys(value).filter((key) => !fields.includes(key)) : [];
  for (const key of unknown) {
    const meant = didYouMean(key, fields);
    report({
      code: "unknown-field",
      text: `${quote(key)} is not a field of a target`,
      at: [...at, key],
      part: "key",
      notes: [meant === undefined ? `Beside "${fields[0]}" it can't stand.` : `Did you mean "${meant}"?`],
    });
  }
  return unknown.length === 0;
}
