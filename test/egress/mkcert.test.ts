import os from "node:os";
import path from "node:path";

import { expect, test } from "vitest";

import { mkcertRoot } from "../../plugin/egress/tls/trust.ts";

const home = os.homedir();

test.each<[platform: NodeJS.Platform, env: NodeJS.ProcessEnv, place: string[] | undefined]>([
  ["linux", {}, [home, ".local", "share", "mkcert"]],
  ["darwin", {}, [home, "Library", "Application Support", "mkcert"]],
  ["win32", { LOCALAPPDATA: "local" }, ["local", "mkcert"]],
  ["win32", {}, undefined],
  ["linux", { XDG_DATA_HOME: "/xdg" }, ["/xdg", "mkcert"]],
  ["darwin", { XDG_DATA_HOME: "/xdg" }, ["/xdg", "mkcert"]],
  ["win32", { LOCALAPPDATA: "local", XDG_DATA_HOME: "/xdg" }, ["local", "mkcert"]],
  ["linux", { CAROOT: "/own", XDG_DATA_HOME: "/xdg" }, ["/own"]],
  ["darwin", { CAROOT: "/own", XDG_DATA_HOME: "/xdg" }, ["/own"]],
  ["win32", { CAROOT: "/own", LOCALAPPDATA: "local" }, ["/own"]],
])("mkcert's root is looked up in mkcert's folder: %s, %o", (platform, env, place) => {
  expect(mkcertRoot(env, platform)).toBe(place && path.join(...place, "rootCA.pem"));
});
