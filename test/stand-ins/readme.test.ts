/** The examples in docs/stand-ins.md work, and do what the page says. */

import { copyFileSync, readFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { SERVICE, TUNNEL, type TestEnv, startTestWorker } from "../setup/test-worker.ts";
import { createFolder, networkBinding, serviceBinding } from "../setup/vpc-folder.ts";
import { REPOSITORY, linkFolder } from "../wrangler/temporary-project.ts";

const page = readFileSync(path.join(REPOSITORY, "docs/stand-ins.md"), "utf8");
const configs = Array.from(page.matchAll(/```jsonc\n(\/\/ vpc\.jsonc\n[^]*?)```/g), ([, config = ""]) => config);
const LIST = configs.find((config) => config.includes('"when"')) ?? "";
const FILES = { "ada.png": "a picture", "wrangler.jsonc": "{}" };

interface Asking {
  binding?: "NET" | "API";
  url: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

const ops = {
  ask: async (env: TestEnv, { binding = "NET", url, ...init }: Asking): Promise<string> =>
    env[binding].fetch(url, init).then(
      async (response) => `${response.status} ${response.headers.get("cache-control")} ${await response.text()}`,
      (error: Error) => error.message,
    ),
};

/** The page's names, as the test's Worker has them. */
function withBindings(config: string): string {
  return config.replace('"PRIVATE"', '"NET"').replace(/"(USERS|ORDERS)"/, '"API"');
}

async function createProject(config: string): ReturnType<typeof createFolder> {
  const project = await createFolder({ ...FILES, "vpc.jsonc": config });
  copyFileSync(path.join(REPOSITORY, "fixtures/stand-ins/orders.yaml"), path.join(project.folder, "orders.yaml"));
  linkFolder(path.join(REPOSITORY, "node_modules"), path.join(project.folder, "node_modules"));
  return project;
}

test.each(configs.map((config) => [config]))("%s", async (config) => {
  await using project = await createProject(config);
  const bindings = [
    ...["USERS", "ORDERS"].filter((name) => config.includes(`"${name}"`)).map((name) => serviceBinding(name, SERVICE)),
    ...(config.includes('"PRIVATE"') ? [networkBinding("PRIVATE", TUNNEL)] : []),
  ];
  expect(project.format(await project.load([project.worker("app", bindings)]))).toEqual([]);
});

test("the list answers, and the terminal says what no answer is for", { timeout: 60_000 }, async () => {
  await using project = await createProject(withBindings(LIST));
  await using worker = await startTestWorker({ ops, config: path.join(project.folder, "vpc.jsonc") });
  const ask = (asked: string, init: Omit<Asking, "url" | "method"> = {}): Promise<string> => {
    const [method = "", target = ""] = asked.split(" ");
    return worker.call<string>("ask", { url: `http://users.internal${target}`, method, ...init });
  };
  await expect(ask("GET /users/7")).resolves.toBe('200 null {"id":"7","name":"Ada"}');
  await expect(ask("GET /avatars/7")).resolves.toBe("200 no-store a picture");
  await expect(ask("POST /users", { body: '{"name":"Ada"}' })).resolves.toBe("201 null ");
  await expect(ask("GET /me", { headers: { authorization: "Bearer x" } })).resolves.toBe("200 null signed in");
  await expect(ask("GET /slow")).resolves.toBe("200 null late");
  const [, code = "", message = ""] = /```\n(ProxyError: \w+)\n +(.*)\n```/.exec(page) ?? [];
  await expect(ask("PUT /users/7")).resolves.toBe(code);
  expect(worker.output().replaceAll(`${project.folder}${path.sep}`, "")).toContain(message);
  await expect(ask("POST /users", { body: '{"name":"Bob"}' })).resolves.toBe(code);
  expect(worker.output()).toContain(
    `The nearest is POST /users with its json: the JSON body's name is "Bob", not "Ada"`,
  );
});

test("settings of a route stand around the target", { timeout: 60_000 }, async () => {
  const [route = ""] = /^`(\{ "target": \{ "respond".*\})`\.$/m.exec(page)?.slice(1) ?? [];
  await using project = await createProject(`{ "networks": { "NET": { "routes": { "users.internal": ${route} } } } }`);
  await using worker = await startTestWorker({ ops, config: path.join(project.folder, "vpc.jsonc") });
  await expect(worker.call("ask", { url: "http://users.internal/" })).resolves.toBe("503 null ");
});

test("an OpenAPI document answers, and says what it does not allow", { timeout: 120_000 }, async () => {
  const config = configs.find((each) => each.includes("openapi:")) ?? "";
  await using project = await createProject(withBindings(config));
  await using worker = await startTestWorker({ ops, config: path.join(project.folder, "vpc.jsonc") });
  const ask = (target: string): Promise<string> =>
    worker.call<string>("ask", { binding: "API", url: `http://orders${target}` });
  await expect(ask("/orders/7")).resolves.toBe('200 null {"id":7,"item":"apple"}');
  await expect(ask("/orders/seven")).resolves.toMatch(/^422 /);
  const [, message = ""] = /^ *`(openapi:\.\/orders\.yaml does not allow .*)`$/m.exec(page) ?? [];
  expect(message).not.toBe("");
  expect(worker.output()).toContain(message);
});
