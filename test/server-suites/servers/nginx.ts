/** Debian's nginx: with two virtual hosts and a third for every other name, or with TLS and client certificates. */

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { closedPort } from "../../servers/tcp-server.ts";
import type { Certified } from "../../servers/tls-certificates.ts";
import { type Daemon, findCommand, makeFolder, startDaemon } from "./daemon.ts";

/** Bytes of `/large` on `shop.internal`. */
export const LARGE: number = 16 * 1024 * 1024;

export async function startNginx(): Promise<Daemon> {
  const folder = await makeFolder("nginx", {});
  const files = path.join(folder, "files");
  await mkdir(files);
  await writeFile(path.join(files, "large"), Buffer.alloc(LARGE, "n"));
  const port = await closedPort();
  return await startWith(virtualHosts(port, files), { folder, port });
}

/** Takes a client certificate if there is one, and answers what it thinks of it and its subject. */
export async function startMutualNginx({
  server: { cert, key },
  clientRoot,
}: {
  server: Certified;
  /** PEM: the root of the client certificates that it accepts. */
  clientRoot: string;
}): Promise<Daemon> {
  const folder = await makeFolder("nginx", {});
  for (const [name, text] of Object.entries({ "server.pem": cert, "server.key": key, "clients.pem": clientRoot })) {
    await writeFile(path.join(folder, name), text);
  }
  const port = await closedPort();
  const site = `
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${folder}/server.pem;
    ssl_certificate_key ${folder}/server.key;
    ssl_client_certificate ${folder}/clients.pem;
    ssl_verify_client optional;
    location / { return 200 "$ssl_client_verify $ssl_client_s_dn"; }
  }`;
  return await startWith(site, { folder, port });
}

async function startWith(sites: string, { folder, port }: { folder: string; port: number }): Promise<Daemon> {
  const command = findCommand("nginx", "nginx-light");
  const config = path.join(folder, "nginx.conf");
  await writeFile(config, configuration(sites, folder));
  const args = ["-c", config, "-p", folder, "-e", "stderr"];
  return await startDaemon({ command, args, identity: {}, port, folder, ready: /start worker process \d/ });
}

function configuration(sites: string, folder: string): string {
  // If root starts it, its workers run as a user who can't read the folder.
  const user = process.getuid?.() === 0 ? "user root;" : "";
  return `
daemon off;
${user}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 512; }
http {
  access_log off;
  absolute_redirect off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
${sites}
}
`;
}

function virtualHosts(port: number, files: string): string {
  return `
  server {
    listen 127.0.0.1:${port} default_server;
    return 421 "nobody is called $http_host";
  }
  server {
    listen 127.0.0.1:${port};
    server_name shop.internal;
    location / { return 200 "shop $http_host $request_uri $connection_requests"; }
    location /large { root ${files}; }
    location /moved { return 302 /here; }
  }
  server {
    listen 127.0.0.1:${port};
    server_name admin.internal;
    location / { return 403 "admin $http_host $request_uri"; }
  }`;
}
