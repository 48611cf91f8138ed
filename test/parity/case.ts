/** One parity case: the Worker's requests, the origin's response, and the differences that a path may have. */

import type { Answer } from "../servers/observed-origin.ts";
import { type ProxyErrorCode, proxyErrorMessage } from "../../service-worker/routing/error-codes.ts";

/**
 * To add a case, add an object. Everything but the title has a default. Titles are unique in their group.
 *
 * @example { title: "an empty query", ask: { path: "/a?" } }
 * @example { title: "an unknown status", answer: "HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n", gets: ["299 Odd"] }
 */
export interface ParityCase {
  title: string;
  /**
   * What the Worker does: one fetch, several in turn, or a function. A function must be self-contained, because its source
   * runs in workerd. Default: a GET of "/"
   */
  ask?: Ask | readonly Ask[] | Act;
  /** Default: a 200 with the body "a". */
  answer?: Answer;
  /** The start of each response on the straight path: a status line or a thrown error. Default: "200 OK" */
  gets?: readonly string[];
  /** Its requests are made at once, so they may arrive in any order. */
  isUnordered?: true;
  /** The number of notes to wait for at the origin. Default: 0 */
  notes?: number;
  /** How the transcript differs from that of the straight path. */
  deviates?: {
    direct?: Replacements;
    /** Default: as for `direct`. */
    native?: Replacements;
    egress?: Replacements;
    /** Default: as for `direct`, and for WebSockets, which take no lane, as for `egress`. */
    lane?: Replacements;
    /** Default: as for `egress`. */
    rest?: Replacements;
    /** Default: as for `egress`. */
    observed?: Replacements;
    reason: string;
  };
}

export type Act = (scene: Scene) => Promise<Seen | Seen[]>;

/** One fetch, as JSON data. */
export interface Ask {
  /** The part of the URL after the origin, or a whole URL in which `HOST` is replaced by the case's host and port. Default: `/` */
  path?: string;
  init?: SceneInit;
}

/** The argument of a case's function. */
export interface Scene {
  /** The `fetch()` of the binding under test. `path`: as in an `Ask`. */
  fetch: (path: string, init?: SceneInit) => Promise<SceneResponse>;
  /** @returns a Response with its body, or the thrown error, as text */
  see: (pending: SceneResponse) => Promise<Seen>;
}

// One program can't have the types of both workerd and Node.
export interface SceneInit {
  method?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  [option: string]: any;
}
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export type SceneResponse = any;

/** Lines of a transcript. The first is the status line or the thrown error. */
export type Seen = string[];

/** Texts of the straight transcript and their replacements. Each text must occur. */
export type Replacements = readonly (readonly [straight: string, instead: string])[];

/** A deviation of the egress proxy only. */
export function proxied(reason: string, ...egress: Replacements): Pick<ParityCase, "deviates"> {
  return { deviates: { egress, reason } };
}

/** The same for an answer whose body ends with the connection: a lane leaves the request to the proxy, which sends it again. */
export function proxiedAgain(reason: string, ...egress: Replacements): Pick<ParityCase, "deviates"> {
  return { deviates: { egress, lane: [...egress, AGAIN], reason } };
}

/** The same for a request that may not be repeated: it goes through the proxy on both paths. */
export function alwaysProxied(reason: string, ...both: Replacements): Pick<ParityCase, "deviates"> {
  return { deviates: { direct: both, egress: both, reason } };
}

/** For a request that may not be repeated, and therefore uses a new connection. */
export const APART = "a request that may not be repeated doesn't use a connection that may be about to close";

export const CLOSE_IS_LOCAL: Pick<ParityCase, "deviates"> = proxied(
  "workerd's connection stays open when the target's closes",
  ["← connection: close\n", ""],
);

/** workerd throws this for every failed connection. */
export const LOST = 'threw Error: Network connection lost. {"retryable":true}';

/** A binding's own error in the Worker. */
export function thrown(code: ProxyErrorCode): string {
  return `threw Error: ${proxyErrorMessage(code)} {"remote":true}`;
}

/** The deviation for a failed connection: workerd throws `LOST`, and a binding throws the code of the cause. */
interface Failing {
  gets: readonly string[];
  deviates: { direct: Replacements; egress: Replacements; reason: string };
}

export function failing(code: ProxyErrorCode): Failing {
  const instead: Replacements = [[LOST, thrown(code)]];
  return {
    gets: [LOST],
    deviates: { direct: instead, egress: instead, reason: "a VPC binding throws the code of the cause" },
  };
}

const GET = '→ GET / HTTP/1.1\n→ Host: origin\n→ body ""\n';
const SECOND_GET = `→ connection 2\n${GET}`;
/** The first request of a transcript, a GET of "/", comes twice. */
export const AGAIN: Replacements[number] = [`→ connection 1\n${GET}`, `→ connection 1\n${GET}${SECOND_GET}`];

/** The same for a GET of "/", where the direct path repeats the request through the proxy to learn the cause. */
export function failingTwice(code: ProxyErrorCode): Failing {
  const { gets, deviates } = failing(code);
  const direct: Replacements = [[`← ${LOST}`, `${SECOND_GET}← ${thrown(code)}`]];
  const reason =
    "a VPC binding throws the code of the cause; the direct path repeats the request through the proxy to learn it";
  return { gets, deviates: { ...deviates, direct, reason } };
}
