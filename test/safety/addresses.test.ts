/** A rule for an address applies to every spelling of the address and every way to call a binding. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import type { NetworkEntry } from "../../plugin/config.ts";
import { type TestWorker, TUNNEL, startTestWorker } from "../setup/test-worker.ts";

const DENIED_V4 = [
  "10.9.0.1",
  "10.9.0.1.",
  "10.9.1",
  "10.589825",
  "168361985",
  "0x0a090001",
  "0X0A.0x9.0x0.0x1",
  "012.011.0.01",
  "0012.9.0.1",
  "１０.９.０.１",
  "10。9。0。1",
  "10．9．0．1．",
  "[::ffff:10.9.0.1]",
  "[::FFFF:0a09:0001]",
  "[0:0:0:0:0:ffff:a09:1]",
];

const DENIED_V6 = ["[fd00::1]", "[FD00::0001]", "[fd00:0:0:0:0:0:0:1]", "[fd00:0000::0.0.0.1]"];

const DENIED_NAMES = [
  "blocked.internal",
  "BLOCKED.Internal",
  "blocked.internal.",
  "blocked.internal..",
  "blocked。internal",
  "ｂｌｏｃｋｅｄ.internal",
  "blocked\u00ad.internal",
  "bü-gesperrt.internal",
  "xn--b-gesperrt-9db.internal",
  "XN--B-GESPERRT-9DB.internal.",
];

/** URLs only: text around the host, and encoded characters in it. */
const DENIED_URLS = [
  "http://10%2e9%2e0%2e1/",
  "http://%31%30.9.0.1/",
  "http://blocked%2Einternal/",
  "http://open.internal@10.9.0.1/",
  "http://open.internal:80@blocked.internal/",
  "http:\\\\blocked.internal\\",
  "http://blocked.internal:80/?@open.internal",
  "http://blocked.internal:080/#open.internal",
  "http://blo\tcked.in\nternal/",
  " http://blocked.internal/ ",
  "HTTP://blocked.internal/",
  "http:blocked.internal/",
  "http:///blocked.internal/",
];

/** IPv6 addresses that contain a denied IPv4 address, but are not IPv4-mapped. They are neither denied nor allowed. */
const UNROUTED = ["[::10.9.0.1]", "[64:ff9b::10.9.0.1]", "[2002:a09:1::]", "[::ffff:0:10.9.0.1]"];

/** Texts that are not hosts. */
const NONSENSE = [
  "",
  ".",
  "..",
  "a..internal",
  ".internal",
  "[fd00::1%eth0]",
  "[fd00::1%25eth0]",
  "fe80::1%1",
  // Must not count as the address without the zone, which is open.
  "[2001:db8::1%eth0]",
  "[2001:db8::1%25eth0]",
  "[2001:db8::1%]",
  "[::ffff:10.8.0.1%1]",
  "[::ffff:010.9.0.1]",
  "[::ffff:10.9.0.1.]",
  "[10.9.0.1]",
  "10.9.0.256",
  "10.9.0.0x",
  "1.10.9.0.1",
  "open.internal\r\nHost: blocked.internal",
  "open.internal\0",
  "open.internal#.blocked.internal",
  "open.internal/blocked.internal",
  "user@blocked.internal",
  "[fd00::1",
  "fd00::1]",
];

let worker: TestWorker;
/** Everything that is not denied is open. */
let rest: TestWorker;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const origin = stack.use(await startHttpOrigin(ok("reached")));
  const target = `127.0.0.1:${origin.port}`;
  const denied = { deny: "destination_ip_prohibited" } as const;
  const refused = {
    "10.9.0.0/16": denied,
    "fd00::/8": denied,
    "blocked.internal": denied,
    "bü-gesperrt.internal": denied,
  };
  const open = { "open.internal": target, "*.internal": target, "0.0.0.0/0": target, "2001:db8::/32": target };
  [worker, rest] = await Promise.all([start({ ...refused, ...open }), start({ ...refused, "*": target })]);
  stack.use(worker);
  stack.use(rest);
});
afterAll(() => stack.disposeAsync());

