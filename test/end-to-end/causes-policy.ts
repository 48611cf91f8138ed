/** Causes in the config: a route, a record or a limit refuses the call, or a function fails. */

import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { type Causes, SERVICE, TUNNEL, byConnect, directly } from "./cause.ts";

const record = {
  name: "users",
  type: "http",
  host: { hostname: "users.internal", resolver_network: { tunnel_id: TUNNEL } },
} as const;

export const NOT_FOUND: Causes = {
  "no route to the name": () =>
    directly(1, 'Add "b.internal": "localhost:80" to "routes"', { argument: "http://b.internal/" }),
  "no route to the name, connect()": () =>
    byConnect(1, 'Add "b.internal": "localhost:5432"', { argument: "b.internal:5432" }),
  "connect() on an http service": () => ({
    op: "connectService",
    argument: "users.internal:80",
    config: { services: { [SERVICE]: { ...record, target: "127.0.0.1:1" } } },
    says: "this is an http service without a TCP port",
  }),
};

export const UNROUTABLE: Causes = {
  "no route to the address": () => directly(1, "no route of network", { argument: "http://10.9.8.7/" }),
  "no route to the IPv6 address": () => directly(1, "no route of network", { argument: "http://[fd00::7]/" }),
  "no route to the address, connect()": () => byConnect(1, "no route of network", { argument: "10.9.8.7:22" }),
};

export const DENIED: Causes = {
  "the record has an http_port only": () => ({
    op: "service",
    argument: "https://users.internal/",
    config: { services: { [SERVICE]: { ...record, http_port: 80, target: "127.0.0.1:1" } } },
    says: 'the record has only "http_port"',
  }),
  "fetch() on a tcp service": () => ({
    op: "service",
    argument: "http://users.internal/",
    config: { services: { [SERVICE]: { ...record, type: "tcp", tcp_port: 5432, target: "127.0.0.1:1" } } },
    says: "this is a tcp service",
  }),
};

export const UNAVAILABLE: Causes = {
  "fetch() to a function for TCP": () =>
    directly(1, "fetch", { routes: { "a.internal": { connect: (socket) => void socket.end() } } }),
  "connect() to a function for HTTP": () => byConnect(1, "connect", { routes: { "a.internal": () => new Response() } }),
};

const TWICE = { rateLimit: { limit: 2, period: 60 } };

export const RATE_LIMITED: Causes = {
  "the third fetch()": async (stack) =>
    directly(stack.use(await startHttpOrigin(ok(""))).port, '"rateLimit" allows 2 calls in 60 s', {
      op: "fetchThrice",
      config: TWICE,
    }),
  "the third connect(), with the limit in the network's entry": async (stack) =>
    byConnect(stack.use(await startHttpOrigin(ok(""))).port, '"rateLimit" allows 2 calls in 60 s', {
      op: "connectThrice",
      network: TWICE,
    }),
};

export const LOOP: Causes = {
  "over worker:": () => ({
    op: "again",
    argument: "http://self.internal/",
    config: { workerLimit: 8 },
    routes: { "self.internal": "worker:app" },
    says: '8 calls are already in flight to the Worker "app"',
  }),
  "through worker:, with the limit in the route": () => ({
    op: "again",
    argument: "http://self.internal/",
    routes: { "self.internal": { target: "worker:app", workerLimit: 4 } },
    says: '4 calls are already in flight to the Worker "app"',
  }),
  "through the session's own port": () => ({
    op: "again",
    argument: "http://127.0.0.1:PORT/",
    config: { workerLimit: 8 },
    routes: { "127.0.0.1": "passthrough" },
    says: /8 calls to port \d+, where this session itself listens, wait for each other/,
  }),
};

export const INTERNAL: Causes = {
  "a function that returns no Response": () => ({
    op: "fetch",
    argument: "http://a.internal/",
    routes: { "a.internal": () => undefined as never },
    says: "it returned undefined, which isn't a usable Response",
  }),
};
