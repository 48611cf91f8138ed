/**
 * `connect()` on a VPC binding: dials what `decide` chose and relays both ways, half-close included.
 *
 *   user's Worker ◀── inbound ──▶ forwardConnection ◀── upstream ──▶ target
 *
 * Reports the outcome to the facade (outcomes.ts) on every path. On a refusal the inbound socket is
 * closed, which is all that a stub without a facade can see.
 */

import { connect } from "cloudflare:sockets";
import { formatEndpoint, isLiteralHost, isProblem, parseEndpoint } from "./address.ts";
import { unmarkHost } from "./connection-id.ts";
import { type Decision, type Forward, decide } from "./decide.ts";
import { connectThroughEgress, probe, toEgressTarget, toProxyError } from "./egress.ts";
import type { EgressTarget } from "./egress-protocol.ts";
import type { ServiceWorkerEnv } from "./env.ts";
import { ProxyError, describeFailure } from "./failure.ts";
import { type ForwardTarget, formatTarget, targetKey } from "./forward-target.ts";
import type { Call } from "./http.ts";
import { settleOutcome } from "./outcomes.ts";
import { relay } from "./relay.ts";
import { formatBytes, printFailure, printTraffic, printWarning } from "./traffic.ts";
import { enterWorker, workerStub } from "./worker-target.ts";

const NOTHING = new Uint8Array();

interface Upstream {
  socket: Socket;
  /** Bytes of the target that were read before the relay began. */
  first: Uint8Array;
  /** Called once when the connection is over. */
  leave: () => void;
}

export async function forwardConnection(inbound: Socket, call: Call): Promise<void> {
  const started = Date.now();
  const { localAddress = "" } = await inbound.opened;
  const { host, port, connectionId } = destinationOf(localAddress);
  const asked = `connect ${formatEndpoint(host, port)}`;
  let decision: Decision | undefined;
  let upstream: Upstream;
  try {
    decision = decide(call.index, call.bindingId, { scheme: "tcp", host, port });
    warnOnService(decision);
    if (decision.type === "refuse") throw new ProxyError(decision.code, decision);
    upstream = await dial(decision, call);
  } catch (error) {
    const failure =
      error instanceof ProxyError ? error : new ProxyError("proxy_internal_error", { reason: String(error) });
    if (connectionId !== undefined) settleOutcome(connectionId, { type: "failed", code: failure.code });
    printFailure(decision === undefined ? `${asked}  ${String(error)}` : describeFailure(failure, decision, asked));
    await inbound.close();
    return;
  }
  if (connectionId !== undefined) settleOutcome(connectionId, { type: "open" });

  try {
    const isCounted = decision.binding.traffic;
    const relaying = relay(inbound, upstream.socket, { first: upstream.first, isCounted });
    // A caller that answers right after its `close()` ends this event too, and the line would be lost.
    call.ctx.waitUntil(relaying);
    const relayed = await relaying;
    if (relayed !== undefined) {
      const bytes = `↑ ${formatBytes(relayed.sent)} ↓ ${formatBytes(relayed.received)}`;
      const line = `${decision.binding.bindingName}  ${asked} → ${formatTarget(decision.to)}  ${bytes}  ${Date.now() - started} ms`;
      printTraffic(line, call.ctx);
    }
  } finally {
    upstream.leave();
  }
}

function destinationOf(address: string): { host: string; port: number; connectionId: string | undefined } {
  const colon = address.lastIndexOf(":");
  const { host, connectionId } = unmarkHost(address.slice(0, colon));
  const endpoint = parseEndpoint(formatEndpoint(host.replace(/^\[|\]$/g, ""), Number(address.slice(colon + 1))));
  if (isProblem(endpoint)) return { host, port: 0, connectionId };
  return { host: endpoint.host.text, port: endpoint.port, connectionId };
}

async function dial({ to, binding }: Forward, { env }: Call): Promise<Upstream> {
  const { connectTimeout } = binding;
  if (to.type === "worker") {
    const leave = enterWorker(to.workerName, binding.workerLimit);
    return { socket: workerStub(to, env).connect("worker:1", { allowHalfOpen: true }), first: NOTHING, leave };
  }
  const target = toEgressTarget(to);
  const native = nativeSocket(to, env);
  if (native === undefined)
    return { ...(await connectThroughEgress(env, { target, connectTimeout })), leave: () => {} };
  return { socket: await open(native, { env, target, connectTimeout }), first: NOTHING, leave: () => {} };
}

/** @returns undefined where only the Node process can dial: a function, a new unix socket, a name */
function nativeSocket(to: Exclude<ForwardTarget, { type: "worker" }>, env: ServiceWorkerEnv): Socket | undefined {
  switch (to.type) {
    case "function":
      return undefined;
    case "unix":
      return env[targetKey("tcp", to)]?.connect("unix:1", { allowHalfOpen: true });
    case "address":
      // workerd prints a native stack for a name that does not resolve.
      if (!isLiteralHost(to.host)) return undefined;
      return connect({ hostname: bracketed(to.host), port: to.port }, { allowHalfOpen: true });
    default:
      return to satisfies never;
  }
}

/**
 * Waits until a native socket is open. workerd tells no cause, so after a failure the target is
 * probed, which does.
 *
 * @throws {ProxyError}
 */
async function open(
  socket: Socket,
  { env, target, connectTimeout }: { env: ServiceWorkerEnv; target: EgressTarget; connectTimeout: number },
): Promise<Socket> {
  let timer: number | null = null;
  // A socket that fails rejects both promises; only `opened` is read here.
  socket.closed.catch(() => undefined);
  try {
    const outcome = await Promise.race([
      socket.opened.then(
        () => "open" as const,
        () => "failed" as const,
      ),
      new Promise<"timeout">((resolve) => {
        timer = setTimeout(() => resolve("timeout"), connectTimeout);
      }),
    ]);
    if (outcome === "open") return socket;
    if (outcome === "timeout") {
      throw new ProxyError("connection_timeout", { reason: `no answer within ${connectTimeout} ms` });
    }
  } finally {
    clearTimeout(timer);
  }
  const failure = await probe(env, { target, connectTimeout });
  throw failure === null ? new ProxyError("connection_terminated") : toProxyError(failure);
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

const warned = new Set<string>();

/** Differs from production: `connect()` is documented for VPC Networks only. */
function warnOnService({ binding }: Decision): void {
  if (binding.kind !== "service" || warned.has(binding.bindingName)) return;
  warned.add(binding.bindingName);
  printWarning(
    `${binding.bindingName}  connect() on a VPC Service works here, but is documented for VPC Networks only (warned once)`,
  );
}
