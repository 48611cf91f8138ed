/**
 * `connect()` on a VPC binding: dials what `decide` chose and relays both ways, half-close included.
 *
 *   user's Worker ◀── inbound ──▶ forwardConnection ◀── upstream ──▶ target
 *   with traffic lines            connectByHop ◀── hop ──▶ forwardHop ◀── upstream ──▶ target
 *
 * Tells the caller whether there is a connection (knock.ts), on every path. A refusal closes the inbound socket, which is
 * all that a stub without a facade can see.
 */

import { connect } from "cloudflare:sockets";
import { bracketHost, isProblem, parseEndpoint } from "../routing/address.ts";
import { breakOff } from "./break-off.ts";
import { unmarkAddress } from "./connection-id.ts";
import { ConnectionLines } from "../routing/connection-lines.ts";
import { type Decision, type Forward, decide } from "../routing/decide.ts";
import { connectThroughEgress, explainDrop } from "../egress.ts";
import type { EgressGoal, EgressLimits, EgressTarget } from "../routing/egress-protocol.ts";
import type { Call, ServiceWorkerEnv } from "../env.ts";
import { describeFailure } from "../routing/describe-failure.ts";
import { ProxyError, connectTimedOut } from "../proxy-error.ts";
import { type AskedConnection, connectByHop, takeHop } from "./hop.ts";
import { describeIgnoredPort } from "../routing/ignored-port.ts";
import { answerWhy, keepOutcome, waitUntilTaken } from "./connect-outcomes.ts";
import { OPEN, takeHost, takeKnock } from "./knock.ts";
import { enterPort } from "../loop-guard.ts";
import { type Observed, askGoal, connectObserved, isObserved, observe } from "../observed.ts";
import { goalOf } from "../routing/observed-call.ts";
import { type ProxyErrorCode, proxyErrorMessage } from "../routing/error-codes.ts";
import { countCall } from "../rate-limit.ts";
import { type Upstream, drain, relay } from "./relay.ts";
import { printFailure, printTraffic, warnOnce } from "../traffic.ts";
import { tcpWayOf } from "../routing/transport.ts";
import { connectWorker } from "../worker-target.ts";

export async function forwardConnection(inbound: Socket, call: Call): Promise<void> {
  const { localAddress = "" } = await inbound.opened;
  const { ahead, isQuestion, ...asked } = unmarkAddress(localAddress);
  if (isQuestion) return answerWhy(inbound, asked);
  if (ahead !== undefined) {
    const host = await takeHost(inbound, ahead);
    if (host === undefined) return refuseUnnamed(inbound, asked);
    asked.address = `${host}${asked.address}`;
  }
  if (!call.index.table.bindings[call.bindingId]?.traffic) return forward({ inbound, asked, call });
  return connectByHop(inbound, asked, call);
}

/** What the caller has sent is its own, and may be secret, so it is neither printed nor taken for a host. */
async function refuseUnnamed(inbound: Socket, asked: AskedConnection): Promise<void> {
  const code = "proxy_internal_error";
  printFailure(
    `connect  ${proxyErrorMessage(code)}\n  the host has more than 220 characters or begins with "--", so its stream must not be passed on or aborted before the connection is open; await connect() first`,
  );
  await refuse(inbound, asked, code);
}

/** @param inbound the socket of a hop */
export async function forwardHop(inbound: Socket, ctx: Call["ctx"]): Promise<void> {
  const { localAddress = "" } = await inbound.opened;
  const hop = takeHop(localAddress);
  const hasLines = hop.index.table.bindings[hop.bindingId]?.traffic ?? false;
  const print = (line: string | Promise<string>): void => printTraffic(line, ctx);
  const lines = hasLines ? { lines: new ConnectionLines({ goneAt: () => hop.goneAt, print }) } : {};
  const isCallerGone = (): boolean => hop.goneAt !== undefined;
  await forward({ inbound, asked: hop.asked, call: { ...hop, ctx }, isCallerGone, ...lines });
}

interface Forwarding {
  inbound: Socket;
  asked: AskedConnection;
  call: Call;
  lines?: ConnectionLines;
  isCallerGone?: () => boolean;
}

/**
 * If the caller's Worker returns its response while it connects, or right after its `close()`, this event ends too. `waitUntil`
 * keeps only what must still run, because it takes time on each short connection.
 */
async function forward(forwarding: Forwarding): Promise<void> {
  const { inbound, call, lines, isCallerGone } = forwarding;
  const opening = openConnection(forwarding);
  call.ctx.waitUntil(opening);
  const upstream = await opening;
  if (upstream === undefined) return;
  const relaying = relay(inbound, upstream, {
    breakOff: (writable) => breakOff(writable, call.env),
    taken: takeStart(forwarding, upstream),
    ...(lines && { counted: lines }),
    ...(isCallerGone && { isCallerGone }),
  });
  // If a connection to the egress proxy is closed while the target's bytes are unread, bytes on their way there are lost.
  if (upstream.isCounted || upstream.isBroken || lines) call.ctx.waitUntil(relaying);
  await relaying;
}

/** Tells the caller that there is a connection. Resolves when the caller's bytes are its own. */
async function takeStart({ inbound, asked, lines }: Forwarding, { socket }: Upstream): Promise<void> {
  if (asked.connectionId === undefined) return;
  keepOutcome(asked.connectionId, OPEN);
  const sent = await takeKnock(inbound, socket);
  if (lines) lines.sent += sent;
}

