/** The exact output of `explain` and `routes`. `explain-live.test.ts` checks that it is true. */

import { describe, expect, test, vi } from "vitest";

import { makeAuthority } from "../servers/tls-certificates.ts";
import { SERVICE_ID, TUNNEL_ID } from "../setup/vpc-folder.ts";
import { createCallFolder } from "./call.ts";
import { startCpuTime } from "../setup/cpu-time.ts";

const ORDERS_ID = "11111111-1111-4111-8111-111111111111";
const files = {
  "wrangler.jsonc": JSON.stringify({
    name: "api",
    vpc_services: [
      { binding: "USERS", service_id: SERVICE_ID },
      { binding: "ORDERS", service_id: ORDERS_ID },
      { binding: "REAL", service_id: "22222222-2222-4222-8222-222222222222" },
      { binding: "LOST", service_id: "33333333-3333-4333-8333-333333333333" },
    ],
    vpc_networks: [
      { binding: "NET", tunnel_id: TUNNEL_ID },
      { binding: "MESH", network_id: "cf1:network" },
    ],
    env: { staging: { vpc_services: [{ binding: "USERS", service_id: SERVICE_ID }] } },
  }),
  "vpc.jsonc": `{
  "services": {
    "${SERVICE_ID}": { "name": "users", "type": "http", "http_port": 8080, "tls_settings": { "cert_verification_mode": "verify_ca" },
      "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } } },
    "ORDERS": "http://localhost:3002",
    "REAL": "remote"
  },
  "networks": {
    "${TUNNEL_ID}": {
      "routes": {
        "*.internal": "https://localhost",
        "users.internal": "localhost:3001",
        "users.internal:9000-9999": "worker:api",
        "10.0.0.0/8": "passthrough",
        "10.9.0.0/16": { "deny": "destination_ip_prohibited" }
      }
    }
  }
}`,
};