function start(routes: NonNullable<NetworkEntry["routes"]>): Promise<TestWorker> {
  return startTestWorker({
    config: { networks: { [TUNNEL]: { routes } }, traffic: false },
    ops: {
      fetch: (env, url: string) =>
        env.NET.fetch(url, { redirect: "manual" }).then(
          (response: Response) => response.text(),
          (error: Error) => error.message,
        ),
      async connect(env, address: string) {
        try {
          const socket = await env.NET.connect(address);
          await socket.close();
          return "reached";
        } catch (error) {
          return (error as Error).message;
        }
      },
      /** Calls the stub without the facade, as another Worker would. */
      async native(env, address: string) {
        try {
          const socket = Object.getPrototypeOf(env.NET).connect.call(env.NET, address);
          const writer = socket.writable.getWriter();
          await writer.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
          const { value } = await socket.readable.getReader().read();
          return value === undefined ? "nothing" : "reached";
        } catch (error) {
          return (error as Error).message;
        }
      },
    },
  });
}

const DENIED = "ProxyError: destination_ip_prohibited";
/** The various errors of workerd, the facade and `decide`. */
const REFUSED = /^(?!reached)/;

/** What each way to call a host answers or throws. The stub without a facade also takes hosts that begin with a mark of ours. */
async function callEveryWay(
  by: TestWorker,
  host: string,
  port = 80,
): Promise<Record<"fetch" | "connect" | "native", unknown>> {
  const address = `${host}:${port}`;
  const marks = [`mvpc-0123456789abcdef0123.${address}`, `mvpc-0123456789abcdef0123.--6--fd00--1:${port}`];
  const native: unknown[] = [];
  for (const each of [address, ...marks]) native.push(await by.call("native", each));
  return { fetch: await by.call("fetch", `http://${address}/`), connect: await by.call("connect", address), native };
}

test.each(["fetch", "connect", "native"])("%s: hosts that are not denied are reached", async (op) => {
  for (const host of ["open.internal", "10.8.0.1", "[2001:db8::1]", "[::ffff:10.8.0.1]"]) {
    for (const each of [worker, rest])
      expect(await each.call(op, op === "fetch" ? `http://${host}/` : `${host}:80`)).toBe("reached");
  }
});

function refusedEveryWay(host: string): object {
  return {
    fetch: DENIED,
    // workerd's own `connect` only accepts ASCII.
    connect: expect.stringMatching(/^[!-~]+$/.test(host) ? new RegExp(`^${DENIED}$`) : /unsupported characters/),
    native: expect.not.arrayContaining(["reached"]),
  };
}

describe("a denied address is denied in every spelling", () => {
  test.each([...DENIED_V4, ...DENIED_V6, ...DENIED_NAMES])("%s", async (host) => {
    expect(await callEveryWay(worker, host)).toEqual(refusedEveryWay(host));
  });

  test.each([...DENIED_V4, ...DENIED_V6, ...DENIED_NAMES])("%s, if everything else is open", async (host) => {
    expect(await callEveryWay(rest, host)).toEqual(refusedEveryWay(host));
  });

  test.each(DENIED_URLS)("%j", async (url) => {
    expect(await worker.call("fetch", url)).toMatch(
      /^(ProxyError: destination_ip_prohibited|Invalid URL.*|.*credentials.*)$/,
    );
  });

  test("{ hostname, port }", async () => {
    for (const hostname of ["10.9.0.1", "[fd00::1]", "fd00::1", "0x0a090001", "BLOCKED.internal."]) {
      expect(await worker.call("connect", { hostname, port: 80 })).toBe(DENIED);
    }
  });
});

