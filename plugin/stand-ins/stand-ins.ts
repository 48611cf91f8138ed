/**
 * The stand-ins of one session. Makes each once, and keeps it over an edit of the vpc config that changes nothing of it.
 */

import type { LinkedStandIn } from "../link/resolve-target.ts";
import { specOf } from "../recordings/recording-spec.ts";
import { makeOpenapi } from "./openapi.ts";
import { makeReplay } from "./replay.ts";
import { makeRespond } from "./respond.ts";
import type { StandIn } from "./stand-in.ts";

export interface StandIns {
  /** @returns those that are wanted, by id, and those of rules. The others are forgotten */
  serve(wanted: ReadonlyMap<string, LinkedStandIn>): ReadonlyMap<string, StandIn>;
  /** Adds one of a rule to what `serve` has returned last. It stays. @returns its id */
  add(linked: LinkedStandIn): string;
  /** The session begins anew, as at its start. */
  restart(): void;
  /** The session is over. */
  close(): void;
}

interface Kept {
  standIn: StandIn;
  linked: LinkedStandIn;
}

/** @param warn prints a line in the terminal */
export function createStandIns(warn: (text: string) => void): StandIns {
  /** By what they were made of. */
  let kept = new Map<string, Kept>();
  let served = new Map<string, StandIn>();
  const ofRules = new Map<string, LinkedStandIn>();

  function keep(given: LinkedStandIn, known: readonly ReadonlyMap<string, Kept>[]): [string, Kept] {
    const { model, folder, behind } = given;
    const key = JSON.stringify([model, folder, behind]);
    const found = known.map((each) => each.get(key)).find((each) => each !== undefined);
    // An edit may have moved it.
    if (found !== undefined) return [key, Object.assign(found, { linked: Object.assign(found.linked, given) })];
    const linked = { ...given };
    return [key, { standIn: make(linked, warn), linked }];
  }

  return {
    serve(wanted) {
      const next = new Map<string, Kept>();
      served = new Map();
      for (const [id, linked] of [...ofRules, ...wanted]) {
        const [key, entry] = keep(linked, [next, kept]);
        next.set(key, entry);
        served.set(id, entry.standIn);
      }
      for (const [key, { standIn }] of kept) if (!next.has(key)) standIn.close?.();
      kept = next;
      return served;
    },
    add(linked) {
      const [key, entry] = keep(linked, [kept]);
      const id = `rule:${key}`;
      kept.set(key, entry);
      ofRules.set(id, linked);
      served.set(id, entry.standIn);
      return id;
    },
    restart() {
      for (const { standIn } of kept.values()) standIn.restart?.();
    },
    close() {
      for (const { standIn } of kept.values()) standIn.close?.();
      kept.clear();
    },
  };
}

/** @param linked may change later */
function make(linked: LinkedStandIn, warn: (text: string) => void): StandIn {
  const { model } = linked;
  switch (model.type) {
    case "respond":
      return makeRespond(model, linked);
    case "har": {
      const { origin, behind } = linked;
      const spec = specOf(model);
      return spec === undefined || behind === undefined
        ? makeReplay(model, { origin, behind })
        : makeRecorded({ target: behind, spec });
    }
    case "openapi":
      return makeOpenapi(model.file, { place: linked, warn });
    default:
      return model satisfies never;
  }
}

/** Its target answers, which the egress proxy sees to. */
function makeRecorded(recorded: NonNullable<StandIn["recorded"]>): StandIn {
  return Object.assign(refuseItself.bind(undefined), { recorded });
}

async function refuseItself(): Promise<Response> {
  throw new Error("miniflare-vpc: a target that is recorded answers itself");
}