const cases: Record<string, { exit: number; out: string[] }> = {
  "explain NET http://USERS.internal./path": {
    exit: 0,
    out: [
      'env.NET.fetch("http://users.internal./path")',
      "",
      `binding    NET of Worker "api", VPC Network ${TUNNEL_ID}`,
      `network    ${TUNNEL_ID}, FOLDER/vpc.jsonc:9:5`,
      "routes     3 of 5 match the host of users.internal:80",
      "             lost  users.internal:9000-9999  → worker:api         FOLDER/vpc.jsonc:13:9  only for ports 9000-9999",
      "             won   users.internal            → localhost:3001     FOLDER/vpc.jsonc:12:9  exact name",
      '             lost  *.internal                → https://localhost  FOLDER/vpc.jsonc:11:9  "users.internal" is more specific',
      "target     localhost:3001",
      "transport  direct: workerd's own HTTP client, with reused connections; POST requests and uploads use the egress proxy",
      "Host       users.internal.",
      "TLS        none: plain HTTP",
    ],
  },
  "explain NET http://vault.internal/": {
    exit: 0,
    out: [
      'env.NET.fetch("http://vault.internal/")',
      "",
      `binding    NET of Worker "api", VPC Network ${TUNNEL_ID}`,
      `network    ${TUNNEL_ID}, FOLDER/vpc.jsonc:9:5`,
      "routes     1 of 5 match the host of vault.internal:80",
      "             won   *.internal  → https://localhost  FOLDER/vpc.jsonc:11:9  one label before .internal",
      "target     https://localhost:443",
      "transport  egress proxy, in the Node process",
      "Host       vault.internal",
      "TLS        SNI vault.internal",
      "           verify_full: checks the chain, and that the certificate is for vault.internal",
    ],
  },
  "explain NET https://10.1.2.3:8443/": {
    exit: 0,
    out: [
      'env.NET.fetch("https://10.1.2.3:8443/")',
      "",
      `binding    NET of Worker "api", VPC Network ${TUNNEL_ID}`,
      `network    ${TUNNEL_ID}, FOLDER/vpc.jsonc:9:5`,
      "routes     1 of 5 match the host of 10.1.2.3:8443",
      "             won   10.0.0.0/8  → passthrough  FOLDER/vpc.jsonc:14:9  the longest prefix, /8",
      "target     10.1.2.3:8443",
      "transport  egress proxy, in the Node process",
      "Host       10.1.2.3:8443",
      "TLS        no SNI: an IP address is not a server name",
      "           verify_full: checks the chain, and that the certificate is for 10.1.2.3",
    ],
  },
  "explain NET users.internal:9001": {
    exit: 0,
    out: [
      'env.NET.connect("users.internal:9001")',
      "",
      `binding    NET of Worker "api", VPC Network ${TUNNEL_ID}`,
      `network    ${TUNNEL_ID}, FOLDER/vpc.jsonc:9:5`,
      "routes     3 of 5 match the host of users.internal:9001",
      "             won   users.internal:9000-9999  → worker:api         FOLDER/vpc.jsonc:13:9  exact name, ports 9000-9999",
      '             lost  users.internal            → localhost:3001     FOLDER/vpc.jsonc:12:9  "users.internal:9000-9999" is more specific',
      '             lost  *.internal                → https://localhost  FOLDER/vpc.jsonc:11:9  "users.internal:9000-9999" is more specific',
      "target     worker:api",
      "transport  the Worker's connect handler",
    ],
  },
  "explain NET user.internal.example:80": {
    exit: 1,
    out: [
      'env.NET.connect("user.internal.example:80")',
      "",
      `binding    NET of Worker "api", VPC Network ${TUNNEL_ID}`,
      `network    ${TUNNEL_ID}, FOLDER/vpc.jsonc:9:5`,
      "routes     0 of 5 match the host of user.internal.example:80",
      "refused    ProxyError: destination_not_found",
      `           no route of network "${TUNNEL_ID}" matches user.internal.example:80`,
      'to do      Add "user.internal.example": "localhost:80" to "routes" of the network at FOLDER/vpc.jsonc:9:5.',
    ],
  },
  "explain MESH usres.internl:80": {
    exit: 1,
    out: [
      'env.MESH.connect("usres.internl:80")',
      "",
      'binding    MESH of Worker "api", VPC Network cf1:network',
      "network    cf1:network, the routes of all networks in FOLDER/vpc.jsonc",
      "routes     0 of 5 match the host of usres.internl:80",
      "refused    ProxyError: destination_not_found",
      '           no route of network "cf1:network" matches usres.internl:80',
      'to do      Add "cf1:network": { "routes": { "usres.internl": "localhost:80" } } to "networks" in FOLDER/vpc.jsonc. For every public host, its "routes" take "*": "passthrough".',
      '           Or did you mean "users.internal"?',
    ],
  },
  "explain NET http://10.9.0.1/": {
    exit: 1,
    out: [
      'env.NET.fetch("http://10.9.0.1/")',
      "",
      `binding    NET of Worker "api", VPC Network ${TUNNEL_ID}`,
      `network    ${TUNNEL_ID}, FOLDER/vpc.jsonc:9:5`,
      "routes     2 of 5 match the host of 10.9.0.1:80",
      "             won   10.9.0.0/16  → deny destination_ip_prohibited  FOLDER/vpc.jsonc:15:9  the longest prefix, /16",
      '             lost  10.0.0.0/8   → passthrough                     FOLDER/vpc.jsonc:14:9  "10.9.0.0/16" is more specific',
      "refused    ProxyError: destination_ip_prohibited",
      '           the vpc config denies it (route "10.9.0.0/16", FOLDER/vpc.jsonc:15:9)',
      'to do      To allow it, replace "deny" with a target.',
    ],
  },
  "explain USERS http://anything.example:1/": {
    exit: 0,
    out: [
      'env.USERS.fetch("http://anything.example:1/")',
      "",
      `binding    USERS of Worker "api", VPC Service ${SERVICE_ID}`,
      'record     "users" at FOLDER/vpc.jsonc:3:5',
      "           its host users.internal and port 8080 for http: are used, not the URL's",
      "           the URL's port 1 is ignored: a VPC Service uses its own, in production too",
      `network    ${TUNNEL_ID}, FOLDER/vpc.jsonc:9:5`,
      "routes     3 of 5 match the host of users.internal:8080",
      "             lost  users.internal:9000-9999  → worker:api         FOLDER/vpc.jsonc:13:9  only for ports 9000-9999",
      "             won   users.internal            → localhost:3001     FOLDER/vpc.jsonc:12:9  exact name",
      '             lost  *.internal                → https://localhost  FOLDER/vpc.jsonc:11:9  "users.internal" is more specific',
      "target     localhost:3001",
      "transport  direct: workerd's own HTTP client, with reused connections; POST requests and uploads use the egress proxy",
      "Host       anything.example:1",
      "TLS        none: plain HTTP",
    ],
  },
  "explain USERS https://users.internal/": {
    exit: 1,
    out: [
      'env.USERS.fetch("https://users.internal/")',
      "",
      `binding    USERS of Worker "api", VPC Service ${SERVICE_ID}`,
      'record     "users" at FOLDER/vpc.jsonc:3:5',
      "           its host users.internal and port 8080 for http: are used, not the URL's",
      "refused    ProxyError: http_request_denied",
      '           the URL\'s scheme is https:, but the record has only "http_port" (service "users", FOLDER/vpc.jsonc:3:5)',
      'to do      Use http: in the URL, or add "https_port" to the record (in production too).',
    ],
  },
  "explain ORDERS https://orders.example/": {
    exit: 0,
    out: [
      'env.ORDERS.fetch("https://orders.example/")',
      "",
      `binding    ORDERS of Worker "api", VPC Service ${ORDERS_ID}`,
      'record     "ORDERS" at FOLDER/vpc.jsonc:5:5',
      "           its target http://localhost:3002 is used, so no route applies",
      "target     http://localhost:3002",
      "transport  direct: workerd's own HTTP client, with reused connections; POST requests and uploads use the egress proxy",
      "Host       orders.example",
      "TLS        none: plain HTTP",
    ],
  },
  "explain REAL http://real.example/": {
    exit: 0,
    out: [
      'env.REAL.fetch("http://real.example/")',
      "",
      'binding    REAL of Worker "api", VPC Service 22222222-2222-4222-8222-222222222222',
      'remote     The vpc config says "remote": wrangler\'s remote bindings serve it, and Cloudflare decides.',
    ],
  },
  "explain LOST http://lost.example/": {
    exit: 1,
    out: [
      'env.LOST.fetch("http://lost.example/")',
      "",
      'binding    LOST of Worker "api", VPC Service 33333333-3333-4333-8333-333333333333',
      "refused    ProxyError: destination_not_found",
      "           the vpc config has no entry for this service",
      'to do      Add "33333333-3333-4333-8333-333333333333": "http://localhost:PORT" to "services" in FOLDER/vpc.jsonc.',
    ],
  },
  routes: {
    exit: 0,
    out: [
      "services",
      `    users   → network ${TUNNEL_ID} as users.internal  FOLDER/vpc.jsonc:3:5  USERS of api`,
      "    ORDERS  → http://localhost:3002                                           FOLDER/vpc.jsonc:5:5  ORDERS of api",
      "",
      `network ${TUNNEL_ID}  FOLDER/vpc.jsonc:9:5  NET of api`,
      "    users.internal:9000-9999  → worker:api                      FOLDER/vpc.jsonc:13:9",
      "    users.internal            → localhost:3001                  FOLDER/vpc.jsonc:12:9",
      "    *.internal                → https://localhost               FOLDER/vpc.jsonc:11:9",
      "    10.9.0.0/16               → deny destination_ip_prohibited  FOLDER/vpc.jsonc:15:9",
      "    10.0.0.0/8                → passthrough                     FOLDER/vpc.jsonc:14:9",
      "",
      "network cf1:network  the routes of all networks  MESH of api",
      "    users.internal:9000-9999  → worker:api                      FOLDER/vpc.jsonc:13:9",
      "    users.internal            → localhost:3001                  FOLDER/vpc.jsonc:12:9",
      "    *.internal                → https://localhost               FOLDER/vpc.jsonc:11:9",
      "    10.9.0.0/16               → deny destination_ip_prohibited  FOLDER/vpc.jsonc:15:9",
      "    10.0.0.0/8                → passthrough                     FOLDER/vpc.jsonc:14:9",
      "",
      "no entry: every call is refused",
      "    LOST of api  33333333-3333-4333-8333-333333333333",
      "",
      '"remote": left to wrangler\'s remote bindings',
      "    REAL of api  22222222-2222-4222-8222-222222222222",
    ],
  },
  "routes ORDERS": {
    exit: 0,
    out: ["services", "    ORDERS  → http://localhost:3002  FOLDER/vpc.jsonc:5:5  ORDERS of api"],
  },
};

