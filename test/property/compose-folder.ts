/** A valid compose project that uses most features, in its own folder. */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll } from "vitest";

import { type LoadedTable, loadTable } from "../../plugin/load.ts";
import { ON_THE_HOST, readIn } from "../setup/whereabouts.ts";
import { networkBinding } from "../setup/vpc-folder.ts";
import { expectUsable } from "./broken-files.ts";

/** File names and contents. The first is the vpc config. */
export const COMPOSE_FILES = {
  "vpc.json": `{ "networks": { "NET": { "compose": ["compose.yaml", "over.yaml"],
  "routes": { "own.internal": "localhost:1", "db:9000-9100": "localhost:2" } } } }`,
  "compose.yaml": `# The shop.
name: shop
include:
  - inner/compose.yaml
  - { path: [more.yaml], project_directory: ., env_file: [more.env] }
x-logging: &logging
  logging: { driver: local, options: { tag: "$$name" } }
x-ports: &ports ["7000:70", '127.0.0.1:7001:71']
services:
  db:
    <<: *logging
    image: postgres:\${VERSION:-17}
    container_name: "shop-db"
    hostname: &host database.internal
    ports:
      - "\${DB_PORT:?say which}:5432"
      - 127.0.0.1:8000-8009:9000-9009/tcp
    networks:
      back: { ipv4_address: 10.5.0.2, ipv6_address: 'fd00::2', aliases: [data, *host] }
      front:
  web:
    extends: { file: common.yaml, service: base }
    <<: [*logging]
    environment:
      GREETING: |
        Hello \${NAME-},
        world
    ports: # long ones
      - { target: 80, published: "8080", host_ip: 127.0.0.1, protocol: tcp }
      - target: 443
        published: 8443
    expose: [3000, "3001/udp"]
    profiles: [web, "*all"]
    networks: [front, back]
  alias: { extends: db, ports: *ports, container_name: null }
  none: { network_mode: host }
  log: { image: log, ports: ["514:514/udp"], profiles: ["\${UNSET_PROFILE:+debug}"] }
networks: { front: , back: { driver: bridge } }
`,
  "over.yaml": `services:
  db: { ports: !override ["5433:5432"], hostname: !reset null }
  web:
    ports:
      - "9090-9092:9090-9092"
  log: !reset
---
services: { late: { ports: ['[::1]:1001:81', "82", "0.0.0.0::83"] } }
`,
  "inner/compose.yaml": `services:
  inner: { image: redis, ports: ["\${INNER}:6379"] }
`,
  "more.yaml": `services: { more: { container_name: "$MORE", ports: ["\${PORT}:80"] } }
`,
  "common.yaml": `services:
  base: { extends: { service: core }, labels: [a=b] }
  core: { ports: ["6000:60"], network_mode: bridge }
`,
  ".env": `# theirs
DB_PORT=5432
COMPOSE_PROFILES="web,\${OTHER:-x}"
export VERSION='17'
`,
  "inner/.env": "INNER: 6379 # redis\n",
  "more.env": 'MORE=more\nPORT="8081"\n',
};

export type ComposeName = keyof typeof COMPOSE_FILES;

const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "vpc-compose-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(path.join(folder, "inner"));
for (const [name, text] of Object.entries(COMPOSE_FILES)) write(name, text);

function write(name: string, content: string | Uint8Array): void {
  writeFileSync(path.join(folder, name), content);
}

/** @param given replaces some of the good files */
export async function checkCompose(given: Partial<Record<ComposeName, string | Uint8Array>>): Promise<LoadedTable> {
  const all = Object.entries<string | Uint8Array>({ ...COMPOSE_FILES, ...given });
  for (const [name, content] of Object.entries(given)) write(name, content);
  try {
    return await expectUsable({
      load: () =>
        loadTable({
          workers: [{ workerName: "app", rootPath: folder, bindings: [networkBinding("NET")] }],
          source: path.join(folder, "vpc.json"),
          env: undefined,
          generation: 1,
          readModel: readIn(ON_THE_HOST),
        }),
      files: new Map(all.map(([name, content]) => [path.join(folder, name), content])),
      hosts: ["db", "web", "database.internal", "10.5.0.2", "__proto__", ""],
    });
  } finally {
    for (const [name, text] of Object.entries(COMPOSE_FILES)) if (name in given) write(name, text);
  }
}
