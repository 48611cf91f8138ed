/** Debian's Chromium, and the page of a Worker under test in it. */

import { existsSync } from "node:fs";

import { type Browser, type BrowserContextOptions, type Page, chromium } from "playwright-core";

import type { VpcConfig } from "../../plugin/config.ts";
import { type HttpOrigin, startHttpOrigin } from "../servers/http-origin.ts";
import { type TestServer, echo, startTcpServer } from "../servers/tcp-server.ts";
import { SERVICE, TUNNEL } from "../setup/test-worker.ts";
import { type Shown, callOnce, startShown } from "../ui/start-shown.ts";

/** Debian's, and what GitHub's Ubuntu comes with. */
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/google-chrome"];

/** @throws {Error} without Chromium */
export async function openBrowser(): Promise<Browser & AsyncDisposable> {
  const executablePath = BROWSERS.find((file) => existsSync(file));
  if (executablePath === undefined) throw new Error(`there is no ${BROWSERS[0]}: run .ci/install-servers as root`);
  // As root, which is how CI runs, Chromium refuses its sandbox.
  return await chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

export interface BrowsedSession extends AsyncDisposable {
  shown: Shown;
  browser: Browser;
  origin: HttpOrigin;
  database: TestServer;
  /** Makes a call, which may fail, and waits until the journal has all of it. */
  make(op: string, argument: object): Promise<void>;
  /** Opens the traffic page in a browser of its own, without cookies, permissions or tabs of another one. */
  openTab(options?: BrowserContextOptions): Promise<Page>;
  /** @throws {Error} with what the console and the page itself have reported since the last call */
  throwProblems(): void;
}

type Routes = NonNullable<Exclude<NonNullable<VpcConfig["networks"]>[string], string>["routes"]>;

/** @param answer of the HTTP target. @param routes in addition to `a.internal` and `db.internal:5432`. @param more of the vpc config */
export async function startBrowsed(
  answer: Parameters<typeof startHttpOrigin>[0],
  routes: Routes = {},
  more: VpcConfig = {},
): Promise<BrowsedSession> {
  const stack = new AsyncDisposableStack();
  const origin = stack.use(await startHttpOrigin(answer));
  const database = stack.use(await startTcpServer(echo));
  const shown = stack.use(
    await startShown({
      services: { [SERVICE]: `http://127.0.0.1:${origin.port}` },
      ...more,
      networks: {
        [TUNNEL]: {
          routes: {
            "a.internal": `127.0.0.1:${origin.port}`,
            "db.internal:5432": `127.0.0.1:${database.port}`,
            ...routes,
          },
        },
      },
    }),
  );
  const browser = stack.use(await openBrowser());
  const problems: string[] = [];
  return {
    shown,
    browser,
    origin,
    database,
    make: async (op, argument) => void (await callOnce(shown, op, argument)),
    throwProblems() {
      if (problems.length > 0) throw new Error(problems.splice(0).join("\n"));
    },
    async openTab(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      const page = await context.newPage();
      page.on("pageerror", (error) => problems.push(error.message));
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) problems.push(message.text());
      });
      await page.goto(shown.url);
      return page;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