test.each(Object.entries(cases))("%s", async (line, { exit, out }) => {
  await using vpc = await createCallFolder(files);
  expect(await vpc.call(line)).toEqual({ exit, out, err: [] });
});

describe('a route for "*"', () => {
  const publicFiles = {
    ...files,
    "vpc.jsonc": `{
  "networks": {
    "${TUNNEL_ID}": {
      "routes": { "*.internal": "localhost:3000", "db.internal:5432": "localhost:5432", "10.0.0.0/8": "passthrough" }
    },
    "cf1:network": {
      "routes": {
        "*": { "target": "passthrough", "readTimeout": 1000 },
        "*:25": { "deny": "http_request_denied" }
      }
    }
  }
}`,
  };
  const HEAD = [
    'binding    MESH of Worker "api", VPC Network cf1:network',
    "network    cf1:network, FOLDER/vpc.jsonc:6:5",
  ];

  test.each<[line: string, exit: number, out: string[]]>([
    [
      "explain MESH https://www.example.com/",
      0,
      [
        'env.MESH.fetch("https://www.example.com/")',
        "",
        ...HEAD,
        "routes     2 of 5 match the host of www.example.com:443",
        "             lost  *:25  → deny http_request_denied          FOLDER/vpc.jsonc:9:9  only for port 25",
        "             won   *     → passthrough, readTimeout 1000 ms  FOLDER/vpc.jsonc:8:9  no other route holds it",
        "target     www.example.com:443",
        "transport  egress proxy, in the Node process",
        "Host       www.example.com",
        "TLS        SNI www.example.com",
        "           verify_full: checks the chain, and that the certificate is for www.example.com",
      ],
    ],
    [
      "explain MESH db.internal:5432",
      0,
      [
        'env.MESH.connect("db.internal:5432")',
        "",
        ...HEAD,
        "routes     4 of 5 match the host of db.internal:5432",
        "             won   db.internal:5432  → localhost:5432                    FOLDER/vpc.jsonc:4:51  exact name, port 5432",
        '             lost  *.internal        → localhost:3000                    FOLDER/vpc.jsonc:4:19  "db.internal:5432" is more specific',
        "             lost  *:25              → deny http_request_denied          FOLDER/vpc.jsonc:9:9   only for port 25",
        '             lost  *                 → passthrough, readTimeout 1000 ms  FOLDER/vpc.jsonc:8:9   "db.internal:5432" is more specific',
        "target     localhost:5432",
        "transport  direct: cloudflare:sockets, from workerd",
      ],
    ],
    [
      "explain MESH 9.9.9.9:25",
      1,
      [
        'env.MESH.connect("9.9.9.9:25")',
        "",
        ...HEAD,
        "routes     2 of 5 match the host of 9.9.9.9:25",
        "             won   *:25  → deny http_request_denied          FOLDER/vpc.jsonc:9:9  no other route holds it, port 25",
        '             lost  *     → passthrough, readTimeout 1000 ms  FOLDER/vpc.jsonc:8:9  "*:25" is more specific',
        "refused    ProxyError: http_request_denied",
        '           the vpc config denies it (route "*:25", FOLDER/vpc.jsonc:9:9)',
        'to do      To allow it, replace "deny" with a target.',
      ],
    ],
    [
      "routes MESH",
      0,
      [
        "network cf1:network  FOLDER/vpc.jsonc:6:5  MESH of api",
        "    db.internal:5432  → localhost:5432                    FOLDER/vpc.jsonc:4:51",
        "    *.internal        → localhost:3000                    FOLDER/vpc.jsonc:4:19",
        "    10.0.0.0/8        → passthrough                       FOLDER/vpc.jsonc:4:89",
        "    *:25              → deny http_request_denied          FOLDER/vpc.jsonc:9:9",
        "    *                 → passthrough, readTimeout 1000 ms  FOLDER/vpc.jsonc:8:9",
      ],
    ],
  ])("%s", async (line, exit, out) => {
    await using vpc = await createCallFolder(publicFiles);
    expect(await vpc.call(line)).toEqual({ exit, out, err: [] });
  });
});

