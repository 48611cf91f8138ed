/** Where the services of a compose file are reached from: this machine, or a container of their network. */

import { inContainer } from "../setup/whereabouts.ts";
import type { ComposeCase } from "./case.ts";

const PROJECT = `services:
  db:
    image: postgres:17
    ports: ["5433:5432"]
    container_name: acme-db
    networks: { back: { aliases: [postgres.internal], ipv4_address: 172.28.0.10 } }
  api:
    expose: [8080]
`;

const FROM_HOST = [
  "db:5432 → 127.0.0.1:5433",
  "postgres.internal:5432 → 127.0.0.1:5433",
  "acme-db:5432 → 127.0.0.1:5433",
  "172.28.0.10:5432 → 127.0.0.1:5433",
];
const DB_INSIDE = [
  "db:5432 → db:5432",
  "postgres.internal:5432 → db:5432",
  "acme-db:5432 → db:5432",
  "172.28.0.10:5432 → db:5432",
];
const UNPUBLISHED = [
  'compose.yaml:7:3: warning: the service "api" publishes no port, so no route leads to it [compose-unpublished]',
  '    Add ports: ["127.0.0.1:8080:8080"] to it.',
];
const NO_NAME = [
  "vpc.json:1:31: warning: this is a container, and no service's name resolves in it now, so the services are looked for at the ports that they publish [compose-unresolved]",
  '    Start the services and then this session, or write "compose": { "files": …, "from": "network" }. "from": "host" says that the ports are right.',
];
const UNRESOLVED = (at: string, name: string): string[] => [
  `compose.yaml:${at}: warning: the name "${name}" does not resolve in this container, so its service is looked for at the ports that it publishes [compose-unresolved]`,
  '    Start the service and then this session, or write "compose": { "files": …, "from": "network" }.',
];

export const from: ComposeCase[] = [
  {
    title: "on the host, by the published ports",
    files: PROJECT,
    expected: FROM_HOST,
    diagnostics: UNPUBLISHED,
  },
  {
    title: "in a container where the names resolve, by name and container port; exposed ports, too",
    files: PROJECT,
    whereabouts: inContainer("db", "api"),
    expected: [...DB_INSIDE, "api:8080 → api:8080"],
  },
  {
    title: "in a container where no name resolves, such as one with a Docker of its own",
    files: PROJECT,
    whereabouts: inContainer(),
    expected: FROM_HOST,
    diagnostics: NO_NAME,
  },
  {
    title: "in such a container, nothing is said if the user has routes of their own for all of them",
    files: PROJECT,
    routes: { db: "localhost:2", api: "localhost:3" },
    whereabouts: inContainer(),
    expected: ["db → localhost:2", "api → localhost:3", ...FROM_HOST.slice(1)],
  },
  {
    title: "of a service whose name doesn't resolve, only that is said",
    files: `services:
  up: {}
  bare: {}
  random: { ports: ["80", "53:53/udp"] }
`,
    whereabouts: inContainer("up"),
    expected: ["up → up"],
    diagnostics: [
      ...UNRESOLVED("3:3", "bare"),
      ...UNRESOLVED("4:3", "random"),
      'compose.yaml:4:27: warning: the service "random" publishes "53:53/udp", but a VPC binding speaks TCP only [compose-protocol]',
      "    If the service also listens on TCP, publish that port too.",
    ],
  },
  {
    title: "each service by its own name, not by that of another, or an alias",
    files: PROJECT,
    whereabouts: inContainer("api", "postgres.internal"),
    expected: [...FROM_HOST, "api:8080 → api:8080"],
    diagnostics: UNRESOLVED("2:3", "db"),
  },
  {
    title: 'from "host", even in a container',
    files: PROJECT,
    compose: { files: "compose.yaml", from: "host" },
    whereabouts: inContainer("db", "api"),
    expected: FROM_HOST,
    diagnostics: UNPUBLISHED,
  },
  {
    title: 'from "network", even if no name resolves yet, and outside of a container',
    files: PROJECT,
    compose: { files: ["compose.yaml"], from: "network" },
    expected: [...DB_INSIDE, "api:8080 → api:8080"],
  },
  {
    title: 'from "auto" is the default',
    files: PROJECT,
    compose: { files: ["compose.yaml"], from: "auto" },
    whereabouts: inContainer("db", "api"),
    expected: [...DB_INSIDE, "api:8080 → api:8080"],
  },
  {
    title: "ports inside: chosen by Docker, ranges, published and exposed at once, other protocols, none",
    compose: { files: "compose.yaml", from: "network" },
    files: `services:
  a:
    ports: ["5432", "9000-9002:80-82", "3000-3005:3000-3005", "53:53/udp"]
    expose: ["82-85", 3001, "7000/tcp", "54/udp", "0", "9-8", "70000"]
  bare: { image: postgres }
  log: { ports: ["514:514/udp"] }
`,
    expected: ["a:80-85 → a", "a:3000-3005 → a", "a:5432 → a:5432", "a:7000 → a:7000", "bare → bare"],
    diagnostics: [
      'compose.yaml:3:63: warning: the service "a" publishes "53:53/udp", but a VPC binding speaks TCP only [compose-protocol]',
      "    If the service also listens on TCP, publish that port too.",
      'compose.yaml:6:18: warning: the service "log" publishes "514:514/udp", but a VPC binding speaks TCP only [compose-protocol]',
      "    If the service also listens on TCP, publish that port too.",
    ],
  },
  {
    title: "other networks: of the host, of another container, none",
    compose: { files: "compose.yaml", from: "network" },
    files: `services:
  proxy: { network_mode: host, ports: ["80:80"] }
  app: { ports: ["3000:3000"] }
  sidecar: { network_mode: "service:app" }
  batch: { network_mode: none }
`,
    expected: ["app:3000 → app:3000"],
    diagnostics: [
      'compose.yaml:2:3: warning: the service "proxy" has the network of the host, where no container finds it by its name, so no route leads to it [compose-host-network]',
      '    Add "proxy": "host.docker.internal" to "routes" of the network.',
    ],
  },
  {
    title: "the user's own routes win, and silence what is said about the service",
    files: PROJECT,
    routes: { "db:5432": "localhost:1", proxy: "localhost:2", api: "localhost:3" },
    whereabouts: inContainer("db"),
    expected: ["db:5432 → localhost:1", "proxy → localhost:2", "api → localhost:3", ...DB_INSIDE.slice(1)],
  },
  {
    title: "an inactive profile has no routes from anywhere",
    compose: { files: "compose.yaml", from: "network" },
    files: `services: { a: { profiles: [x] }, b: {} }`,
    expected: ["b → b"],
    diagnostics: [
      'compose.yaml:1:13: warning: no active profile for "a" (x), so it has no routes [compose-profile]',
      "    Set COMPOSE_PROFILES=x in .env beside the compose file, or in the environment. Docker Compose reads it too.",
    ],
  },
];
