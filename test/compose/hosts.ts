/** The names and addresses of compose services, and which services are active. */

import type { ComposeCase } from "./case.ts";

export const hosts: ComposeCase[] = [
  {
    title: "aliases, container name, host name and fixed addresses have the same target as the service name",
    files: `services:
  DB_1:
    container_name: acme-db
    hostname: db.acme.internal
    ports: ["5432:5432"]
    networks:
      front:
      back:
        aliases: [postgres, DB_1, postgres.internal]
        ipv4_address: 172.28.0.10
        ipv6_address: 2001:db8:0::10
networks: { front: {}, back: {} }
`,
    expected: [
      "db_1:5432 → 127.0.0.1:5432",
      "postgres:5432 → 127.0.0.1:5432",
      "postgres.internal:5432 → 127.0.0.1:5432",
      "acme-db:5432 → 127.0.0.1:5432",
      "db.acme.internal:5432 → 127.0.0.1:5432",
      "172.28.0.10:5432 → 127.0.0.1:5432",
      "[2001:db8::10]:5432 → 127.0.0.1:5432",
    ],
  },
  {
    title: "invalid host names and addresses",
    files: `services:
  "1": { ports: ["1:1"] }
  a:
    ports: ["2:2"]
    hostname: "a b"
    networks: { back: { ipv4_address: 10.0.0 } }
  b:
    ports: ["3:3"]
    networks: { back: { ipv4_address: db, ipv6_address: "" } }
`,
    expected: ["a:2 → 127.0.0.1:2", "10.0.0.0:2 → 127.0.0.1:2", "b:3 → 127.0.0.1:3"],
    diagnostics: [
      'compose.yaml:2:3: warning: "1", a name of the service "1", is an address, so it has no routes [compose-host]',
      'compose.yaml:5:15: warning: "a b", a name of the service "a", contains the character " ", so it has no routes [compose-host]',
      'compose.yaml:9:39: warning: "db", an address of the service "b", is a name, so it has no routes [compose-host]',
    ],
  },
  {
    title: "the network of this machine, of another container, and no network",
    files: `services:
  proxy: { network_mode: host, ports: ["80:80"] }
  app: { ports: ["3000:3000"] }
  sidecar: { network_mode: "service:app" }
  batch: { network_mode: none }
`,
    expected: ["proxy → 127.0.0.1", "app:3000 → 127.0.0.1:3000"],
  },
  {
    title: "two services with the same name: the first one wins",
    files: `services:
  a:
    ports: ["1:80", "2:80"]
    networks: { back: { aliases: [api] } }
  b:
    ports: ["3:80", "4:81"]
    networks: { back: { aliases: [api] } }
`,
    expected: [
      "a:80 → 127.0.0.1:1",
      "api:80 → 127.0.0.1:1",
      "b:80 → 127.0.0.1:3",
      "b:81 → 127.0.0.1:4",
      "api:81 → 127.0.0.1:4",
    ],
    diagnostics: [
      'compose.yaml:6:13: warning: "api:80" of the service "b" already leads to the service "a" (FOLDER/compose.yaml:3:13) [compose-conflict]',
      '    To choose, add "api:80" to "routes" of the network.',
    ],
  },
  {
    title: "the user's own routes win for the same name and silence warnings about the service",
    files: `services:
  a: { ports: ["1:80", "2:81"] }
  b: { ports: ["3:80", "4:81", "100-110:100-110", "200-210:200-210"] }
  jobs: {}
  debug: { profiles: [debug] }
`,
    routes: {
      A: "localhost:9000",
      "b:80": "localhost:9001",
      "b:105": "localhost:9002",
      "b:205-300": "localhost",
      jobs: "localhost:9003",
      debug: "localhost:9004",
    },
    expected: [
      "A → localhost:9000",
      "b:80 → localhost:9001",
      "b:105 → localhost:9002",
      "b:205-300 → localhost",
      "jobs → localhost:9003",
      "debug → localhost:9004",
      "b:81 → 127.0.0.1:4",
      "b:100-110 → 127.0.0.1",
    ],
  },
  {
    title: "profiles: off unless COMPOSE_PROFILES names one of them",
    files: `services:
  a: { ports: ["1:1"] }
  b: { ports: ["2:2"], profiles: [debug, test] }
  c: { ports: ["3:3"], profiles: ["tools"] }
`,
    expected: ["a:1 → 127.0.0.1:1"],
    diagnostics: [
      'compose.yaml:3:3: warning: no active profile for "b" (debug, test), "c" (tools), so they have no routes [compose-profile]',
      "    Set COMPOSE_PROFILES=debug in .env beside the compose file, or in the environment. Docker Compose reads it too.",
    ],
  },
  {
    title: "profiles in the environment win over .env",
    files: {
      "compose.yaml": `services:
  a: { ports: ["1:1"], profiles: [a] }
  b: { ports: ["2:2"], profiles: [b, d] }
  c: { ports: ["3:3"], profiles: [c] }
`,
      ".env": "COMPOSE_PROFILES=c\n",
    },
    environment: { COMPOSE_PROFILES: "a, d" },
    expected: ["a:1 → 127.0.0.1:1", "b:2 → 127.0.0.1:2"],
    diagnostics: [
      'compose.yaml:4:3: warning: no active profile for "c" (c), so it has no routes [compose-profile]',
      "    Set COMPOSE_PROFILES=c in .env beside the compose file, or in the environment. Docker Compose reads it too.",
    ],
  },
  {
    title: "every profile",
    files: { "compose.yaml": `services: { a: { ports: ["1:1"], profiles: [a] } }`, ".env": "COMPOSE_PROFILES=*" },
    expected: ["a:1 → 127.0.0.1:1"],
  },
];