const mistakes: Record<string, string> = {
  "explain NET": '<destination> is missing: the URL of a fetch(), or the "host:port" of a connect().',
  "explain USRES http://a/": 'there is no VPC binding "USRES". Did you mean "USERS"?',
  "explain X http://a/": 'there is no VPC binding "X". Available: USERS, ORDERS, REAL, LOST, NET, MESH.',
  "explain NET http://a/ --env staging":
    'there is no VPC binding "NET" in the environment "staging". Available: USERS.',
  "explain NET http://a/ --env x": 'there is no environment "x" in FOLDER/wrangler.jsonc. Environments: staging.',
  "explain NET http://a/ --worker apo": 'no Worker "apo" has VPC bindings. Did you mean "api"?',
  "explain NET users":
    'the address "users" has no port. Write "host:port" for a connect(), or a whole URL for a fetch().',
  "explain NET users:x":
    'the address "users:x" has the port "x", which is not a number. Write "host:port" for a connect(), or a whole URL for a fetch().',
  "explain NET a..b:80": 'the address "a..b:80" has a host that has an empty label.',
  "explain NET *:443":
    '"*:443" has a "*", as a route may have it, but a Worker asks for one host. Type one, such as "www.example.com:443".',
  "explain NET *.internal:80":
    '"*.internal:80" has a "*", as a route may have it, but a Worker asks for one host. Type one, such as "www.internal:80".',
  "explain NET https://*/":
    '"https://*/" has a "*", as a route may have it, but a Worker asks for one host. Type one, such as "https://www.example.com/".',
  "explain NET http://": '"http://" is not a URL.',
  "explain NET ftp://a/":
    'the URL\'s scheme is "ftp:", but fetch() takes "http:" and "https:". For a connect(), write "a:21".',
  "explain NET wss://a/chat":
    'the URL\'s scheme is "wss:", but fetch() takes "http:" and "https:". For a WebSocket, write "https://a/chat".',
  "explain NET a:1 b": 'unexpected argument "b".',
};

/** The URL of another protocol → the address to type instead. */
const addresses: Record<string, string> = {
  "postgres://host/db": "host:5432",
  "postgresql://me:secret@host/db?sslmode=require": "host:5432",
  "postgres://me:se@cret@host:6432/db": "host:6432",
  "POSTGRES://[fd00::1]/db": "[fd00::1]:5432",
  "postgres://[fd00::1]:6432": "[fd00::1]:6432",
  "postgres://a,b/db": "a:5432",
  "mysql://host": "host:3306",
  "mariadb://host": "host:3306",
  "redis://host/0": "host:6379",
  "rediss://:secret@host": "host:6379",
  "valkey://host": "host:6379",
  "mongodb://a:27018,b:27019/db": "a:27018",
  "mongodb://host/db": "host:27017",
  "mongodb+srv://cluster.internal/db": "cluster.internal:port",
  "amqp://host/%2f": "host:5672",
  "amqps://host": "host:5671",
  "nats://host": "host:4222",
  "mqtt://host": "host:1883",
  "mqtts://host": "host:8883",
  "ldap://host": "host:389",
  "ldaps://host": "host:636",
  "kafka://host": "host:9092",
  "memcached://host:": "host:11211",
  "smtp://host": "host:25",
  "constructor://host": "host:port",
  "file:///etc/hosts": "host:port",
};

test.each(Object.entries(addresses))("the address in %s is %s", async (url, address) => {
  await using vpc = await createCallFolder(files);
  const { exit, out, err } = await vpc.call(`explain NET ${url}`);
  const scheme = url.slice(0, url.indexOf(":")).toLowerCase();
  const text = `the URL's scheme is "${scheme}:", but fetch() takes "http:" and "https:". For a connect(), write "${address}".`;
  expect([exit, out, err]).toEqual([2, [], [`miniflare-vpc explain: ${text}`]]);
});

test.each(Object.entries(mistakes))("%s is refused", async (line, text) => {
  await using vpc = await createCallFolder(files);
  expect(await vpc.call(line)).toEqual({ exit: 2, out: [], err: [`miniflare-vpc explain: ${text}`] });
});

function wranglerOf(name: string): string {
  return JSON.stringify({ name, vpc_services: [{ binding: "USERS", service_id: SERVICE_ID }] });
}

