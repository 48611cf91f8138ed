/** Debian's nginx with two virtual hosts and a third for every other name. */

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { closedPort } from "../../servers/tcp-server.ts";
import { type Daemon, findCommand, makeFolder, startDaemon } from "./daemon.ts";

/** Bytes of `/large` on `shop.internal`. */
export const LARGE: number = 16 * 1024 * 1024;

export async function startNginx(): Promise<Daemon> {
  const command = findCommand("nginx", "nginx-light");
  const folder = await makeFolder("nginx", {});
  const files = path.join(folder, "files");
  await mkdir(files);
  await writeFile(path.join(files, "large"), Buffer.alloc(LARGE, "n"));
  const port = await closedPort();
  // If root starts it, its workers run as a user who can't read the folder.
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const config = path.join(folder, "nginx.conf");
  await writeFile(config, configuration({ port, folder, files, user }));
  const args = ["-c", config, "-p", folder, "-e", "stderr"];
  return await startDaemon({ command, args, identity: {}, port, folder, ready: /start worker process \d/ });
}

interface Site {
  port: number;
  folder: string;
  files: string;
  /** A directive, or nothing. */
  user: string;
}

function configuration({ port, folder, files, user }: Site): string {
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
  }
}
`;
}
