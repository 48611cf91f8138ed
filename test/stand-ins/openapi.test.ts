/** OpenAPI documents as targets, end to end: the mock server answers, and what a document does not allow is named. */

import { writeFileSync } from "node:fs";
import path from "node:path";

import { connectVpc, latency } from "miniflare-vpc/test/node";
import { describe, expect, test, vi } from "vitest";

import { SERVICE, TUNNEL, type TestEnv, type TestWorker, startTestWorker } from "../setup/test-worker.ts";
import { type VpcFolder, createFolder, networkBinding } from "../setup/vpc-folder.ts";
import { linkFolder } from "../wrangler/temporary-project.ts";

/** The first answer waits until a thread has loaded the mock server. */
const TIMEOUT = 120_000;

const USERS = `openapi: 3.0.3
info: { title: Users, version: "1" }
servers: [{ url: "https://users.example.com/v1" }]
security: [{ token: [] }]
components:
  securitySchemes: { token: { type: http, scheme: bearer } }
  schemas:
    User:
      type: object
      required: [name]
      properties: { name: { type: string, format: nickname }, age: { type: integer } }
paths:
  /users/{id}:
    get:
      parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
      responses:
        "200":
          description: A user
          content: { application/json: { schema: { $ref: "#/components/schemas/User" }, example: { name: Ada, age: 36 } } }
  /users:
    get:
      security: []
      responses:
        "200":
          description: All
          content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/User" } } } }
    post:
      security: []
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/User" } } } }
      responses: { "201": { description: Made } }
`;

interface Seen {
  status?: number;
  text: string;
}