describe("the environment and the Worker", () => {
  test("come from CLOUDFLARE_ENV and .env, as for wrangler dev", async () => {
    await using vpc = await createCallFolder(files);
    const headOf = async (env: NodeJS.ProcessEnv): Promise<unknown> =>
      (await vpc.call("explain USERS http://a/", { env })).out[2];
    expect(await headOf({})).toBe(`binding    USERS of Worker "api", VPC Service ${SERVICE_ID}`);
    expect(await headOf({ CLOUDFLARE_ENV: "staging" })).toMatch(/of Worker "api-staging"/);
    await vpc.write(".env", "CLOUDFLARE_ENV=staging\n");
    expect(await headOf({})).toMatch(/of Worker "api-staging"/);
    expect((await vpc.call('explain USERS http://a/ --env ""')).out[2]).toMatch(/of Worker "api"/);
  });

  test("must be chosen if two Workers have a binding of the same name", async () => {
    await using vpc = await createCallFolder({
      "a.json": wranglerOf("a"),
      "b.json": wranglerOf("b"),
      "vpc.jsonc": '{ "services": { "USERS": "localhost:1" } }',
    });
    const line = "explain -c a.json -c b.json USERS http://x/";
    expect((await vpc.call(line)).err).toEqual([
      'miniflare-vpc explain: 2 Workers have a binding "USERS": a, b. Choose one with "--worker a".',
    ]);
    expect((await vpc.call(`${line} --worker b`)).out[2]).toBe(
      `binding    USERS of Worker "b", VPC Service ${SERVICE_ID}`,
    );
    expect((await vpc.call("routes -c a.json -c b.json")).out).toEqual([
      "services",
      "    USERS  → localhost:1  FOLDER/vpc.jsonc:1:17  USERS of a, USERS of b",
    ]);
  });
});

test("a broken config is not explained", async () => {
  await using vpc = await createCallFolder({ ...files, "vpc.jsonc": '{ "services": { "USERS": 1 } }' });
  for (const line of ["explain USERS http://a/", "routes"]) {
    expect(await vpc.call(line)).toEqual({
      exit: 1,
      out: [],
      err: expect.arrayContaining([
        "vpc.jsonc:1:26: error: the target is 1, which is not a target [invalid-target]",
      ]) as unknown,
    });
  }
});

test("with --json, problems are printed as by check --json", async () => {
  await using vpc = await createCallFolder({ ...files, "vpc.jsonc": '{ "services": { "USERS": 1, "ORDERS": 2 } }' });
  for (const line of ["explain USERS http://a/ --json", "routes --json"]) {
    const { exit, out, err } = await vpc.call(line);
    expect({ exit, err }).toEqual({ exit: 1, err: [] });
    const found: unknown = JSON.parse(out.join("\n"));
    expect(found).toMatchObject({
      errors: 2,
      diagnostics: expect.arrayContaining([
        expect.objectContaining({ code: "invalid-target", text: "the target is 1, which is not a target" }),
        expect.objectContaining({ code: "invalid-target", text: "the target is 2, which is not a target" }),
      ]) as unknown,
    });
    const checked = JSON.parse((await vpc.call("check --json")).out.join("\n")) as object;
    expect(Object.keys(found as object)).toEqual(Object.keys(checked));
  }
  await vpc.write("wrangler.jsonc", "{ oops");
  expect(JSON.parse((await vpc.call("routes --json")).out.join("\n"))).toMatchObject({
    errors: 1,
    diagnostics: [{ code: "wrangler-config-unreadable", file: "FOLDER/wrangler.jsonc", line: 1 }],
  });
});

test("explain --json", async () => {
  await using vpc = await createCallFolder(files);
  const ask = async (line: string): Promise<unknown> => JSON.parse((await vpc.call(line)).out.join("\n"));
  expect(await ask("explain USERS http://a.example/ --json")).toEqual({
    binding: { name: "USERS", type: "vpc-service", id: SERVICE_ID, worker: "api" },
    asked: { op: "fetch", url: "http://a.example/" },
    outcome: "forwarded",
    record: { label: "users", origin: "FOLDER/vpc.jsonc:3:5", type: "http", hosts: ["users.internal"], httpPort: 8080 },
    lookups: [
      {
        host: "users.internal",
        port: 8080,
        network: { id: TUNNEL_ID, origin: "FOLDER/vpc.jsonc:9:5" },
        candidates: [
          {
            route: "users.internal:9000-9999",
            target: "worker:api",
            origin: "FOLDER/vpc.jsonc:13:9",
            outcome: "other-port",
          },
          { route: "users.internal", target: "localhost:3001", origin: "FOLDER/vpc.jsonc:12:9", outcome: "won" },
          { route: "*.internal", target: "https://localhost", origin: "FOLDER/vpc.jsonc:11:9", outcome: "outranked" },
        ],
      },
    ],
    rule: { kind: "route", text: "users.internal", origin: "FOLDER/vpc.jsonc:12:9" },
    target: "localhost:3001",
    transport: "direct",
    hostHeader: "a.example",
  });
  expect(await ask("explain NET a.internal:80 --json")).toMatchObject({
    asked: { op: "connect", address: "a.internal:80" },
    outcome: "forwarded",
    target: "https://localhost:80",
    transport: "sockets",
  });
  expect(await ask("explain LOST http://a/ --json")).toMatchObject({
    outcome: "refused",
    lookups: [],
    error: { code: "destination_not_found", reason: "the vpc config has no entry for this service" },
  });
  expect(await ask("explain REAL http://a/ --json")).toMatchObject({ outcome: "remote" });
});

test("routes --json", async () => {
  await using vpc = await createCallFolder(files);
  const line = "routes --json NET";
  expect(JSON.parse((await vpc.call(line)).out.join("\n"))).toMatchObject({
    services: [],
    networks: [
      {
        id: TUNNEL_ID,
        origin: "FOLDER/vpc.jsonc:9:5",
        bindings: [{ worker: "api", name: "NET", id: TUNNEL_ID }],
        routes: [
          { route: "users.internal:9000-9999", target: "worker:api", origin: "FOLDER/vpc.jsonc:13:9" },
          { route: "users.internal" },
          { route: "*.internal" },
          { route: "10.9.0.0/16", target: "deny destination_ip_prohibited" },
          { route: "10.0.0.0/8" },
        ],
      },
    ],
    unlinked: [],
    remote: [],
  });
});

