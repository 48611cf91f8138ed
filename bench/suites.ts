/** The suites by name. */

import { benchDecide } from "./decide.ts";
import { benchHttp } from "./http.ts";
import { benchInstall } from "./install.ts";
import { benchPage } from "./page.ts";
import { benchPostgres } from "./postgres.ts";
import { benchRules } from "./rules.ts";
import { benchScale } from "./scale.ts";
import { benchStart } from "./start.ts";
import type { SuiteName } from "./section.ts";
import type { Suite } from "./suite.ts";
import { benchTcp } from "./tcp.ts";

export const suites: Record<SuiteName, Suite> = {
  http: benchHttp,
  tcp: benchTcp,
  postgres: benchPostgres,
  scale: benchScale,
  decide: benchDecide,
  start: benchStart,
  install: benchInstall,
  rules: benchRules,
  page: benchPage,
};
