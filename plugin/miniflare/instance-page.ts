/** The page of one Miniflare instance, kept across its reloads and the edits of its vpc config. */

import type { PluginServicesOptions } from "miniflare";

import type { Scenario } from "../scenario/scenario.ts";
import { messageOf } from "../system/error.ts";
import type { Page } from "../ui/page.ts";
import type { UiChoice } from "../ui/ui-choice.ts";

export interface InstancePage {
  /** Serves it, or ends it. An open one keeps its address. */
  set(choice: UiChoice | undefined, log: Pick<PluginServicesOptions["log"], "info" | "warn" | "error">): Promise<void>;
  readonly isServed: boolean;
  close(): void;
}

export function createInstancePage(scenario: Scenario): InstancePage {
  let page: Page | undefined;
  return {
    get isServed() {
      return page !== undefined;
    },
    async set(choice, log) {
      if (choice === undefined) return this.close();
      if (page !== undefined) return;
      try {
        // Imported only here, because most sessions have none.
        const { startPage } = await import("../ui/page.ts");
        page = await startPage(scenario, { ...choice, warn: (text) => log.warn(text) });
        log.info(`Traffic  ${page.url}`);
      } catch (error) {
        // A session without its page is still a session.
        log.error(new Error(`miniflare-vpc: can't serve the traffic page: ${messageOf(error)}.`));
      }
    },
    close() {
      page?.close();
      page = undefined;
    },
  };
}