test("control characters are escaped", async () => {
  await using vpc = await createCallFolder({
    "wrangler.json": '{ "name": "api\\u009b2J", "vpc_services": [{ "binding": "A", "service_id": "a" }] }',
    "vpc.json": '{ "services": { "A": "localhost:1" } }',
  });
  const { out } = await vpc.call("explain A http://a/");
  expect(out[2]).toBe('binding    A of Worker "api\\u009b2J", VPC Service a');
});

/** Makes columns narrow, because they are as wide as the real path of the folder. */
function narrow(lines: string[]): string[] {
  return lines.map((line) => line.replaceAll(/(?<=\S) {2,}/g, "  "));
}

test("the settings of a route are shown with it, in the same words as those of a service", async () => {
  await using vpc = await createCallFolder({
    "wrangler.json": JSON.stringify({ name: "api", vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL_ID }] }),
    "corp.pem": makeAuthority("Corporate root").cert,
    "vpc.json": `{ "networks": { "NET": { "routes": {
  "db.internal:443": { "target": "localhost:8443", "ca": ["corp.pem"], "connectTimeout": 200, "readTimeout": 1000,
    "tls_settings": { "cert_verification_mode": "verify_ca" } },
  "db.internal": { "target": "localhost", "workerLimit": 3 },
  "*.internal": { "target": "localhost" } } } } }`,
  });
  expect(narrow((await vpc.call("routes")).out.slice(1))).toEqual([
    "    db.internal:443  → localhost:8443, verify_ca, also trusts FOLDER/corp.pem, connectTimeout 200 ms, readTimeout 1000 ms  FOLDER/vpc.json:2:3",
    "    db.internal  → localhost, workerLimit 3  FOLDER/vpc.json:4:3",
    "    *.internal  → localhost  FOLDER/vpc.json:5:3",
  ]);
  const { exit, out } = await vpc.call("explain NET https://db.internal/");
  expect(exit).toBe(0);
  expect(narrow(out.slice(4))).toEqual([
    "routes  3 of 3 match the host of db.internal:443",
    "             won  db.internal:443  → localhost:8443, verify_ca, also trusts FOLDER/corp.pem, connectTimeout 200 ms, readTimeout 1000 ms  FOLDER/vpc.json:2:3  exact name, port 443",
    '             lost  db.internal  → localhost, workerLimit 3  FOLDER/vpc.json:4:3  "db.internal:443" is more specific',
    '             lost  *.internal  → localhost  FOLDER/vpc.json:5:3  "db.internal:443" is more specific',
    "target  localhost:8443",
    "transport  egress proxy, in the Node process",
    "Host  db.internal",
    "TLS  SNI db.internal",
    "           verify_ca: checks the chain, but not the host name",
    "           also trusts FOLDER/corp.pem",
  ]);
  const settings = {
    verify: "verify_ca",
    ca: ["FOLDER/corp.pem"],
    limits: { connectTimeout: 200, readTimeout: 1000 },
  };
  const json = async (line: string): Promise<unknown> => JSON.parse((await vpc.call(`${line} --json`)).out.join("\n"));
  expect(await json("explain NET https://db.internal/")).toMatchObject({
    lookups: [
      { candidates: [{ target: "localhost:8443", settings }, { settings: { limits: { workerLimit: 3 } } }, {}] },
    ],
    tls: { verify: "verify_ca", ca: ["FOLDER/corp.pem"] },
  });
  expect(await json("routes")).toMatchObject({
    networks: [
      { routes: [{ route: "db.internal:443", target: "localhost:8443", settings }, {}, { target: "localhost" }] },
    ],
  });
  expect(JSON.stringify(await json("routes")).match(/"settings"/g)).toHaveLength(2);
});

