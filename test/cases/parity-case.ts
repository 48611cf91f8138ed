/** One row of the parity list: what the Worker asks, how the origin answers, and where a path may differ. */

import type { Answer } from "../servers/observed-origin.ts";
import { type ProxyErrorCode, proxyErrorMessage } from "../../service-worker/proxy-error.ts";

/**
 * To add a row, add an object: all but the title has a default. Titles stand for themselves in their group.
 *
 * @example { title: "an empty query", ask: { path: "/a?" } }
 * @example { title: "a status of its own", answer: "HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n", gets: ["299 Odd"] }
 */
export interface ParityCase {
  title: string;
  /**
   * What the Worker does: one fetch, several one after the other, or a function that needs nothing around it, for its
   * source is what runs in workerd. Default: a GET of "/"
   */
  ask?: Ask | readonly Ask[] | Act;
  /** Default: a 200 with the body "a". */
  answer?: Answer;
  /** How what comes straight from the server begins: a status line, or what was thrown; one for each response. Default: "200 OK" */
  gets?: readonly string[];
  /** How many notes the origin takes; they are waited for. Default: 0 */
  notes?: number;
  /** How the transcript differs from that of the straight way. */
  deviates?: { direct?: Replacements; egress?: Replacements; reason: string };
}

export type Act = (scene: Scene) => Promise<Seen | Seen[]>;

/** One fetch; plain JSON data. */
export interface Ask {
  /** What follows the origin in the URL, or a whole URL in which `HOST` stands for the row's host and port. Default: `/` */
  path?: string;
  init?: SceneInit;
}

/** What the function of a row works with. */
export interface Scene {
  /** Of the binding under test. `path`: as in an `Ask`. */
  fetch: (path: string, init?: SceneInit) => Promise<SceneResponse>;
  /** A Response or what was thrown instead, body and all, as text. */
  see: (pending: SceneResponse) => Promise<Seen>;
}

// workerd's types and Node's can't be in one program.
export interface SceneInit {
  method?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  [option: string]: any;
}
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export type SceneResponse = any;

/** Lines of a transcript; the first is the status line, or what was thrown. */
export type Seen = string[];

/** Texts of the straight transcript and what stands there instead. Each must occur. */
export type Replacements = readonly (readonly [straight: string, instead: string])[];

/** A deviation of the egress proxy alone. */
export function proxied(reason: string, ...egress: Replacements): Pick<ParityCase, "deviates"> {
  return { deviates: { egress, reason } };
}

export const CLOSE_IS_LOCAL: Pick<ParityCase, "deviates"> = proxied(
  "the end of the target's connection is not the end of workerd's",
  ["← connection: close\n", ""],
);

/** What workerd throws for every connection that fails, whatever the cause. */
export const LOST = 'threw Error: Network connection lost. {"retryable":true}';

/** How a binding's own error looks to the Worker. */
export function thrown(code: ProxyErrorCode): string {
  return `threw Error: ${proxyErrorMessage(code)} {"remote":true}`;
}

/** What differs where workerd throws the same words for every cause: a binding throws the code of the cause. */
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

const SECOND_GET = '→ connection 2\n→ GET / HTTP/1.1\n→ Host: origin\n→ body ""\n';

/** For a GET of "/": what `failing` tells, where the direct path found it out by asking a second time. */
export function failingTwice(code: ProxyErrorCode): Failing {
  const { gets, deviates } = failing(code);
  const direct: Replacements = [[`← ${LOST}`, `${SECOND_GET}← ${thrown(code)}`]];
  const reason = "a VPC binding throws the code of the cause; the direct path lets the proxy ask again to learn it";
  return { gets, deviates: { ...deviates, direct, reason } };
}
