/** The commands that direct a running session. */

import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";
import { type CallFolder, createCallFolder } from "../commands/call.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { echo, startTcpServer } from "../servers/tcp-server.ts";
import { checkHar } from "../recordings/check-har.ts";
import { TUNNEL } from "../setup/test-worker.ts";
import { type Controlled, startControlled } from "./start-controlled.ts";

interface Session {
  vpc: CallFolder;
  controlled: Controlled;
}

async function start(stack: AsyncDisposableStack): Promise<Session> {
  const origin = stack.use(await startHttpOrigin(ok("from the origin")));
  const server = stack.use(await startTcpServer(echo));
  const vpc = stack.use(await createCallFolder({}));
  const routes = { "api.internal": `127.0.0.1:${origin.port}`, "db.internal:5432": `127.0.0.1:${server.port}` };
  const controlled = stack.use(
    await startControlled({ config: { networks: { [TUNNEL]: { routes } } }, folder: vpc.folder }),
  );
  return { vpc, controlled };
}

/** Times and ports differ. */
function steady(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/127\.0\.0\.1:\d+/, "HOST").replace(/\d+ ms$/, "N ms"));
}

const URL_WITH_SECRET = "http://api.internal/users?token=secret";

test("requests prints the journal, without queries", async () => {
  await using stack = new AsyncDisposableStack();
  const { vpc, controlled } = await start(stack);
  const { call } = controlled;
  expect(await vpc.call("requests")).toEqual({
    exit: 0,
    out: [],
    err: ["The journal is empty. It keeps what comes from now on."],
  });
  await call("fetch", { url: URL_WITH_SECRET });
  await call("connect", { address: "db.internal:5432", text: "ping" });
  await controlled.ask("POST", "/rules", { who: "api.internal", fail: "dns_timeout" });
  await expect(call("fetch", { url: URL_WITH_SECRET })).rejects.toThrow("dns_timeout");
  await vpc.call("fault db.internal:5432 latency=1");
  await call("connect", { address: "db.internal:5432", text: "ping" });
  const { exit, out, err } = await vpc.call("requests");
  expect({ exit, out: steady(out), err }).toEqual({
    exit: 0,
    out: [
      "NET  GET http://api.internal/users → HOST  200  N ms",
      "NET  connect db.internal:5432 → HOST  sent 4 B, received 4 B  N ms",
      'NET  GET http://api.internal/users → rule "api.internal"  dns_timeout  N ms',
      "NET  connect db.internal:5432 → HOST (fault latency)  sent 4 B, received 4 B  N ms",
    ],
    err: [],
  });
  const json = JSON.parse((await vpc.call("requests --json")).out.join("\n"));
  expect(json).toMatchObject([
    { url: URL_WITH_SECRET },
    { type: "connection" },
    { code: "dns_timeout" },
    { type: "connection" },
  ]);
});

