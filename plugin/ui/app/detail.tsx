/** Everything about one call, in the order in which it happened. */

import type { ComponentChildren, VNode } from "preact";

import type { CallView, DecisionView, ErrorView, MessageView, TrafficRow } from "../traffic-view.ts";
import { Acts } from "./acts.tsx";
import { capitalize } from "./api.ts";
import { Body } from "./body.tsx";
import { Connection, Timing } from "./steps.tsx";
import { Conversation } from "./conversation.tsx";
import { Section } from "./section.tsx";
import { useLatest } from "./use-latest.ts";
import { countInWords, formatDuration, formatTime } from "./format.ts";
import { Status, targetOf } from "./row.tsx";

interface CallDetailProps {
  row: TrafficRow;
  onClose: () => void;
  onOpen: (id: number) => void;
  onAddFault: () => void;
}

export function CallDetail({ row, onClose, onOpen, onAddFault }: CallDetailProps): VNode {
  const { call, problem } = useCall(row);
  return (
    <section class="detail" aria-label="Call" tabIndex={-1}>
      <div class="title">
        <h2>
          <span class="method">{row.kind === "tcp" ? "connect" : row.method}</span> {row.address}
        </h2>
        <button class="close" aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </div>
      {call && <Acts call={call} onOpen={onOpen} onAddFault={onAddFault} />}
      <Facts row={row} />
      {problem !== undefined && <p class="problem">{problem}</p>}
      {call && (
        <>
          {call.error && <Failure error={call.error} />}
          {call.decision && <Decision decision={call.decision} />}
          {call.request && <Message title="Request" message={call.request} call={call} part="request" />}
          {call.response && <Message title="Response" message={call.response} call={call} part="response" />}
          {call.statements && <Statements {...call.statements} />}
          {call.conversation && call.conversation.pieces.length > 0 && (
            <Conversation call={call} conversation={call.conversation} />
          )}
          {call.sent && (call.error === undefined || call.sent.size > 0) && (
            <Section title="Sent by the Worker">
              <Body bytes={call.sent} none="Nothing." source={`api/calls/${row.id}/sent`} />
            </Section>
          )}
          {call.received && (call.error === undefined || call.received.size > 0) && (
            <Section title="Received by the Worker">
              <Body bytes={call.received} none="Nothing." source={`api/calls/${row.id}/received`} />
            </Section>
          )}
          {call.timing && <Timing timing={call.timing} />}
          {call.connection?.server && <Connection connection={call.connection} />}
        </>
      )}
    </section>
  );
}

/** Asks again when the call has changed. Shows what it knows meanwhile. */
function useCall(row: TrafficRow): { call: CallView | undefined; problem: string | undefined } {
  const { id } = row;
  const { content: answer, problem } = useLatest(`api/calls/${id}`, row, readCall);
  return { call: answer?.row?.id === id ? answer : undefined, problem: problem ?? answer?.error };
}

function readCall(response: Response): Promise<CallView & { error?: string }> {
  return response.json();
}

function Facts({ row }: { row: TrafficRow }): VNode {
  const { binding, worker, route, rule, faults, isRepeated, startedAt, duration, sent, received } = row;
  const target = targetOf(row);
  return (
    <dl class="facts">
      <Fact label="Status">
        <Status row={row} />
      </Fact>
      <Fact label="Binding">
        {binding} <span class="worker">of {worker}</span>
      </Fact>
      {route !== undefined && <Fact label="Route">{route}</Fact>}
      {rule !== undefined && <Fact label="Rule">{rule.replace(/^rule /, "")}</Fact>}
      {faults !== undefined && <Fact label="Faults">{faults.join(", ")}</Fact>}
      {target !== undefined && <Fact label="Target">{target}</Fact>}
      {isRepeated && <Fact label="Sent">again, from this page</Fact>}
      <Fact label="Began">{formatTime(startedAt)}</Fact>
      <Fact label="Duration">{duration === undefined ? "goes on" : formatDuration(duration)}</Fact>
      <Fact label="Bytes">
        ↑ {sent} ↓ {received}
      </Fact>
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: ComponentChildren }): VNode {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Failure({ error: { code, group, summary, reason, hint, nearest } }: { error: ErrorView }): VNode {
  return (
    <div class="failure">
      <h3>
        <code>{code}</code> <span class="note">{group}</span>
      </h3>
      <p>
        {capitalize(summary)}
        {reason === undefined ? "." : `: ${reason}.`}
      </p>
      {nearest !== undefined && <p>The nearest rule is {nearest}.</p>}
      <p class="hint">{hint}</p>
    </div>
  );
}

function Decision({ decision: { heading, steps } }: { decision: DecisionView }): VNode {
  return (
    <Section title="Decision">
      <p class="asked">
        <code>{heading}</code>
      </p>
      <dl class="steps">
        {steps.map(({ label, lines }, index) => (
          <div key={index} class={label === "refused" ? "is-refused" : ""}>
            <dt>{label}</dt>
            <dd>
              {lines.map((line, at) => (
                <div key={at} class={/^\s+won /.test(line) ? "won" : /^\s+lost /.test(line) ? "lost" : ""}>
                  {line}
                </div>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

function Statements({ protocol, statements }: NonNullable<CallView["statements"]>): VNode {
  return (
    <Section title={protocol} note={countInWords(statements.length, protocol === "Redis" ? "command" : "statement")}>
      <ol class="statements">
        {statements.map((statement, index) => (
          <li key={index}>{statement}</li>
        ))}
      </ol>
    </Section>
  );
}

interface MessageProps {
  title: string;
  message: MessageView & { statusText?: string };
  call: CallView;
  part: "request" | "response";
}

function Message({ title, message, call, part }: MessageProps): VNode {
  const { headers, body } = message;
  const { method = "", address, status } = call.row;
  return (
    <Section title={title} note={part === "request" ? method : `${status ?? ""} ${message.statusText ?? ""}`}>
      {part === "request" && <p class="asked">{address}</p>}
      <table class="headers">
        <caption class="hidden">{title} headers</caption>
        <tbody>
          {headers.map(([field, value], index) => (
            <tr key={index}>
              <th scope="row">{field}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Body
        bytes={body}
        contentType={headers.find(([field]) => field.toLowerCase() === "content-type")?.[1]}
        source={`api/calls/${call.row.id}/${part}`}
      />
    </Section>
  );
}