/** @returns undefined if there is no connection; the failure has already been reported */
async function openConnection({ inbound, asked, call, lines }: Forwarding): Promise<Upstream | undefined> {
  const { address } = asked;
  const what = `connect ${address}`;
  const endpoint = parseEndpoint(address);
  if (isProblem(endpoint)) {
    printFailure(`${what}  ${proxyErrorMessage("destination_not_found")}\n  the address ${endpoint.problem}`);
    await refuse(inbound, asked, "destination_not_found");
    return undefined;
  }
  const destination = { scheme: "tcp", host: endpoint.host.text, port: endpoint.port } as const;
  const decision = decide(call.index, call.bindingId, destination);
  const observed = isObserved(call) ? observe(decision, destination, { call }) : undefined;
  const findGoal = async (): Promise<EgressGoal> =>
    observed ? askGoal(observed, { decision, env: call.env }) : goalOf(decision);
  try {
    if (decision.type === "forward") {
      const { rateLimit } = decision.limits;
      if (rateLimit !== undefined) countCall(call.bindingId, rateLimit);
      warnOnService(decision, endpoint.port);
    }
    const begin = (): void =>
      lines?.begin({
        what: `${decision.binding.label}  ${what}`,
        goal: () => (observed ? findGoal().then(({ text }) => text) : goalOf(decision).text),
      });
    const upstream = observed
      ? await dialObserved(observed, { address, call, begin })
      : await dialDecided(decision, { address, env: call.env, begin });
    lines?.open();
    return upstream;
  } catch (error) {
    const failure = ProxyError.from(error);
    // Before its caller can end.
    const goal = await findGoal();
    lines?.fail();
    printFailure(describeFailure(failure, { decision, asked: what, goal }));
    await refuse(inbound, asked, failure.code);
    return undefined;
  }
}

/** Milliseconds for a write that a refused caller has begun, or for the answer that a facade gets. */
const TAKE_FOR = 20;

/**
 * A facade learns why before its stream ends, because a client would take the end for the cause. If a write under way is cut
 * off, the runtime prints a native stack, so it is taken and dropped first, with the knock. A facade that has not asked would
 * believe that a knock which is taken means a connection, so the close refuses that one.
 */
async function refuse(inbound: Socket, { connectionId }: AskedConnection, code: ProxyErrorCode): Promise<void> {
  if (connectionId !== undefined) keepOutcome(connectionId, code);
  const mayDrain = connectionId === undefined || (await waitUntilTaken(connectionId));
  if (connectionId !== undefined) await scheduler.wait(TAKE_FOR);
  if (mayDrain) await Promise.race([drain(inbound.readable), scheduler.wait(TAKE_FOR)]);
  await inbound.close();
}

/** `begin`: called when it is known that there is something to dial. */
interface Dialling {
  address: string;
  begin: () => void;
}

async function dialDecided(
  decision: Decision,
  { begin, ...dialling }: Dialling & Pick<Call, "env">,
): Promise<Upstream> {
  if (decision.type === "refuse") throw new ProxyError(decision.code, decision);
  begin();
  return dial(decision, dialling);
}

async function dialObserved(
  observed: Observed,
  { address, call, begin }: Dialling & { call: Call },
): Promise<Upstream> {
  begin();
  return { ...(await connectObserved(observed, { ...call, address })), leave() {}, isCounted: true };
}

async function dial(forward: Forward, { address, env }: { address: string; env: ServiceWorkerEnv }): Promise<Upstream> {
  const { limits } = forward;
  const way = tcpWayOf(forward);
  if (way.type === "worker") {
    return { ...connectWorker(way.to, { address, limits, env }), isCounted: true, isWorker: true };
  }
  const { leave, isCounted, checked } = enterPort(way.target, { limit: limits.workerLimit, env });
  try {
    await checked;
    if (way.type === "egress") {
      return { ...(await connectThroughEgress(env, { target: way.target, limits })), leave, isCounted };
    }
    const { target } = way;
    const socket = connect({ hostname: bracketHost(target.host), port: target.port }, { allowHalfOpen: true });
    return { socket: await open(socket, { env, target, limits }), leave, isCounted };
  } catch (error) {
    leave();
    throw error;
  }
}

/**
 * Waits until a native socket is open. workerd reports no cause of a failure, so the target is probed
 * after one. `connectTimeout` is for both.
 *
 * @throws {ProxyError}
 */
async function open(
  socket: Socket,
  { env, target, limits }: { env: ServiceWorkerEnv; target: EgressTarget; limits: EgressLimits },
): Promise<Socket> {
  const { connectTimeout } = limits;
  let timer: number | null = null;
  // A socket that fails rejects both promises; only `opened` is read here.
  socket.closed.catch(() => undefined);
  const opened = socket.opened.then(
    () => socket,
    async () => {
      throw await explainDrop(env, { target, limits });
    },
  );
  const timedOut = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(connectTimedOut(connectTimeout)), connectTimeout);
  });
  try {
    return await Promise.race([opened, timedOut]);
  } finally {
    clearTimeout(timer);
  }
}

function warnOnService(decision: Forward, port: number): void {
  const { binding } = decision;
  if (binding.kind !== "service") return;
  // Differs from production: `connect()` is documented for VPC Networks only.
  warnOnce(binding, "connect", "connect() on a VPC Service works here, but is documented for VPC Networks only");
  const ignored = describeIgnoredPort(decision, { scheme: "tcp", port });
  if (ignored !== undefined) warnOnce(binding, "port", ignored);
}
