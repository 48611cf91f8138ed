/**
 * `connect()` on a VPC binding: dials what `decide` chose and relays both ways, half-close included.
 *
 *   user's Worker ◀── inbound ──▶ forwardConnection ◀── upstream ──▶ target
 *
 * Reports the outcome to the facade (outcomes.ts) on every path. On a refusal the inbound socket is
 * closed, which is all that a stub without a facade can see.
 */

import { connect } from "cloudflare:sockets";
import { isProblem, parseEndpoint } from "./address.ts";
import { unmarkAddress } from "./connection-id.ts";
import { type Forward, decide } from "./decide.ts";
import { connectThroughEgress, explainDrop } from "./egress.ts";
import type { EgressLimits, EgressTarget } from "./egress-protocol.ts";
import type { Call, ServiceWorkerEnv } from "./env.ts";
import { ProxyError, connectTimedOut, describeFailure } from "./failure.ts";
import { formatTarget } from "./forward-target.ts";
import { settleOutcome } from "./outcomes.ts";
import { enterPort } from "./own-port.ts";
import { proxyErrorMessage } from "./proxy-error.ts";
import { countCall } from "./rate-limit.ts";
import { relay } from "./relay.ts";
import { bindingKey } from "./table.ts";
import { formatBytes, printFailure, printTraffic, printWarning } from "./traffic.ts";
import { mayDialDirectly, toEgressTarget } from "./transport.ts";
import { connectWorker } from "./worker-target.ts";

const NOTHING = new Uint8Array();

interface Upstream {
  socket: Socket;
  /** Bytes of the target that were read before the relay began. */
  first: Uint8Array;
  /** Called once when the connection is over. */
  leave: () => void;
  /** Whether it must be called, or the connection would count forever. */
  isCounted: boolean;
}

/**
 * A caller that answers while it connects, or right after its `close()`, ends this event too; what must run all the
 * same is waited for. Not more than that, for it takes a tenth of the time of a short connection.
 */
export async function forwardConnection(inbound: Socket, call: Call): Promise<void> {
  const opening = openConnection(inbound, call);
  call.ctx.waitUntil(opening);
  const opened = await opening;
  if (opened === undefined) return;
  const relaying = relayConnection(opened, call);
  if (opened.decision.binding.traffic || opened.upstream.isCounted) call.ctx.waitUntil(relaying);
  await relaying;
}

interface Opened {
  inbound: Socket;
  upstream: Upstream;
  decision: Forward;
  /** For the terminal. */
  asked: string;
  /** Milliseconds since the epoch. */
  started: number;
}

/** @returns undefined where there is no connection, which everybody has been told */
async function openConnection(inbound: Socket, call: Call): Promise<Opened | undefined> {
  const started = Date.now();
  const { localAddress = "" } = await inbound.opened;
  const { address, connectionId } = unmarkAddress(localAddress);
  const asked = `connect ${address}`;
  const endpoint = parseEndpoint(address);
  if (isProblem(endpoint)) {
    if (connectionId !== undefined) settleOutcome(connectionId, { type: "failed", code: "destination_not_found" });
    printFailure(`${asked}  ${proxyErrorMessage("destination_not_found")}\n  the address ${endpoint.problem}`);
    await inbound.close();
    return undefined;
  }
  const decision = decide(call.index, call.bindingId, {
    scheme: "tcp",
    host: endpoint.host.text,
    port: endpoint.port,
  });
  try {
    if (decision.type === "refuse") throw new ProxyError(decision.code, decision);
    const { rateLimit } = decision.binding.limits;
    if (rateLimit !== undefined) countCall(call.bindingId, rateLimit);
    warnOnService(decision);
    const upstream = await dial(decision, call);
    if (connectionId !== undefined) settleOutcome(connectionId, { type: "open" });
    return { inbound, upstream, decision, asked, started };
  } catch (error) {
    const failure = ProxyError.from(error);
    if (connectionId !== undefined) settleOutcome(connectionId, { type: "failed", code: failure.code });
    printFailure(describeFailure(failure, decision, asked));
    await inbound.close();
    return undefined;
  }
}

async function relayConnection({ inbound, upstream, decision, asked, started }: Opened, { ctx }: Call): Promise<void> {
  const { to, binding } = decision;
  try {
    const relayed = await relay(inbound, upstream.socket, { first: upstream.first, isCounted: binding.traffic });
    if (relayed !== undefined) {
      const bytes = `↑ ${formatBytes(relayed.sent)} ↓ ${formatBytes(relayed.received)}`;
      const line = `${binding.bindingName}  ${asked} → ${formatTarget(to)}  ${bytes}  ${Date.now() - started} ms`;
      printTraffic(line, ctx);
    }
  } finally {
    upstream.leave();
  }
}

async function dial({ to, binding }: Forward, { env }: Call): Promise<Upstream> {
  const { limits } = binding;
  if (to.type === "worker") return { ...connectWorker(to, { limits, env }), first: NOTHING, isCounted: true };
  const target = toEgressTarget(to);
  const { leave, isCounted, checked } = enterPort(target, { limit: limits.workerLimit, env });
  try {
    await checked;
    if (!mayDialDirectly(target, limits))
      return { ...(await connectThroughEgress(env, { target, limits })), leave, isCounted };
    const socket = connect({ hostname: bracketed(target.host), port: target.port }, { allowHalfOpen: true });
    return { socket: await open(socket, { env, target, limits }), first: NOTHING, leave, isCounted };
  } catch (error) {
    leave();
    throw error;
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
  { env, target, limits }: { env: ServiceWorkerEnv; target: EgressTarget; limits: EgressLimits },
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
        timer = setTimeout(() => resolve("timeout"), limits.connectTimeout);
      }),
    ]);
    if (outcome === "open") return socket;
    if (outcome === "timeout") {
      throw connectTimedOut(limits.connectTimeout);
    }
  } finally {
    clearTimeout(timer);
  }
  throw await explainDrop(env, { target, limits });
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

const warned = new Set<string>();

/** Differs from production: `connect()` is documented for VPC Networks only. */
function warnOnService({ binding }: Forward): void {
  const key = bindingKey(binding.workerName, binding.bindingName);
  if (binding.kind !== "service" || warned.has(key)) return;
  warned.add(key);
  printWarning(
    `${binding.bindingName}  connect() on a VPC Service works here, but is documented for VPC Networks only (warned once)`,
  );
}