test("the certificates of a record, and the roots of production, are shown with a service", async () => {
  const corp = makeAuthority("Corp");
  const client = corp.issue("app");
  const [authority, presented] = ["5f2a7c1e-0b1d-4a8e-9f35-6f1c8a7d2b90", "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f"];
  const config = (more: object): string =>
    JSON.stringify({
      ...more,
      certificates: { [authority]: { ca: "corp.pem" }, [presented]: { cert: "client.pem", key: "client.key" } },
      services: {
        USERS: {
          target: "https://localhost:8443",
          tls_settings: {
            cert_verification_mode: "verify_full",
            certificate_authority: authority,
            client_certificate: presented,
          },
        },
      },
      networks: { NET: { routes: { "db.internal": { target: "https://localhost:1", ca: ["corp.pem"] } } } },
    });
  await using vpc = await createCallFolder({
    "wrangler.json": JSON.stringify({
      name: "api",
      vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL_ID }],
      vpc_services: [{ binding: "USERS", service_id: SERVICE_ID }],
    }),
    "corp.pem": corp.cert,
    "client.pem": client.cert,
    "client.key": client.key,
    "vpc.json": config({}),
  });
  const call = async (line: string): Promise<string> => narrow((await vpc.call(line)).out).join("\n");
  const json = async (line: string): Promise<unknown> => JSON.parse((await vpc.call(`${line} --json`)).out.join("\n"));
  expect(await call("routes")).toContain(
    "→ https://localhost:8443, trusts FOLDER/corp.pem in place of the public roots, presents FOLDER/client.pem  FOLDER/vpc.json:1:",
  );
  expect(await call("routes")).toContain("db.internal  → https://localhost:1, also trusts FOLDER/corp.pem");
  expect(await call("routes")).not.toContain('"trust"');
  expect(await call("explain USERS https://users.internal/")).toContain(`TLS  SNI users.internal
           verify_full: checks the chain, and that the certificate is for users.internal
           trusts FOLDER/corp.pem in place of the public roots
           presents FOLDER/client.pem if the target asks for a client certificate`);
  const files = { authority: "FOLDER/corp.pem", client: { cert: "FOLDER/client.pem", key: "FOLDER/client.key" } };
  expect(await json("explain USERS https://users.internal/")).toMatchObject({ tls: files });
  expect(await json("routes")).toMatchObject({
    services: [{ authority: "FOLDER/corp.pem", clientCertificate: "FOLDER/client.pem" }],
  });

  await vpc.write("vpc.json", config({ trust: "production", ca: ["corp.pem"] }));
  expect(await call("explain NET https://db.internal/")).toMatch(
    /verify_full: checks .* db\.internal\n +trusts only public CAs and the Cloudflare Origin CA$/,
  );
  expect(await call("explain USERS https://users.internal/")).toContain("trusts FOLDER/corp.pem in place of");
  expect(await call("routes")).toContain("db.internal  → https://localhost:1  FOLDER/vpc.json:1:");
  expect(await call("routes")).toMatch(
    /\n"trust": "production": only public CAs, the Cloudflare Origin CA and authorities of records are trusted$/,
  );
  expect(await json("routes")).toMatchObject({ trust: "production" });
  expect(await json("explain NET https://db.internal/")).toMatchObject({ tls: { trust: "production", ca: [] } });

  await vpc.write("vpc.json", config({}).replace(/"certificates":\{.*?\}\},/, ""));
  expect(await call("explain USERS https://users.internal/")).toContain(`
           "certificate_authority" is missing in "certificates": the usual roots are trusted in its place
           "client_certificate" is missing in "certificates": no client certificate is presented`);
});

test("the faults of a route and of a service are shown with them, in the words of miniflare-vpc fault", async () => {
  const latency = { type: "latency", stream: "upstream", toxicity: 0.5, attributes: { latency: 200, jitter: 50 } };
  const bandwidth = { type: "bandwidth", attributes: { rate: 0 } };
  await using vpc = await createCallFolder({
    "wrangler.json": JSON.stringify({
      name: "api",
      vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL_ID }],
      vpc_services: [{ binding: "USERS", service_id: SERVICE_ID }],
    }),
    "vpc.json": `{ "services": {
  "USERS": { "target": "http://localhost:1", "faults": [{ "type": "down" }, { "type": "reset_peer", "stream": "upstream", "attributes": { "timeout": 5 } }] } },
"networks": { "NET": { "routes": {
  "db.internal": { "target": "localhost:2", "connectTimeout": 200, "faults": [${JSON.stringify(latency)}, ${JSON.stringify(bandwidth)}] } } } } }`,
  });
  const routes = narrow((await vpc.call("routes")).out);
  expect(routes).toContain(
    "    USERS  → http://localhost:1, fault down, fault reset_peer=5 stream=upstream  FOLDER/vpc.json:2:3  USERS of api",
  );
  const route =
    "→ localhost:2, connectTimeout 200 ms, fault latency=200 jitter=50 stream=upstream toxicity=0.5, fault bandwidth=0";
  expect(routes).toContain(`    db.internal  ${route}  FOLDER/vpc.json:4:3`);
  expect(narrow((await vpc.call("explain NET db.internal:1")).out).join("\n")).toContain(
    `won  db.internal  ${route}  `,
  );
  expect(narrow((await vpc.call("explain USERS http://users/")).out).slice(3, 7)).toEqual([
    'record  "USERS" at FOLDER/vpc.json:2:3',
    "           its target http://localhost:1 is used, so no route applies",
    "           fault down",
    "           fault reset_peer=5 stream=upstream",
  ]);
  const json = async (line: string): Promise<unknown> => JSON.parse((await vpc.call(`${line} --json`)).out.join("\n"));
  const down = { type: "down", stream: "downstream", toxicity: 1, attributes: {} };
  const faults = [latency, { ...bandwidth, stream: "downstream", toxicity: 1 }];
  expect(await json("routes")).toMatchObject({
    services: [{ faults: [down, { type: "reset_peer", attributes: { timeout: 5 } }] }],
    networks: [{ routes: [{ settings: { faults } }] }],
  });
  // Faults act in the egress proxy, so every call of the session goes there.
  const transport = "egress";
  expect(await json("explain USERS http://users/")).toMatchObject({ record: { faults: [down, {}] }, transport });
  expect(await json("explain NET db.internal:1")).toMatchObject({
    transport,
    lookups: [{ candidates: [{ settings: { faults } }] }],
  });
});

test("a compose route is shown with its service", async () => {
  await using vpc = await createCallFolder({
    "wrangler.json": JSON.stringify({ name: "api", vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL_ID }] }),
    "vpc.json": '{ "networks": { "NET": { "compose": "compose.yaml" } } }',
    "compose.yaml": "services:\n  db:\n    container_name: postgres\n    ports: ['5433:5432']\n",
  });
  expect((await vpc.call("routes")).out.slice(1)).toEqual([
    '    db:5432        → 127.0.0.1:5433  FOLDER/compose.yaml:4:13, service "db"',
    '    postgres:5432  → 127.0.0.1:5433  FOLDER/compose.yaml:4:13, service "db"',
  ]);
  expect((await vpc.call("explain NET postgres:5432")).out).toContain(
    '             won   postgres:5432  → 127.0.0.1:5433  FOLDER/compose.yaml:4:13, service "db"  exact name, port 5432',
  );
  const route = { route: "postgres:5432", origin: "FOLDER/compose.yaml:4:13", composeService: "db" };
  expect(JSON.parse((await vpc.call("explain NET postgres:5432 --json")).out.join("\n"))).toMatchObject({
    lookups: [{ candidates: [route] }],
  });
  expect(JSON.parse((await vpc.call("routes --json")).out.join("\n"))).toMatchObject({
    networks: [{ routes: [{ route: "db:5432", composeService: "db" }, route] }],
  });
});

