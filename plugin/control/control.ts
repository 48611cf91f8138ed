/**
 * Lets other processes direct the scenario of a session: a test, a command, any HTTP client.
 *
 *   test, command ── socket in the private directory ──▶ │ API ──▶ scenario
 *   any program ── loopback port (--control) ──────────▶ │
 */

import { randomBytes } from "node:crypto";

import type { Scenario } from "../scenario/scenario.ts";
import { listenOnLoopback } from "../system/listen.ts";
import { type Announcement, announce } from "./announcement.ts";
import { answerClient } from "./clients.ts";
import { type ControlOptions, TOKEN_VARIABLE } from "./control-options.ts";
import { type LoopbackServer, closeServer, createLoopbackServer, makeToken } from "./loopback-server.ts";
import { answerOwn } from "./own-api.ts";
import { answerToxiproxy } from "./toxiproxy.ts";
import { type Traffic, createTraffic } from "./traffic.ts";

export interface Control {
  /** Absent without a TCP port. It ends with the token. */
  url?: string;
  close(): Promise<void>;
}

/** @throws the system's error if the port can't be used */
export async function startControl(
  scenario: Scenario,
  { folders, port, privateDirectory }: ControlOptions & { privateDirectory: string },
): Promise<Control> {
  const traffic = createTraffic(scenario);
  const secret = randomBytes(32).toString("base64url");
  const own = createControlServer(secret, { scenario, traffic });
  const announcement: Announcement = await announce(own, { folders, secret, privateDirectory });
  const servers = [own];
  const close = async (): Promise<void> => {
    announcement.remove();
    for (const server of servers) closeServer(server);
    traffic.close();
  };
  if (port === undefined) return { close };
  const token = process.env[TOKEN_VARIABLE] ?? makeToken();
  const open = createControlServer(token, { scenario, traffic });
  servers.push(open);
  try {
    return { url: `http://127.0.0.1:${await listenOnLoopback(open, port)}/${token}`, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function createControlServer(
  token: string,
  { scenario, traffic }: { scenario: Scenario; traffic: Traffic },
): LoopbackServer {
  return createLoopbackServer({
    scenario,
    token,
    apis: [answerClient, answerOwn, (request) => answerToxiproxy(request, traffic)],
    forbidden:
      'the path must begin with the token that "miniflare-vpc dev --control" prints, and "Host" and "Origin" must be this machine.',
    help: "docs/control.openapi.yaml lists what there is.",
  });
}
