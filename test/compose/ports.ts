/** The ports of compose services: which ones become routes, and which ones can't. */

import { type ComposeCase, PORT_FORMS } from "./case.ts";

export const ports: ComposeCase[] = [
  {
    title: "a service has its name and its container port",
    files: `services:
  db:
    image: postgres:17
    ports: ["5432:5432"]
  users:
    ports: ["3001:80", "127.0.0.1:3443:443"]
`,
    expected: ["db:5432 → 127.0.0.1:5432", "users:80 → 127.0.0.1:3001", "users:443 → 127.0.0.1:3443"],
  },
  {
    title: "a route dials the address that the port is published on; if that is every address, it dials loopback",
    files: `services:
  a:
    ports:
      - 127.0.0.2:1000:80
      - "[::1]:1001:81"
      - ::1:1002:82
      - 0.0.0.0:1003:83
      - "[::]:1004:84"
`,
    expected: [
      "a:80 → 127.0.0.2:1000",
      "a:81 → ::1:1001",
      "a:82 → ::1:1002",
      "a:83 → 127.0.0.1:1003",
      "a:84 → ::1:1004",
    ],
  },
  {
    title: "the long syntax, with numbers and strings",
    files: `services:
  a:
    ports:
      - { name: web, target: 80, published: "8080", host_ip: 127.0.0.1, protocol: tcp, app_protocol: http, mode: host }
      - target: 443
        published: 8443
      - { target: 81, published: 8081, host_ip: "::1" }
`,
    expected: ["a:80 → 127.0.0.1:8080", "a:443 → 127.0.0.1:8443", "a:81 → ::1:8081"],
  },
  {
    title: "ranges: one route if the numbers are the same, one route per port if not",
    files: `services:
  a:
    ports: ["3000-3005:3000-3005", "9000-9002:80-82"]
`,
    expected: ["a:3000-3005 → 127.0.0.1", "a:80 → 127.0.0.1:9000", "a:81 → 127.0.0.1:9001", "a:82 → 127.0.0.1:9002"],
  },
  {
    title: "a port that Docker chooses is unknown",
    files: `services:
  a:
    ports:
      - 5432
      - "127.0.0.1::80"
      - { target: 81 }
      - { target: 82, published: "0" }
      - 8000-8002
      - "9000-9009:83"
      - "1:84"
`,
    expected: ["a:84 → 127.0.0.1:1"],
    diagnostics: [
      'compose.yaml:4:9: warning: the service "a" publishes "5432" on a port that Docker chooses, so no route leads to it [compose-random-port]',
      '    Write "127.0.0.1:5432:5432".',
      'compose.yaml:5:9: warning: the service "a" publishes "127.0.0.1::80" on a port that Docker chooses, so no route leads to it [compose-random-port]',
      '    Write "127.0.0.1:80:80".',
      'compose.yaml:6:9: warning: the service "a" publishes "81" on a port that Docker chooses, so no route leads to it [compose-random-port]',
      '    Write "127.0.0.1:81:81".',
      'compose.yaml:7:9: warning: the service "a" publishes "0:82" on a port that Docker chooses, so no route leads to it [compose-random-port]',
      '    Write "127.0.0.1:82:82".',
      'compose.yaml:8:9: warning: the service "a" publishes "8000-8002" on a port that Docker chooses, so no route leads to it [compose-random-port]',
      '    Write "127.0.0.1:8000-8002:8000-8002".',
      'compose.yaml:9:9: warning: the service "a" publishes "9000-9009:83" on one of 10 ports, so no route leads to it [compose-random-port]',
      '    Write "127.0.0.1:9000:83".',
    ],
  },
  {
    title: "UDP and SCTP are skipped, with a warning if the port has no TCP",
    files: `services:
  dns:
    ports: ["53:53/udp", "53:53/tcp"]
  log:
    ports: ["514:514/udp", { target: 36412, published: 36412, protocol: sctp }]
`,
    expected: ["dns:53 → 127.0.0.1:53"],
    diagnostics: [
      'compose.yaml:5:13: warning: the service "log" publishes "514:514/udp", but a VPC binding speaks TCP only [compose-protocol]',
      "    If the service also listens on TCP, publish that port too.",
      'compose.yaml:5:28: warning: the service "log" publishes "36412:36412/sctp", but a VPC binding speaks TCP only [compose-protocol]',
      "    If the service also listens on TCP, publish that port too.",
    ],
  },
  {
    title: "a service without a published port: if the port is known, the note says what to publish",
    files: `services:
  db: { image: "postgres:17" }
  queue: { image: "docker.io/library/rabbitmq", ports: [] }
  api:
    build: .
    expose: [8080, "9090/tcp", "53/udp", "3000-3002"]
  jobs:
    build: .
  tunnel: { image: cloudflare/cloudflared:latest }
  empty:
`,
    expected: [],
    diagnostics: [
      'compose.yaml:2:3: warning: the service "db" publishes no port, so no route leads to it [compose-unpublished]',
      '    Add ports: ["127.0.0.1:5432:5432"] to it.',
      'compose.yaml:3:3: warning: the service "queue" publishes no port, so no route leads to it [compose-unpublished]',
      '    Add ports: ["127.0.0.1:5672:5672"] to it.',
      'compose.yaml:4:3: warning: the service "api" publishes no port, so no route leads to it [compose-unpublished]',
      '    Add ports: ["127.0.0.1:8080:8080", "127.0.0.1:9090:9090"] to it.',
      'compose.yaml:7:3: warning: the service "jobs" publishes no port, so no route leads to it [compose-unpublished]',
      '    Add ports: ["127.0.0.1:8080:8080"] to it, with the port that it listens on.',
    ],
  },
  {
    title: "invalid ports",
    files: `services:
  a:
    ports:
      - "80:http"
      - "1-3:80-81"
      - 127.0.0.256:80:80
      - "70000:80"
      - { published: 80 }
      - [80]
      - "80:80/quic"
      - "5-3"
      - ""
  b: { ports: 80 }
`,
    expected: [],
    diagnostics: [
      'compose.yaml:4:9: error: a port of the service "a" is "80:http": it has the port "http", which is not a number [invalid-compose-port]',
      PORT_FORMS,
      'compose.yaml:5:9: error: a port of the service "a" is "1-3:80-81": it has 2 ports in the container but 3 on this machine [invalid-compose-port]',
      "    Both ranges must have the same length.",
      'compose.yaml:6:9: error: a port of the service "a" is "127.0.0.256:80:80", but "127.0.0.256" is not an IP address [invalid-compose-port]',
      PORT_FORMS,
      'compose.yaml:7:9: error: a port of the service "a" is "70000:80": it has the port 70000, which is not between 1 and 65535 [invalid-compose-port]',
      PORT_FORMS,
      'compose.yaml:8:9: error: a port of the service "a" has no "target" [invalid-compose-port]',
      "    The target is the port in the container: { target: 5432, published: 5432 }.",
      'compose.yaml:9:9: error: a port of the service "a" is a list [invalid-compose-port]',
      PORT_FORMS,
      'compose.yaml:10:9: error: a port of the service "a" is "80:80/quic": it has the unknown protocol "quic" [invalid-compose-port]',
      "    Use one of tcp, udp, sctp.",
      'compose.yaml:11:9: error: a port of the service "a" is "5-3": it has the invalid port range "5-3" [invalid-compose-port]',
      PORT_FORMS,
      'compose.yaml:12:9: error: a port of the service "a" is "": it has no port [invalid-compose-port]',
      PORT_FORMS,
      'compose.yaml:13:15: error: "ports" of the service "b" must be a list [invalid-compose-port]',
      '    Write ports: ["5432:5432"].',
    ],
  },
];