test("name servers are shown with a route where one of them is asked", async () => {
  await using vpc = await createCallFolder({
    "wrangler.json": JSON.stringify({ name: "api", vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL_ID }] }),
    "vpc.json":
      '{ "networks": { "NET": { "resolver_ips": ["10.0.0.53"], "routes": { "*": "passthrough", "localhost": "passthrough" } } } }',
  });
  const shown = async (host: string): Promise<string[]> => {
    const { out } = await vpc.call(`explain NET http://${host}/`);
    const { out: json } = await vpc.call(`explain NET http://${host}/ --json`);
    const { lookups } = JSON.parse(json.join("\n")) as { lookups: { candidates: { target: string }[] }[] };
    const targets = lookups.flatMap(({ candidates }) => candidates.map(({ target }) => target));
    const lines = out.filter((line) => / (?:won|lost) /.test(line));
    expect(lines.map((line) => /→ (passthrough(?:, asking [\d.]+)?)/.exec(line)?.[1])).toEqual(targets);
    return targets;
  };
  expect(await shown("users.internal")).toEqual(["passthrough, asking 10.0.0.53"]);
  expect(await shown("localhost.internal")).toEqual(["passthrough, asking 10.0.0.53"]);
  expect(await shown("localhost")).toEqual(["passthrough", "passthrough"]);
  expect(await shown("a.localhost")).toEqual(["passthrough"]);
  expect(await shown("10.0.0.1")).toEqual(["passthrough"]);
});

test("routes of an unknown Worker", async () => {
  await using vpc = await createCallFolder(files);
  expect(await vpc.call("routes --worker apo")).toEqual({
    exit: 2,
    out: [],
    err: ['miniflare-vpc routes: no Worker "apo" has VPC bindings. Did you mean "api"?'],
  });
});

test("ten thousand ports of one host are explained and listed within four seconds of processor time", async () => {
  const routes = Array.from({ length: 10_000 }, (_, n) => `"db.internal:${n + 1}": "localhost"`);
  await using vpc = await createCallFolder({
    "wrangler.json": JSON.stringify({ name: "api", vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL_ID }] }),
    "vpc.json": `{ "networks": { "NET": { "routes": { ${routes.join(", ")} } } } }`,
  });
  const cpuTime = startCpuTime();
  expect((await vpc.call("explain NET db.internal:20000")).out[4]).toBe(
    "routes     10000 of 10000 match the host of db.internal:20000",
  );
  expect((await vpc.call("routes")).out).toHaveLength(10_001);
  expect(cpuTime()).toBeLessThan(4000);
});

test("routes prints a message if there is nothing to list", async () => {
  await using vpc = await createCallFolder({ "wrangler.json": "{}" });
  expect((await vpc.call("routes")).out).toEqual(["There are no VPC bindings."]);
});

test("a recording that is made, or falls back, shows what is asked", async () => {
  vi.stubEnv("CI", "");
  try {
    const har = JSON.stringify({ log: { version: "1.2", creator: { name: "test", version: "1" }, entries: [] } });
    const routes = {
      "made.internal": { har: "./made.har", target: "localhost:3001", update: true },
      "or.internal": { har: "./old.har", target: "http://localhost:3002", notFound: "fallback" },
      "only.internal": { har: "./old.har", target: "localhost:3003" },
    };
    await using vpc = await createCallFolder({
      "wrangler.jsonc": files["wrangler.jsonc"],
      "vpc.jsonc": JSON.stringify({ networks: { NET: { routes } } }),
      "old.har": har,
    });
    const made = (await vpc.call("explain NET http://made.internal/a")).out.join("\n");
    expect(made).toMatch(/target +localhost:3001, recorded into har:\.\/made\.har/);
    expect(made).toMatch(/transport +egress proxy, in the Node process, which records the answers/);
    const listed = (await vpc.call("routes")).out.join("\n");
    for (const text of [
      "localhost:3001, recorded into har:./made.har",
      "har:./old.har, or http://localhost:3002 if it has no answer",
    ])
      expect(listed).toContain(text);
    expect(listed).not.toContain("localhost:3003");
  } finally {
    vi.unstubAllEnvs();
  }
});

test("routes shows the roots of a service itself", async () => {
  await using vpc = await createCallFolder({
    "wrangler.json": JSON.stringify({ name: "api", vpc_services: [{ binding: "USERS", service_id: SERVICE_ID }] }),
    "corp.pem": makeAuthority("Corp").cert,
    "vpc.json": JSON.stringify({ services: { USERS: { target: "https://localhost:8443", ca: ["corp.pem"] } } }),
  });
  expect(narrow((await vpc.call("routes")).out).join("\n")).toContain(
    "→ https://localhost:8443, also trusts FOLDER/corp.pem  FOLDER/vpc.json:1:",
  );
  expect(JSON.parse((await vpc.call("routes --json")).out.join("\n"))).toMatchObject({
    services: [{ ca: ["FOLDER/corp.pem"] }],
  });
});
