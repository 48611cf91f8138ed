/** Variables in compose files, and .env files. */

import { type ComposeCase, PORT_FORMS } from "./case.ts";

export const variables: ComposeCase[] = [
  {
    title: "variables of .env and of the process (the process wins); defaults, replacements and a literal $",
    files: {
      "compose.yaml": `services:
  a:
    container_name: \${PREFIX:-none}-$NAME-$$x-\${EMPTY-e}\${EMPTY:-f}\${EMPTY+g}\${EMPTY:+h}\${PREFIX+i}
    ports: ["\${PORT:?needed}:\${INNER:-\${DEEP:-80}}", "\${HOST_IP-127.0.0.9}:81:81"]
`,
      ".env": 'PORT=1\nPREFIX="acme"\nNAME=db # who\nEMPTY=\n',
    },
    environment: { PORT: "8080" },
    expected: [
      "a:80 → 127.0.0.1:8080",
      "a:81 → 127.0.0.9:81",
      "acme-db-$x-fgi:80 → 127.0.0.1:8080",
      "acme-db-$x-fgi:81 → 127.0.0.9:81",
    ],
  },
  {
    title: ".env: quotes, comments, export, and variables of earlier lines",
    files: {
      "compose.yaml": `services: { a: { ports: ["$A:1", "$B:2", "$C:3", "$D:4", "$E:5"], container_name: "\${F}" } }`,
      ".env": `# ports
export A=1

B = '2' # two
C: "3"
D=$A\${B}
E="\${D}\\
0"`.replace("\\\n", ""),
    },
    expected: [
      "a:1 → 127.0.0.1:1",
      "a:2 → 127.0.0.1:2",
      "a:3 → 127.0.0.1:3",
      "a:4 → 127.0.0.1:12",
      "a:5 → 127.0.0.1:120",
    ],
    diagnostics: [
      'compose.yaml:1:83: warning: the variable "F" is not set, so it is empty, as in Docker Compose [compose-variable]',
      "    Set it in .env beside the compose file, or give it a default: ${F:-…}.",
    ],
  },
  {
    title: "only variables that routes need are replaced",
    files: `services: { a: { ports: ["1:1"], image: "a:$TAG", environment: { KEY: "\${KEY:?}" }, command: "echo \${" } }`,
    expected: ["a:1 → 127.0.0.1:1"],
    diagnostics: [
      'compose.yaml:1:41: warning: the variable "TAG" is not set, so it is empty, as in Docker Compose [compose-variable]',
      "    Set it in .env beside the compose file, or give it a default: ${TAG:-…}.",
    ],
  },
  {
    title: "a missing required variable, invalid variables, and an invalid .env file",
    files: {
      "compose.yaml": `services:
  a: { ports: ["\${PORT:?which}:80", "\${OTHER?}:81", "\${1}:82", "\${A", "\${A!b}:83", "$1:84"] }
`,
      ".env": "A B=1\n\nB='c\n",
    },
    expected: [],
    diagnostics: [
      ".env:1:1: warning: this is not a valid line of an .env file [invalid-env-file]",
      "    Write NAME=value.",
      '.env:3:1: warning: the value of "B" has an unclosed quote [invalid-env-file]',
      'compose.yaml:2:16: error: the variable "PORT" must be set: which [compose-variable]',
      "    Set it in .env beside the compose file, or in the environment.",
      'compose.yaml:2:37: error: the variable "OTHER" must be set [compose-variable]',
      "    Set it in .env beside the compose file, or in the environment.",
      'compose.yaml:2:53: error: "${1}:82" contains an invalid variable [compose-variable]',
      "    Write ${NAME}, ${NAME:-default}, ${NAME:?message} or ${NAME:+replacement}. Write $$ for a literal $.",
      'compose.yaml:2:64: error: "${A" contains an invalid variable [compose-variable]',
      "    Write ${NAME}, ${NAME:-default}, ${NAME:?message} or ${NAME:+replacement}. Write $$ for a literal $.",
      'compose.yaml:2:71: error: "${A!b}:83" contains an invalid variable [compose-variable]',
      "    Write ${NAME}, ${NAME:-default}, ${NAME:?message} or ${NAME:+replacement}. Write $$ for a literal $.",
      'compose.yaml:2:84: error: a port of the service "a" is "$1:84": it has the port "$1", which is not a number [invalid-compose-port]',
      PORT_FORMS,
    ],
  },
];