interface Asking {
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

const ops = {
  ask: async (env: TestEnv, { path: pathname, ...init }: Asking): Promise<Seen> => {
    try {
      const response = await env.NET.fetch(`https://users.internal${pathname}`, init);
      return { status: response.status, text: await response.text() };
    } catch (error) {
      return { text: (error as Error).message };
    }
  },
};

/** A folder with a vpc config and the mock server of this repository. */
async function createProject(files: Record<string, string>, target = "openapi:./users.yaml"): Promise<VpcFolder> {
  const folder = await createFolder({
    "vpc.jsonc": `{\n"networks": { "${TUNNEL}": { "routes": { "users.internal": "${target}" } } } }`,
    ...files,
  });
  linkFolder(path.resolve(import.meta.dirname, "../../node_modules"), path.join(folder.folder, "node_modules"));
  return folder;
}

function start({ folder }: VpcFolder): Promise<TestWorker> {
  return startTestWorker({ ops, config: path.join(folder, "vpc.jsonc") });
}

function asker(worker: TestWorker): (asking: Asking) => Promise<Seen> {
  return (asking) => worker.call<Seen>("ask", asking);
}

const TOKEN = { authorization: "Bearer x" };
const JSON_BODY = { "content-type": "application/json" };

/** A document whose answers are this name and a file. */
function documentWith(name: string): string {
  return JSON.stringify({
    openapi: "3.1.0",
    info: { title: "Users", version: "1" },
    paths: {
      "/name": { get: { responses: { 200: { content: { "text/plain": { example: name } } } } } },
      "/far": {
        get: { responses: { 200: { content: { "application/json": { schema: { $ref: "./far.json" } } } } } },
      },
    },
  });
}

describe("openapi:", { timeout: TIMEOUT }, () => {
  test("answers with examples and by schemas, with or without the path of a server", async () => {
    const written = vi.spyOn(process.stderr, "write");
    await using project = await createProject({ "users.yaml": USERS });
    await using worker = await start(project);
    const ask = asker(worker);
    expect(await ask({ path: "/v1/users/1", headers: TOKEN })).toEqual({
      status: 200,
      text: '{"name":"Ada","age":36}',
    });
    expect(await ask({ path: "/users/1", headers: TOKEN })).toEqual({ status: 200, text: '{"name":"Ada","age":36}' });
    const all = await ask({ path: "/v1/users" });
    expect(JSON.parse(all.text)).toEqual([{ name: expect.any(String) as unknown, age: expect.any(Number) as unknown }]);
    expect(await ask({ path: "/v1/users", method: "POST", headers: JSON_BODY, body: '{"name":"Ada"}' })).toEqual({
      status: 201,
      text: "",
    });
    expect(await ask({ path: "/v1/users", method: "HEAD" })).toEqual({ status: 200, text: "" });
    // The mock server prints that it doesn't know the format "nickname".
    expect(worker.output() + String(written.mock.calls)).not.toMatch(/nickname|Authentication:/);
    expect(worker.output()).toContain("→ openapi:./users.yaml  200");
    written.mockRestore();
  });

  test("what the document does not allow is named in the terminal and in the journal", async () => {
    await using project = await createProject({ "users.yaml": USERS });
    await using worker = await start(project);
    const ask = asker(worker);
    await using vpc = await connectVpc(worker.miniflare);
    await using _ = await vpc.on("users.internal").fault(latency(1));
    const refused: [Asking, number, string][] = [
      [{ path: "/v1/users/1?key=secret" }, 401, "GET /v1/users/1: it requires credentials: Bearer"],
      [{ path: "/v1/users/x", headers: TOKEN }, 422, "GET /v1/users/x: id must be integer (path)"],
      [
        { path: "/v1/users", method: "POST", headers: JSON_BODY, body: '{"name":5}' },
        422,
        "POST /v1/users: must be string (body/name)",
      ],
      [
        { path: "/v1/user", method: "DELETE" },
        404,
        "DELETE /v1/user: it has no such operation; the nearest is GET and POST /users",
      ],
    ];
    for (const [asking, status, text] of refused) {
      expect(await ask(asking)).toMatchObject({ status });
      expect(worker.output()).toContain(`openapi:./users.yaml does not allow ${text}. It answered ${status}.`);
    }
    const requests = await vpc.requests("users.internal");
    expect(requests.map(({ reason }) => reason)).toEqual(
      refused.map(([, , text]) => `openapi:./users.yaml does not allow ${text}`),
    );
    expect(worker.output()).not.toContain("secret");
  });

  test("an edit of the document, or of a file that it refers to, counts at once; a broken one keeps the last good one", async () => {
    await using project = await createProject(
      { "users.json": documentWith("one"), "far.json": '{"const":1}' },
      "openapi:./users.json",
    );
    await using worker = await start(project);
    const ask = asker(worker);
    const write = (name: string, text: string): void => writeFileSync(path.join(project.folder, name), text);
    expect(await ask({ path: "/name" })).toEqual({ status: 200, text: "one" });
    expect(await ask({ path: "/far" })).toEqual({ status: 200, text: "1" });
    write("users.json", documentWith("two"));
    expect(await ask({ path: "/name" })).toEqual({ status: 200, text: "two" });
    write("far.json", '{"const":2}');
    await expect.poll(() => ask({ path: "/far" }), { timeout: TIMEOUT }).toEqual({ status: 200, text: "2" });
    write("users.json", '{\n "openapi": }');
    expect(await ask({ path: "/name" })).toEqual({ status: 200, text: "two" });
    await expect
      .poll(() => worker.output(), { timeout: TIMEOUT })
      .toMatch(/users\.json:2:\d+: error: the OpenAPI document is not JSON/);
    write("users.json", documentWith("three"));
    expect(await ask({ path: "/name" })).toEqual({ status: 200, text: "three" });
  });

  test("a request selects an example by its name; one that is not there counts as none", async () => {
    const examples = { one: { value: { n: 1 } }, two: { value: { n: 2 } } };
    const responses = { 200: { description: "", content: { "application/json": { examples } } } };
    const document = { openapi: "3.1.0", info: { title: "A", version: "1" }, paths: { "/a": { get: { responses } } } };
    await using project = await createProject({ "users.yaml": JSON.stringify(document) });
    await using worker = await start(project);
    const ask = (prefer: string): Promise<Seen> => asker(worker)({ path: "/a", headers: { prefer } });
    expect(await ask("example=two")).toEqual({ status: 200, text: '{"n":2}' });
    expect(await ask("example=nope")).toEqual({ status: 200, text: '{"n":1}' });
  });

  test("a rule may lead to it; the mistakes of a document that is too large for the start fail the call in words", async () => {
    const large = `${USERS}# ${"x".repeat(300_000)}\n`;
    await using project = await createProject({ "users.yaml": `${large}paths: {}\n`, "good.yaml": large });
    await using worker = await start(project);
    const ask = asker(worker);
    expect(await ask({ path: "/v1/users" })).toEqual({ text: "ProxyError: proxy_internal_error" });
    expect(worker.output()).toMatch(/can't answer: users\.yaml:\d+:1 is not YAML: Map keys must be unique/);
    await using vpc = await connectVpc(worker.miniflare);
    const good = `openapi:${path.join(project.folder, "good.yaml")}`;
    await vpc.on("users.internal", "GET /v1/*").to(good);
    expect(await ask({ path: "/v1/users" })).toMatchObject({ status: 200 });
    await expect(vpc.on("NET").to("openapi:./none.yaml")).rejects.toThrow(
      /"none.yaml" does not exist|"\.\/none\.yaml" does not exist/,
    );
  });
});

describe("a mistake is located", () => {
  const app = [networkBinding("NET", TUNNEL)];
  test.each<[string, Record<string, string>, string[]]>([
    [
      "a missing document",
      {},
      [
        'vpc.jsonc:2:87: error: the OpenAPI document "./users.yaml" does not exist [openapi-not-found]',
        "    Its full path is FOLDER/users.yaml.",
      ],
    ],
    [
      "broken YAML",
      { "users.yaml": "openapi: 3.0.3\npaths: { a: [ }\n" },
      [
        "users.yaml:2:15: error: the OpenAPI document is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ] [invalid-openapi]",
      ],
    ],
    [
      "YAML that is nested too deeply",
      { "users.yaml": `openapi: 3.0.3\npaths: ${"[".repeat(20_000)}` },
      [
        expect.stringMatching(
          /^users\.yaml:2:\d+: error: the OpenAPI document is nested too deeply to be read \[invalid-openapi\]$/,
        ),
      ],
    ],
    [
      "something else",
      { "users.yaml": "services: {}\n" },
      [
        'users.yaml:1:1: error: the OpenAPI document has no "openapi", so it is not an OpenAPI document [invalid-openapi]',
        '    Write "openapi": "3.1.0", "info", and "paths".',
      ],
    ],
    [
      "an unknown version",
      { "users.yaml": "openapi: 4.0.0\n" },
      [
        'users.yaml:1:1: error: the OpenAPI document has the version "4.0.0", which is not known [invalid-openapi]',
        '    Write "openapi": "3.1.0", "info", and "paths".',
      ],
    ],
    [
      "files that are missing, also those of other files",
      {
        "users.yaml":
          "openapi: 3.1.0\n# $ref: ./comment.yaml\npaths:\n  /a: { $ref: ./a.yaml, x: 1 }\n  /b: { $ref: './b.json#/x' }\n  /c: { $ref: \"./lib/c.json\" }\n  /d: { $ref: 'https://example.com/d.json' }\n",
        "lib/c.json": '{ "x": { "$ref": "d.json" },\n "y": { "$ref": "../a.yaml" } }',
      },
      [
        'lib/c.json:1:19: warning: the OpenAPI document refers to the file "d.json", which can\'t be read [openapi-file-not-found]',
        "    The mock server answers 500 where it is needed. Its full path is FOLDER/lib/d.json.",
        'users.yaml:4:15: warning: the OpenAPI document refers to the file "./a.yaml", which can\'t be read [openapi-file-not-found]',
        "    The mock server answers 500 where it is needed. Its full path is FOLDER/a.yaml.",
        'users.yaml:5:16: warning: the OpenAPI document refers to the file "./b.json", which can\'t be read [openapi-file-not-found]',
        "    The mock server answers 500 where it is needed. Its full path is FOLDER/b.json.",
      ],
    ],
    ["a version as a number", { "users.yaml": "openapi: 3.0\npaths: {}\n" }, []],
  ])("%s", async (_, files, expected) => {
    await using project = await createProject(files);
    expect(project.format(await project.load([project.worker("app", app)]))).toEqual(expected);
  });

  test("without the mock server, it says what to install, and the session doesn't start", async () => {
    await using project = await createFolder({
      "vpc.jsonc": `{\n"services": { "${SERVICE}": "openapi:./users.yaml" } }`,
      "users.yaml": USERS,
    });
    await expect(start(project)).rejects.toThrow(
      /vpc\.jsonc:2:55: error: the target "openapi:\.\/users\.yaml" needs the package @scalar\/mock-server, which is not installed \[mock-server-missing\]\n {4}Type "npm install --save-dev @scalar\/mock-server@\^0\.14\.4"\./,
    );
  });

  test("a URL is no file", async () => {
    await using project = await createProject({}, "openapi:https://example.com/users.yaml");
    expect(project.format(await project.load([project.worker("app", app)]))).toEqual([
      'vpc.jsonc:2:87: error: the target "openapi:https://example.com/users.yaml" names a URL, not a file [invalid-target]',
      '    Write "openapi:./users.yaml": a path from the folder of the vpc config.',
    ]);
  });
});
