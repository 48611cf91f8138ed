/** What is recorded, and how. */

import type { HarModel } from "../model.ts";
import { isCi } from "../system/is-ci.ts";

export interface RecordingSpec {
  /** Absolute path. */
  file: string;
  /** Names of header fields, query parameters and fields of JSON and forms, besides those that are always secret. */
  redact: readonly string[];
  style: HarStyle;
}

/** What `miniflare-vpc dev` asks of the session that it starts. */
export interface SessionRecording {
  /** A folder that only this user can enter, for what is left if the session is killed. */
  recovery: string;
  /** `--record`: all HTTP calls of the session. */
  all?: RecordingSpec;
}

/** Playwright's words. */
export interface HarStyle {
  /** `attach`: bodies are files beside the HAR file, named by the SHA-1 of their bytes, as Playwright names them. */
  content: "embed" | "attach";
  /** `minimal`: only what a replay needs; no sizes, timings, cookies, addresses and certificates. */
  mode: "full" | "minimal";
}

export const DEFAULT_STYLE: HarStyle = { content: "embed", mode: "full" };

/** @returns undefined for a recording that is replayed. Under CI, all of them are */
export function specOf(model: HarModel): RecordingSpec | undefined {
  const { file, update, target, redact = [] } = model;
  if (update !== true || target === undefined || isCi()) return undefined;
  return { file, redact, style: styleOf(model) };
}

export function styleOf({ updateContent, updateMode }: Pick<HarModel, "updateContent" | "updateMode">): HarStyle {
  return { content: updateContent ?? DEFAULT_STYLE.content, mode: updateMode ?? DEFAULT_STYLE.mode };
}
