/**
 * What the page's own code asks for. What it does with a call is in `act-api.ts`. The rest of its API, such as rules, is
 * that of the control server.
 *
 *   GET api/feed                                             a WebSocket: rows, as they come
 *   POST api/probe                                           what answers at each target now
 *   GET api/calls/{id}                                       all of one call
 *   GET api/calls/{id}/{request|response|sent|received|messages}  the bytes that are kept of it until now, decoded
 */

import { type ControlAnswer, ControlError, type ControlRequest } from "../control/control-request.ts";
import type { Api } from "../control/loopback-server.ts";
import { answerOwn } from "../control/own-api.ts";
import { actOnCall } from "./act-api.ts";
import { bytesOfPart, viewCall } from "./call-view.ts";
import { feedPage } from "./feed.ts";
import { probeNetwork } from "./network-view.ts";
import { PAGE } from "./in-force.ts";
import type { Observation } from "./observation.ts";

const PREFIX = "/api";

export function createPageApi(observation: Observation): Api {
  return async (request) => {
    if (!request.path.startsWith(`${PREFIX}/`)) return undefined;
    const inner: ControlRequest = { ...request, path: request.path.slice(PREFIX.length) };
    return (await answerView(inner, observation)) ?? (await answerOwn(inner, PAGE));
  };
}

async function answerView(request: ControlRequest, observation: Observation): Promise<ControlAnswer | undefined> {
  const { scenario, method, path, acceptSocket } = request;
  const { journal } = scenario;
  const [, room, id, part] = path.split("/");
  if (method === "GET" && room === "feed") {
    if (acceptSocket === undefined) throw new ControlError(426, "the feed is a WebSocket.");
    feedPage(acceptSocket(), scenario, observation.describe());
    return "streamed";
  }
  if (method === "POST" && room === "probe") return { status: 200, json: await probeNetwork(scenario.context.table) };
  if (room !== "calls") return undefined;
  const entry = journal.entries.find((each) => String(each.id) === id);
  if (entry === undefined)
    throw new ControlError(404, "the session no longer has this call: it was cleared, or is too old.");
  const acted = part === undefined ? undefined : await actOnCall(request, { entry, act: part, observation });
  if (acted !== undefined || method !== "GET") return acted;
  if (part === undefined) return { status: 200, json: viewCall(entry, observation.tableOf(entry)) };
  const bytes = bytesOfPart(entry, part);
  return bytes && { status: 200, bytes, contentType: "application/octet-stream" };
}