test("requests --har writes the requests to a file", async () => {
  await using stack = new AsyncDisposableStack();
  const { vpc, controlled } = await start(stack);
  await controlled.ask("GET", "/har");
  await controlled.call("fetch", { url: URL_WITH_SECRET });
  await expect.poll(() => controlled.scenario.journal.entries[0]?.duration, { timeout: 30_000 }).toBeDefined();
  const file = path.join(vpc.folder, "seen.har");
  expect(await vpc.call("requests --har seen.har")).toEqual({
    exit: 0,
    out: [],
    err: ["Wrote 1 request to seen.har."],
  });
  expect(checkHar(JSON.parse(readFileSync(file, "utf8"))).log.entries[0]?.request.url).toBe(URL_WITH_SECRET);
  mkdirSync(path.join(vpc.folder, "sub"));
  expect(await vpc.call("requests --har sub")).toMatchObject({
    exit: 1,
    err: [expect.stringMatching(/^miniflare-vpc requests: can't write sub: E/)],
  });
});

test("requests and the API say how many calls the journal has dropped", async () => {
  await using stack = new AsyncDisposableStack();
  const { vpc, controlled } = await start(stack);
  await controlled.ask("GET", "/requests");
  await controlled.call("fetch", { url: URL_WITH_SECRET });
  const { journal } = controlled.scenario;
  const [first] = journal.entries;
  for (let copies = 0; copies < 10_001; copies++) journal.add({ ...first!, id: journal.nextId() });
  expect((await vpc.call("requests")).err).toEqual(["The journal is full: it has dropped 2 older calls."]);
  const response = await fetch(`${controlled.url}/requests?who=db.internal`);
  expect([response.headers.get("x-dropped-entries"), await response.json()]).toEqual(["2", []]);
});

test.each([
  [
    "",
    [
      "NET  GET http://api.internal/users → HOST  200  N ms",
      "NET  connect db.internal:5432 → HOST  sent 4 B, received 4 B  N ms",
    ],
  ],
  [" --json", ["request", "connection"]],
])("requests --follow%s prints each one when it is over, until the session ends", async (more, expected) => {
  await using stack = new AsyncDisposableStack();
  const { vpc, controlled } = await start(stack);
  const { call, scenario } = controlled;
  await controlled.ask("GET", "/requests");
  const listeners = scenario.journal.changes.listenerCount("entry");
  await call("fetch", { url: URL_WITH_SECRET });
  const following = vpc.call(`requests --follow${more}`);
  await expect.poll(() => scenario.journal.changes.listenerCount("entry")).toBe(listeners + 1);
  await call("connect", { address: "db.internal:5432", text: "ping" });
  await expect.poll(() => scenario.journal.entries.every(({ duration }) => duration !== undefined)).toBe(true);
  await controlled[Symbol.asyncDispose]();
  const { exit, out, err } = await following;
  expect([exit, err]).toEqual([0, []]);
  const shown = more === "" ? steady(out) : out.map((line) => (JSON.parse(line) as { type: string }).type);
  expect(shown).toEqual(expected);
});

test("fault says which binding a name may mean that nothing has", async () => {
  await using stack = new AsyncDisposableStack();
  const { vpc } = await start(stack);
  expect(await vpc.call("fault NETS latency=1")).toEqual({
    exit: 0,
    out: ['In force on "NETS":', "    latency  latency 1, jitter 0, downstream"],
    err: ['miniflare-vpc: "NETS" is no binding. Did you mean "NET"? This acts only on calls for a host of that name.'],
  });
  expect((await vpc.call("fault later.internal latency=1")).err).toEqual([]);
});

test("fault adds, replaces and removes faults", async () => {
  await using stack = new AsyncDisposableStack();
  const { vpc, controlled } = await start(stack);
  const connect = (): Promise<unknown> => controlled.call("connect", { address: "db.internal:5432", text: "ping" });
  expect(await vpc.call("fault db.internal:5432 latency=200 jitter=50 stream=upstream down toxicity=0")).toEqual({
    exit: 0,
    out: [
      'In force on "db.internal:5432":',
      "    latency  latency 200, jitter 50, upstream",
      "    down  downstream, toxicity 0",
    ],
    err: [],
  });
  expect((await vpc.call("fault db.internal:5432 latency=100 down")).out).toEqual([
    'In force on "db.internal:5432":',
    "    latency  latency 200, jitter 50, upstream",
    "    latency  latency 100, jitter 0, downstream",
    "    down  downstream",
  ]);
  await expect(connect()).rejects.toThrow("connection_refused");
  expect(await vpc.call("fault db.internal:5432 down --remove")).toEqual({
    exit: 0,
    out: ['Removed from "db.internal:5432":', "    down  downstream"],
    err: [],
  });
  expect(await connect()).toBe("ping");
  expect((await vpc.call("fault db.internal:5432 --remove")).out).toHaveLength(3);
  expect((await controlled.ask("GET", "/rules")).json).toEqual([]);
  expect(await vpc.call("fault db.internal:5432 --remove")).toEqual({
    exit: 1,
    out: [],
    err: [
      'miniflare-vpc: this command has added no such fault to "db.internal:5432". Type "miniflare-vpc reset" to remove everything.',
    ],
  });
});

test.each([
  ["NET latence=200", '"type" is "latence", which is not a fault. Did you mean "latency"?'],
  ["NET latency=slow", '"attributes.latency" is "slow", but must be a whole number of milliseconds, 0 or more.'],
  ["NET latency=1 jiter=2", '"jiter" is not an attribute of latency. Did you mean "jitter"?'],
  ["NET down toxicity=2", '"toxicity" is 2, but must be a number from 0 to 1.'],
  ["a//b down", '"a//b" is not a binding of this session (its bindings: API, NET), and as a destination it'],
])("fault %s is refused in words, with 1", async (line, text) => {
  await using stack = new AsyncDisposableStack();
  const { vpc, controlled } = await start(stack);
  const { exit, err } = await vpc.call(`fault ${line}`);
  expect([exit, err[0]]).toEqual([1, expect.stringContaining(`miniflare-vpc: ${text}`)]);
  expect((await controlled.ask("GET", "/rules")).json).toEqual([]);
});

test("reset removes all rules, and empties the journal", async () => {
  await using stack = new AsyncDisposableStack();
  const { vpc, controlled } = await start(stack);
  await controlled.ask("POST", "/rules", { who: "NET", respond: { text: "from a rule" } });
  await vpc.call("fault NET latency=1");
  expect(await controlled.call("fetch", { url: URL_WITH_SECRET })).toMatchObject({ text: "from a rule" });
  expect(await vpc.call("reset")).toEqual({
    exit: 0,
    out: ["Removed all rules and faults, and emptied the journal."],
    err: [],
  });
  expect((await controlled.ask("GET", "/rules")).json).toEqual([]);
  expect((await controlled.ask("GET", "/requests")).json).toEqual([]);
});

test.each(["requests", "requests --follow", "fault NET down", "reset"])(
  "without a session, %s ends with 1",
  async (line) => {
    await using vpc = await createCallFolder({});
    const { exit, out, err } = await vpc.call(line);
    expect([exit, out]).toEqual([1, []]);
    expect(err[0]).toContain('miniflare-vpc: there is no session in FOLDER. Start it with "miniflare-vpc dev".');
  },
);

test("requests --har says what it can't be combined with, and that there is no such folder", async () => {
  await using stack = new AsyncDisposableStack();
  const { vpc } = await start(stack);
  for (const flag of ["--json", "--follow"])
    expect(await vpc.call(`requests --har x.har ${flag}`)).toMatchObject({
      exit: 2,
      err: [expect.stringContaining(`"--har" and "${flag}" cannot be used together.`)],
    });
  expect(await vpc.call("requests --har none/x.har")).toMatchObject({
    exit: 2,
    err: [expect.stringContaining('"--har" is "none/x.har", but there is no folder "FOLDER/none".')],
  });
});

test.each([
  ["fault", 'miniflare-vpc fault: <who> is missing: a binding, or a destination such as "db.internal:5432".'],
  ["fault NET", "miniflare-vpc fault: <fault…> is missing: latency=200, for example, or --remove."],
  [
    "fault NET jitter=5",
    'miniflare-vpc fault: "jitter=5" comes before a fault. Write the fault first: latency=200 jitter=5.',
  ],
  ["reset all", 'miniflare-vpc reset: unexpected argument "all".'],
  ["requests --folow", 'miniflare-vpc requests: there is no flag "--folow". Did you mean "--follow"?'],
])("%s ends with 2", async (line, text) => {
  await using vpc = await createCallFolder({});
  expect(await vpc.call(line)).toEqual({ exit: 2, out: [], err: [text] });
});