describe("what is dialled at loopback is denied with it", () => {
  const AT_LOOPBACK = [
    "0.0.0.0",
    "0.0.0.0.",
    "0",
    "0x0",
    "00.0.0.0",
    "0.0",
    "[::]",
    "[::0]",
    "[0:0:0:0:0:0:0:0]",
    "[::ffff:0.0.0.0]",
    "[::ffff:0:0]",
    "localhost",
    "LOCALHOST.",
    "app.localhost",
  ];
  const stop = { deny: "destination_ip_prohibited" } as const;

  describe.each<[NonNullable<NetworkEntry["routes"]>, string[]]>([
    [{ "*": "passthrough", "127.0.0.0/8": stop }, AT_LOOPBACK],
    [{ "*": "passthrough", "::1": stop }, ["0.0.0.0", "[::]", "localhost"]],
    [
      { "0.0.0.0/0": "passthrough", "::/0": "passthrough", "*.localhost": "passthrough", "127.0.0.1": stop },
      ["0.0.0.0", "[::]", "app.localhost"],
    ],
  ])("%j", (routes, hosts) => {
    const running = new AsyncDisposableStack();
    let denying: TestWorker;
    let port: number;
    beforeAll(async () => {
      denying = running.use(await start(routes));
      ({ port } = running.use(await startHttpOrigin(ok("reached"))));
    });
    afterAll(() => running.disposeAsync());

    test.each(hosts)("%s", async (host) => {
      expect(await callEveryWay(denying, host, port)).toEqual(refusedEveryWay(host));
    });
  });

  test("a route that names it counts, and without a deny it is reached", async () => {
    await using origin = await startHttpOrigin(ok("reached"));
    const at = `127.0.0.1:${origin.port}`;
    await using named = await start({
      "*": "passthrough",
      "127.0.0.0/8": stop,
      "0.0.0.0": at,
      "::": at,
      localhost: "passthrough",
    });
    await using open = await start({
      "0.0.0.0/0": "passthrough",
      localhost: "passthrough",
      "*.localhost": "passthrough",
      "127.0.0.0/8:1": stop,
      "*": stop,
    });
    const reached = { fetch: "reached", connect: "reached", native: expect.arrayContaining(["reached"]) };
    for (const host of ["0.0.0.0", "[::]", "localhost"])
      expect(await callEveryWay(named, host, origin.port)).toEqual(reached);
    for (const host of ["127.0.0.1", "localhost", "app.localhost"])
      expect(await callEveryWay(open, host, origin.port)).toEqual(reached);
  });
});

describe("an IPv6 address that contains an IPv4 address is the same as it only if it is mapped", () => {
  test.each(UNROUTED)("%s", async (host) => {
    expect(await worker.call("fetch", `http://${host}/`)).toBe("ProxyError: destination_ip_unroutable");
    expect(await worker.call("connect", `${host}:80`)).toBe("ProxyError: destination_ip_unroutable");
    expect(await worker.call("native", `${host}:80`)).not.toBe("reached");
  });
});

describe("a text that is not a host reaches nothing", () => {
  test.each(NONSENSE)("%j", async (host) => {
    for (const each of [worker, rest]) {
      expect(await each.call("connect", `${host}:80`)).toMatch(REFUSED);
      expect(await each.call("connect", { hostname: host, port: 80 })).toMatch(REFUSED);
      expect(await each.call("native", `${host}:80`)).not.toBe("reached");
    }
  });

  test.each(["http://a..internal/", "http://.internal/", "http://[2001:db8::1%25eth0]/", "http://[::ffff:010.9.0.1]/"])(
    "%s",
    async (url) => {
      expect(await worker.call("fetch", url)).toMatch(REFUSED);
    },
  );

  test.each([0, -1, 65_536, 1.5, "80\r\n", "0x50", " 80", ""])("port %j", async (port) => {
    expect(await worker.call("connect", { hostname: "open.internal", port })).toMatch(/port/);
  });
});
