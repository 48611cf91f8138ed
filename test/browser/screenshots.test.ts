/**
 * Takes the pictures of the docs from a session like one of a user. `npm run test:browser -- screenshots` with
 * `MINIFLARE_VPC_SCREENSHOTS=docs/images` replaces them; otherwise they are only taken.
 */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { PAGE } from "../../plugin/ui/in-force.ts";
import { startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { SERVICE, TUNNEL } from "../setup/test-worker.ts";
import { createFolder } from "../setup/vpc-folder.ts";
import { type Shown, startShown } from "../ui/start-shown.ts";
import { openBrowser } from "./open-browser.ts";
import { shrinkPng } from "./small-png.ts";

const FOLDER = path.resolve(
  process.env["MINIFLARE_VPC_SCREENSHOTS"] ?? mkdtempSync(path.join(tmpdir(), "screenshots-")),
);
const stack = new AsyncDisposableStack();
let shown: Shown;
let browser: Browser;

const USER = {
  id: 7,
  name: "Ada Lovelace",
  email: "ada@example.com",
  roles: ["admin", "author"],
  team: { name: "Analytical Engine", members: 12 },
};

function answer(request: string): string {
  const [, path = ""] = /^\w+ (\S+) /.exec(request) ?? [];
  const status = path.startsWith("/reports")
    ? "503 Service Unavailable"
    : path.startsWith("/avatars")
      ? "404 Not Found"
      : "200 OK";
  const body = status.startsWith("200") ? JSON.stringify(USER) : '{"error":"not now"}';
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nServer: users-api\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

beforeAll(async () => {
  const users = stack.use(await startHttpOrigin(answer));
  const redis = stack.use(
    await startTcpServer((socket) => {
      socket.on("data", (chunk) => void socket.write(String(chunk).includes("GET") ? "$5\r\nhello\r\n" : "+OK\r\n"));
    }),
  );
  const project = stack.use(await createFolder({ "vpc.jsonc": configFor(users.port, redis.port) }));
  // So that places are shown as a user sees them.
  const before = process.cwd();
  process.chdir(project.folder);
  stack.defer(() => process.chdir(before));
  shown = stack.use(
    await startShown("vpc.jsonc", {
      USERS: { type: "vpc-service", id: SERVICE },
      PRIVATE: { type: "vpc-network", tunnelId: TUNNEL },
    }),
  );
  await shown.open();
  browser = stack.use(await openBrowser());
  await work();
});
afterAll(() => stack.disposeAsync());

function configFor(users: number, redis: number): string {
  return `{
  "services": { "USERS": "http://localhost:${users}" },
  "networks": {
    "PRIVATE": {
      "routes": {
        "cache.internal:6379": "localhost:${redis}",
        "mail.internal:25": "localhost:1",
        "*.internal": "localhost:${users}"
      }
    }
  }
}`;
}

/** A moment of a shop's Worker. */
async function work(): Promise<void> {
  const users = (path: string, more: object = {}): Promise<unknown> =>
    shown.call("fetch", { binding: "USERS", url: `http://users.internal${path}`, ...more });
  const elsewhere = (url: string): Promise<unknown> => shown.call("fetch", { binding: "PRIVATE", url }).catch(() => {});
  const redis = (text: string): Promise<unknown> =>
    shown.call("connect", { binding: "PRIVATE", address: "cache.internal:6379", text }).catch(() => {});
  for (const id of [1, 2, 3]) await users(`/users/${id}`);
  await redis("*3\r\n$3\r\nSET\r\n$8\r\ngreeting\r\n$5\r\nhello\r\n");
  await users("/users/7?expand=team");
  await elsewhere("http://orders.internal/orders/1042");
  await users("/avatars/7.png");
  await redis("*2\r\n$3\r\nGET\r\n$8\r\ngreeting\r\n");
  await users("/reports/monthly");
  await shown.call("connect", { binding: "PRIVATE", address: "mail.internal:25", text: "EHLO shop" }).catch(() => {});
  await elsewhere("http://vault.example/secrets/stripe");
  await users("/users/7", { method: "POST", size: 64 });
  await elsewhere("http://orders.internal/orders/1043");
  await users("/users/9");
}

async function openTab(colorScheme: "light" | "dark", width: number, height: number): Promise<Page> {
  const permissions = ["clipboard-read", "clipboard-write"];
  const page = await browser.newPage({ colorScheme, viewport: { width, height }, permissions });
  await page.goto(shown.url);
  await page.getByRole("row").filter({ hasText: "/users/9" }).waitFor();
  await expect.poll(() => page.locator(".rows .duration .open").count()).toBe(0);
  return page;
}

test.each<[file: string, scheme: "light" | "dark", width: number, height: number, row: string | undefined]>([
  ["traffic-list", "light", 1280, 560, undefined],
  ["traffic-call", "light", 1280, 1000, "?expand=team"],
  ["traffic-refused-dark", "dark", 1280, 640, "vault.example"],
  ["traffic-connection-dark", "dark", 1280, 900, "cache.internal:6379"],
  ["traffic-narrow", "light", 600, 640, undefined],
])("%s", async (file, scheme, width, height, row) => {
  const page = await openTab(scheme, width, height);
  if (row !== undefined) {
    await page.getByRole("row").filter({ hasText: row }).last().click();
    await page
      .getByRole("region", { name: "Call" })
      .getByText(/"Ada Lovelace"|No body|hello/)
      .first()
      .waitFor();
  }
  await takePicture(page, file);
});

async function takePicture(page: Page, file: string): Promise<void> {
  // No button is pointed at, and no cursor blinks.
  await page.mouse.move(0, 0);
  const taken = await page.screenshot({ caret: "hide" });
  const small = shrinkPng(taken);
  expect(small.length).toBeGreaterThan(5000);
  expect(small.length).toBeLessThan(100_000);
  writeFileSync(path.join(FOLDER, `${file}.png`), small);
  await page.close();
}

describe("with rules in force", () => {
  beforeAll(() => {
    shown.scenario.addRule({ who: "USERS", call: "GET /reports/*", respond: { status: 503 } }, "client");
    const latency = { type: "latency", stream: "downstream", toxicity: 0.5, attributes: { latency: 300, jitter: 50 } };
    shown.scenario.addRule({ who: "cache.internal:6379", faults: [latency] }, PAGE);
  });
  afterAll(() => shown.scenario.removeRules(() => true));

  test("traffic-acts", async () => {
    const page = await openTab("light", 1280, 620);
    await page.getByRole("row").filter({ hasText: "?expand=team" }).click();
    const call = page.getByRole("region", { name: "Call" });
    await call.getByText('"Ada Lovelace"').waitFor();
    await call.getByRole("button", { name: "Copy as test" }).click();
    await call.getByRole("status").getByText("vpc.on").waitFor();
    await page.getByRole("region", { name: "In force" }).getByText("latency=300").waitFor();
    await takePicture(page, "traffic-acts");
  });

  test("traffic-fault-dark", async () => {
    const page = await openTab("dark", 1280, 560);
    await page.getByRole("row").filter({ hasText: "orders/1042" }).click();
    await page.getByRole("region", { name: "Call" }).getByRole("button", { name: "Add fault" }).click();
    const panel = page.getByRole("dialog", { name: "Add a fault" });
    await panel.getByRole("combobox", { name: "Fault", exact: true }).selectOption("slicer");
    await panel.getByLabel("Average size").waitFor();
    await takePicture(page, "traffic-fault-dark");
  });
});

test("traffic-overview", async () => {
  const page = await openTab("light", 1280, 900);
  await page.getByRole("button", { name: "Overview" }).click();
  await page.getByText("No answer from 1 of").waitFor();
  await page.getByRole("region", { name: "All", exact: true }).waitFor();
  await takePicture(page, "traffic-overview");
});
