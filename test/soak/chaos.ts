/**
 * Private services that are killed and restarted, stopped, and lose their connections at random. Records these events, to
 * decide which failures they explain.
 */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import path from "node:path";
import { setTimeout } from "node:timers/promises";

export interface Target {
  name: string;
  httpPort: number;
  tcpPort: number;
  socketPath: string;
}

/** A failed call, as `worker.js` reports it. */
export interface Failure {
  target: string;
  url: string;
  id: number;
  isReplayable: boolean;
  isWrong: boolean;
  stage: "request" | "body" | "connect" | "relay";
  message: string;
  started: number;
  ended: number;
}

interface Event {
  kind: "down" | "broken";
  from: number;
  to: number;
}

export interface Chaos extends AsyncDisposable {
  targets: Target[];
  counts: Record<string, number>;
  /** Begins the disturbances. @returns a function that stops them and waits until all services are back */
  begin(): () => Promise<void>;
  /** @returns the events of the failure's target in the seconds around it */
  around(failure: Failure): object[];
  /** @returns the event that explains the failure, or undefined if the failure is our fault */
  explain(failure: Failure): string | undefined;
  /** @returns the highest number of TCP connections that a target had at once */
  mostTcp(name: string): Promise<number>;
}

/** Milliseconds by which the clocks may differ, because workerd's clock stands still while it computes. */
const BLUR = 250;
/**
 * Milliseconds in which a process that gets no processor time may not notice a closed connection. A request that may not
 * be repeated is lost on such a connection.
 */
const STALE = 1000;
/** Milliseconds between two events of a target, so that a request meets only one unless it waits. */
const QUIET = 800;

export async function startChaos(count: number, folder: string): Promise<Chaos> {
  const services = await Promise.all(
    Array.from({ length: count }, async (_, index) => startService(`t${index}`, folder)),
  );
  const counts: Record<string, number> = {};
  const byName = new Map(services.map((service) => [service.target.name, service]));

  async function disturb(service: Service, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await setTimeout(QUIET + Math.random() * QUIET);
      if (isOver()) return;
      const chosen = ACTS[Math.floor(Math.random() * ACTS.length)];
      if (chosen === undefined) continue;
      const [kind, act] = chosen;
      counts[kind] = (counts[kind] ?? 0) + 1;
      await act(service);
    }
  }

  return {
    targets: services.map(({ target }) => target),
    counts,
    begin() {
      let isOver = false;
      const all = services.map((service) => disturb(service, () => isOver));
      return async () => {
        isOver = true;
        await Promise.all(all);
      };
    },
    around({ target, started, ended }) {
      const events = byName.get(target)?.events ?? [];
      return events
        .filter(({ from, to }) => from - 3000 <= ended && started <= to + 3000)
        .map(({ kind, from, to }) => ({ kind, from: from - started, to: to - started }));
    },
    explain(failure) {
      const service = byName.get(failure.target);
      if (failure.isWrong || service === undefined) return undefined;
      const met = service.events.filter(({ from, to }) => from - BLUR <= failure.ended && failure.started <= to + BLUR);
      const isDown = met.some(({ kind }) => kind === "down");
      switch (failure.message) {
        case "ProxyError: connection_refused":
          return isDown ? "the target was down" : undefined;
        case "ProxyError: connection_terminated":
          // The request was repeated if possible, so one event doesn't explain the failure.
          if (failure.isReplayable) return met.length > 1 ? "broken twice" : undefined;
          if (met.length > 0) return "its connection was broken";
          return service.events.some(({ to }) => to < failure.started && failure.started < to + STALE)
            ? "on a kept connection that was broken"
            : undefined;
        default:
          // A response or connection that has begun can't be repeated.
          return failure.stage !== "request" && failure.stage !== "connect" && met.length > 0
            ? "broken off"
            : undefined;
      }
    },
    async mostTcp(name) {
      const { mostTcp } = (await byName.get(name)?.tell("count")) ?? { mostTcp: 0 };
      return mostTcp;
    },
    async [Symbol.asyncDispose]() {
      for (const service of services) service.child.kill("SIGKILL");
    },
  };
}

interface Service {
  target: Target;
  child: ChildProcess;
  events: Event[];
  tell(message: string): Promise<{ mostTcp: number }>;
  start(): Promise<void>;
}

async function startService(name: string, folder: string): Promise<Service> {
  const target = { name, httpPort: await fixedPort(), tcpPort: await fixedPort(), socketPath: path.join(folder, name) };
  const args = [name, String(target.httpPort), String(target.tcpPort), target.socketPath];
  const launch = (): ChildProcess => fork(path.join(import.meta.dirname, "target.ts"), args, { execArgv: [] });
  const service: Service = {
    target,
    child: launch(),
    events: [],
    async tell(message) {
      service.child.send(message);
      const [answer] = (await once(service.child, "message")) as [{ mostTcp: number }];
      return answer;
    },
    async start() {
      service.child = launch();
      await once(service.child, "message");
    },
  };
  await once(service.child, "message");
  return service;
}

async function noted(service: Service, kind: Event["kind"], act: () => Promise<unknown>): Promise<void> {
  const event = { kind, from: Date.now(), to: Infinity };
  service.events.push(event);
  await act();
  event.to = Date.now();
}

const ACTS: [kind: string, act: (service: Service) => Promise<void>][] = [
  [
    "killed and restarted",
    (service) =>
      noted(service, "down", async () => {
        service.child.kill("SIGKILL");
        await once(service.child, "exit");
        await service.start();
      }),
  ],
  [
    "stopped for a while",
    async ({ child }) => {
      child.kill("SIGSTOP");
      await setTimeout(400);
      child.kill("SIGCONT");
    },
  ],
  ["all connections reset", (service) => noted(service, "broken", () => service.tell("reset"))],
  ["all connections closed", (service) => noted(service, "broken", () => service.tell("close"))],
];

const taken = new Set<number>();

/**
 * @returns a port below those of outgoing connections. Otherwise, an outgoing connection might use the port while the
 * target is down, or even connect to itself.
 */
async function fixedPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (taken.has(port)) continue;
    taken.add(port);
    const server = net.createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    server.close();
    if (isFree) return port;
  }
}
