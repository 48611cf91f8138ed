/** Whether a session has the page that shows its traffic, and on which port. */

import { isCi } from "../system/is-ci.ts";

/** As the vpc config and `withVpc()` write it. */
export type UiSetting = boolean | { port: number };

/** `default`: what `miniflare-vpc dev` asks for unless its command line says more. */
export type UiRequest = UiSetting | "default";

export interface UiChoice {
  /** 0: any free one. */
  port: number;
}

interface Situation {
  /** By the command line or by code. */
  asked: UiRequest | undefined;
  /** In the vpc config. */
  configured: UiSetting | undefined;
  isForTest: boolean;
  env: NodeJS.ProcessEnv;
}

/** @returns undefined if the session has none */
export function chooseUi({ asked, configured, isForTest, env }: Situation): UiChoice | undefined {
  if (asked === false) return undefined;
  const port = portOf(asked) ?? portOf(configured) ?? 0;
  if (asked === true || typeof asked === "object") return { port };
  // A file is there for everyone and everywhere; it asks for nothing where nobody looks.
  if (isCi(env) || isForTest) return undefined;
  const isOn = configured ?? asked === "default";
  return isOn === false ? undefined : { port };
}

function portOf(setting: UiRequest | undefined): number | undefined {
  return typeof setting === "object" ? setting.port : undefined;
}
