/** The files of the page, which the build puts into a folder beside the bundle. */

import { readFile } from "node:fs/promises";

import type { Api } from "../control/loopback-server.ts";

const TYPES: Record<string, string> = {
  "index.html": "text/html; charset=utf-8",
  "app.js": "text/javascript; charset=utf-8",
  "app.css": "text/css; charset=utf-8",
  "icon.svg": "image/svg+xml",
};

/**
 * Nothing is loaded from elsewhere, nothing runs that is not in `app.js`, and no other page can show or read this one.
 * @param port of the page
 */
export const pageHeaders = (port: number): Record<string, string> => ({
  "Content-Security-Policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    // In older browsers, 'self' does not include WebSockets.
    `connect-src 'self' ws://127.0.0.1:${port}`,
    // Bodies that are images.
    "img-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; "),
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
});

/** @param opened resolves when the session is captured, so that nothing is missed once the document is there */
export function createFilesApi(opened: () => Promise<void>): Api {
  return async ({ method, path }) => {
    const file = path === "/" ? "index.html" : path.slice(1);
    const contentType = Object.hasOwn(TYPES, file) ? TYPES[file] : undefined;
    if (contentType === undefined || method !== "GET") return undefined;
    if (path === "/") await opened();
    return { status: 200, bytes: await readFile(new URL(`ui/${file}`, import.meta.url)), contentType };
  };
}
