/** What answers in place of a service: data of the vpc config, or a file. */

import type { Duplex } from "node:stream";

import type { Target } from "../../service-worker/routing/table.ts";
import type { Field } from "../egress/http/headers.ts";
import type { RecordingSpec } from "../recordings/recording-spec.ts";

/**
 * Answers a request. One that is over before its answer aborts the request's signal.
 *
 * @throws {EgressError} a failure that the Worker gets in place of an answer; with `nearest` if the stand-in has no answer
 */
export type StandIn = ((request: Request, context: StandInContext) => Promise<Response>) & StandInParts;

export interface StandInContext {
  /** As the Worker wrote it. The request's own is `http:`. */
  url: URL;
  /** Remembers in the journal, in words, what is wrong with a request that is answered anyway. */
  note(text: string): void;
}

/** What only some stand-ins have. */
export interface StandInParts {
  /** Answers a request for an upgrade. @throws {EgressError} as the stand-in itself does */
  upgrade?(request: Request, context: StandInContext): Promise<Upgraded | Response>;
  /** What answers the requests for which it has no answer. Its calls are observed. */
  fallback?: Fallback;
  /** The target whose answers are recorded, in place of any of its own. */
  recorded?: { target: Target; spec: RecordingSpec };
  /** The session begins anew. */
  restart?(): void;
  /** No vpc config has it any more. What was asked is still answered. */
  close?(): void;
}

/** An upgrade that is accepted. */
export interface Upgraded {
  /** Of the 101. */
  fields: Field[];
  /** Plays the server's end. */
  play(socket: Duplex): void;
}

export interface Fallback {
  target: Target;
  /** @returns whether the stand-in itself has an answer; true if it fails */
  isAnswered(request: Request, context: StandInContext): Promise<boolean>;
}

/** Where a stand-in is. An edit of the vpc config may change all but the folder. */
export interface StandInPlace {
  /** The folder of the vpc config: the base of relative paths. */
  folder: string;
  /** `file:line:column` of the target. */
  origin: string;
  /** As the terminal shows it. */
  text: string;
}
