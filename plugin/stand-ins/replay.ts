/** Answers with what was recorded in a HAR file. */

import path from "node:path";

import { formatLocation } from "../diagnostics.ts";
import { EgressError } from "../egress/egress-error.ts";
import { acceptOf } from "../egress/http/upgrade.ts";
import type { HarModel } from "../model.ts";
import type { Target } from "../../service-worker/routing/table.ts";
import { recordingAdvice } from "../recordings/check-recordings.ts";
import { HarProblem } from "../recordings/har-problem.ts";
import { recordedOrigin } from "../recordings/indexed-entry.ts";
import { locateOffset } from "../recordings/locate-offset.ts";
import { matchSettings } from "../recordings/match-settings.ts";
import { playMessages } from "../recordings/play-messages.ts";
import { repeatedFields, recordedAnswer } from "../recordings/recorded-answer.ts";
import { recordedMessages } from "../recordings/recorded-messages.ts";
import { type FoundEntry, Recording } from "../recordings/recording.ts";
import { type ComparedRequest, valueOf } from "../recordings/request-key.ts";
import type { StandIn, StandInContext, Upgraded } from "./stand-in.ts";

/** @param place `origin`: of the target; `behind`: what was recorded */
export function makeReplay(
  model: HarModel,
  { origin, behind }: { origin: string; behind?: Target | undefined },
): StandIn {
  const recording = new Recording({ file: model.file, targetOrigins: originsOf(behind), ...matchSettings(model) });
  const find = async (request: ComparedRequest): Promise<FoundEntry> => {
    const found = await recording.find(request);
    if ("entry" in found) return found;
    throw new EgressError(refusal(request, { model, origin, nearest: found.nearest }));
  };
  const answer = async (request: Request, { url }: StandInContext): Promise<Response> => {
    const compared = await toCompared(request, url);
    return orExplain(model, async () =>
      closingOnFailure(await find(compared), (found) =>
        recordedAnswer(found, { request: compared, folder: recording.folder }),
      ),
    );
  };
  const upgrade = async (request: Request, { url }: StandInContext): Promise<Upgraded | Response> => {
    const compared = await toCompared(request, url);
    return orExplain(model, async () => {
      return closingOnFailure(await find(compared), async (found): Promise<Upgraded | Response> => {
        if (!found.entry.isUpgrade || found.entry.status !== SWITCHING)
          return recordedAnswer(found, { request: compared, folder: recording.folder });
        const messages = await recordedMessages(found, recording.folder);
        await found.file.close();
        return { fields: acceptFields(found, compared), play: (socket) => playMessages(socket, messages) };
      });
    });
  };
  const fallback = model.notFound === "fallback" &&
    behind !== undefined && {
      target: behind,
      async isAnswered(request: Request, { url }: StandInContext) {
        const compared = await toCompared(request, url);
        return recording.hasAnswer(compared).catch(() => true);
      },
    };
  // Before it is asked, so that the first request doesn't wait. What is wrong with the file is said then.
  recording.check().catch(() => undefined);
  return Object.assign(answer, { upgrade, ...(fallback && { fallback }), restart: () => recording.restart() });
}

const SWITCHING = 101;

/** The target speaks HTTP or HTTPS, unless the config says which. */
function originsOf(target: Target | undefined): string[] {
  if (target?.type !== "address") return [];
  const { host, port, scheme } = target;
  const schemes = scheme === undefined ? ["http", "https"] : [scheme];
  const place = host.includes(":") ? `[${host}]` : host;
  return schemes.map((each) => recordedOrigin(new URL(`${each}://${place}${port === undefined ? "" : `:${port}`}`)));
}

async function toCompared(request: Request, url: URL): Promise<ComparedRequest> {
  const { method, headers } = request;
  const isUpgrade = headers.get("upgrade")?.toLowerCase() === "websocket";
  return { method, url, headers: [...headers], body: Buffer.from(await request.arrayBuffer()), isUpgrade };
}

function acceptFields(found: FoundEntry, { headers }: ComparedRequest): Upgraded["fields"] {
  const protocols = (valueOf(headers, "sec-websocket-protocol") ?? "").split(",");
  const offered = new Set(protocols.map((protocol) => protocol.trim()));
  const kept = repeatedFields(found).filter(([name, value]) => {
    const lower = name.toLowerCase();
    return lower === "sec-websocket-protocol" ? offered.has(value) : !lower.startsWith("sec-websocket-");
  });
  const accept = acceptOf(valueOf(headers, "sec-websocket-key") ?? "");
  return [["Upgrade", "websocket"], ["Connection", "Upgrade"], ["Sec-WebSocket-Accept", accept], ...kept];
}

async function closingOnFailure<T>(found: FoundEntry, run: (found: FoundEntry) => Promise<T>): Promise<T> {
  try {
    return await run(found);
  } catch (error) {
    await found.file.close();
    throw error;
  }
}

/** @throws {EgressError} in place of a `HarProblem` */
async function orExplain<T>(model: HarModel, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof HarProblem)) throw error;
    const { offset, message } = error;
    const position = offset === undefined ? {} : await locateOffset(model.file, offset).catch(() => ({}));
    throw new EgressError({
      code: "destination_unavailable",
      detail: `the recording ${formatLocation({ file: model.file, ...position })} can't be replayed: ${message}`,
      hint: recordingAdvice(message, { isUpdated: model.update }),
    });
  }
}

function refusal(
  { method, url }: ComparedRequest,
  { model, origin, nearest }: { model: HarModel; origin: string; nearest: string | undefined },
): EgressError["failure"] {
  const file = formatLocation({ file: model.file });
  const asked = `${method} ${url.pathname}`;
  return {
    code: "destination_not_found",
    detail: `the recording ${file} at ${origin} has no answer to ${asked}${nearest === undefined ? "" : `. The nearest is ${nearest}`}`,
    hint: `Record it again, or ${model.target === undefined ? `write { "har": ${JSON.stringify(path.basename(model.file))}, "target": "localhost:3000", "notFound": "fallback" } to ask a target.` : `write "notFound": "fallback" beside its "target" to ask that.`}`,
    nearest: nearest ?? "the recording has no entries",
  };
}
