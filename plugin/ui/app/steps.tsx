/** When the steps of a call were, and the connection that it used. */

import type { VNode } from "preact";

import type { CallStep, ConnectionDetail } from "../../scenario/call-steps.ts";
import type { TimingView } from "../traffic-view.ts";
import { formatDuration } from "./format.ts";
import { Section } from "./section.tsx";

type Phase = Exclude<keyof TimingView["phases"], "ssl">;

/** In order. */
const PHASES: Record<Phase, string> = {
  blocked: "decide, wait for a connection",
  dns: "resolve the name",
  connect: "connect",
  send: "send the request",
  wait: "wait for the first byte",
  receive: "receive",
};

/** Those that the phases don't show. */
const STEPS: Partial<Record<CallStep, string>> = {
  decided: "decided",
  connected: "connected",
  secured: "TLS handshake over",
  answered: "first byte",
  ended: "closed",
};

export function Timing({ timing: { at, phases, until, isOver } }: { timing: TimingView }): VNode {
  // A call that was refused has sent nothing, and one that failed had no answer.
  const isAnswered = at.answered !== undefined;
  const wasConnected = at.connected !== undefined || (at.dialled === undefined && at.taken !== undefined);
  const hasHappened: Partial<Record<Phase, boolean>> = {
    send: at.sent !== undefined && (isAnswered || wasConnected),
    wait: isAnswered || wasConnected,
    receive: isAnswered,
  };
  const lasting = (Object.keys(PHASES) as Phase[]).filter(
    (phase) => phases[phase] >= 0 && hasHappened[phase] !== false,
  );
  let from = 0;
  return (
    <Section title="Timing" note={isOver ? formatDuration(until) : "goes on"}>
      <table class="phases">
        <caption class="hidden">Phases</caption>
        <tbody>
          {lasting.map((phase) => {
            const lasted = phases[phase];
            const start = from;
            from += lasted;
            return (
              <tr key={phase}>
                <th scope="row">{PHASES[phase]}</th>
                <td class="track" aria-hidden="true">
                  <span style={{ left: `${share(start, until)}%`, width: `${Math.max(0.6, share(lasted, until))}%` }} />
                </td>
                <td class="figure">{formatDuration(lasted)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <dl class="moments">
        {Object.entries(STEPS).map(([step, label]) => {
          const moment = at[step as CallStep];
          return (
            moment !== undefined && (
              <div key={step}>
                <dt>{label}</dt>
                <dd>{formatDuration(moment)}</dd>
              </div>
            )
          );
        })}
        {isOver && (
          <div>
            <dt>end</dt>
            <dd>{formatDuration(until)}</dd>
          </div>
        )}
      </dl>
    </Section>
  );
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : (part / whole) * 100;
}

export function Connection({ connection: { number, isReused, server, tls } }: { connection: ConnectionDetail }): VNode {
  return (
    <Section title="Connection" note={`number ${number}, ${isReused ? "used before" : "new"}`}>
      <dl class="steps">
        {server && (
          <Line label="server">{"path" in server ? server.path : `${server.address}, port ${server.port}`}</Line>
        )}
        <Line label="TLS">{tls === undefined ? "none" : `${tls.protocol}, ${tls.cipher}`}</Line>
        {tls && <Line label="SNI">{tls.serverName ?? "none, because the name is an address"}</Line>}
        {tls?.certificate && (
          <Line label="certificate">
            {tls.certificate.subject}
            <br />
            issued by {tls.certificate.issuer}
            <br />
            valid from {formatDay(tls.certificate.validFrom)} to {formatDay(tls.certificate.validTo)}
          </Line>
        )}
        {tls?.clientCertificate && (
          <Line label="client certificate">
            {tls.clientCertificate.subject}
            <br />
            SHA-256 {tls.clientCertificate.fingerprint}
          </Line>
        )}
      </dl>
    </Section>
  );
}

function Line({ label, children }: { label: string; children: unknown }): VNode {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children as VNode}</dd>
    </div>
  );
}

function formatDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
