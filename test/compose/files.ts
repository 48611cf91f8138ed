/** Several compose files that form one project. */

import type { ComposeCase } from "./case.ts";

export const files: ComposeCase[] = [
  {
    title: "several files: lists of ports are joined, scalars are replaced, and lists of networks merge as mappings",
    compose: ["a.yaml", "sub/b.yaml"],
    files: {
      "a.yaml": `services:
  db:
    container_name: one
    ports: ["1:1"]
    networks: [back]
  web:
    ports: ["2:2"]
`,
      "sub/b.yaml": `services:
  db:
    container_name: $NAME
    ports: ["3:3", "4:1"]
    networks: { back: { aliases: [data] } }
  web:
  new: { ports: ["5:5"] }
`,
      ".env": "NAME=two",
      "sub/.env": "NAME=not this one",
    },
    expected: [
      "db:1 → 127.0.0.1:1",
      "db:3 → 127.0.0.1:3",
      "data:1 → 127.0.0.1:1",
      "data:3 → 127.0.0.1:3",
      "two:1 → 127.0.0.1:1",
      "two:3 → 127.0.0.1:3",
      "web:2 → 127.0.0.1:2",
      "new:5 → 127.0.0.1:5",
    ],
  },
  {
    title: "!reset removes, !override replaces",
    compose: ["a.yaml", "b.yaml", "c.yaml"],
    files: {
      "a.yaml": `services:
  a: { ports: ["1:1"], profiles: [debug] }
  b: { ports: ["2:2"] }
  c: { ports: ["3:3"] }
  d: { ports: ["4:4"] }
`,
      "b.yaml": `services:
  a: { ports: !override ["5:1"], profiles: !reset [] }
  b: { ports: !reset null }
  c: !reset
  d: !override
    ports: ["6:6"]
`,
      "c.yaml": `services:
  b: { ports: ["7:7"] }
`,
    },
    expected: ["a:1 → 127.0.0.1:5", "b:7 → 127.0.0.1:7", "d:6 → 127.0.0.1:6"],
  },
  {
    title: "anchors, merge keys, and several documents in one file",
    files: `x-ports: &ports ["80:80"]
x-base: &base
  container_name: base
  hostname: not-this
services:
  a:
    <<: *base
    ports: *ports
    hostname: own
  b:
    <<: [{ hostname: c }, *base]
    container_name: d
    ports: [&port "81:81"]
---
services:
  b: { ports: ["82:82"] }
`,
    expected: [
      "a:80 → 127.0.0.1:80",
      "base:80 → 127.0.0.1:80",
      "own:80 → 127.0.0.1:80",
      "b:81 → 127.0.0.1:81",
      "b:82 → 127.0.0.1:82",
      "d:81 → 127.0.0.1:81",
      "d:82 → 127.0.0.1:82",
      "c:81 → 127.0.0.1:81",
      "c:82 → 127.0.0.1:82",
    ],
  },
  {
    title: "extends: a service of this file, of another file, and in a chain",
    files: {
      "compose.yaml": `services:
  base: { ports: ["1:1"], profiles: [never] }
  a: { extends: base, profiles: !reset [], ports: ["2:2"] }
  b: { extends: { service: common, file: lib/common.yaml }, container_name: own }
`,
      "lib/common.yaml": `services:
  common: { extends: { service: core, file: ./core.yaml }, hostname: theirs }
`,
      "lib/core.yaml": `services:
  core: { ports: ["3:$PORT"] }
`,
      ".env": "PORT=80",
    },
    routes: { base: "localhost:1" },
    expected: [
      "base → localhost:1",
      "a:1 → 127.0.0.1:1",
      "a:2 → 127.0.0.1:2",
      "b:80 → 127.0.0.1:3",
      "own:80 → 127.0.0.1:3",
      "theirs:80 → 127.0.0.1:3",
    ],
  },
  {
    title: "extends of a service or file that doesn't exist",
    files: {
      "compose.yaml": `services:
  a: { extends: gone, ports: ["1:1"] }
  b: { extends: { service: gone, file: other.yaml }, ports: ["2:2"] }
  c: { extends: { service: c, file: gone.yaml }, ports: ["3:3"] }
  d: { extends: e, ports: ["4:4"] }
  e: { extends: d, ports: ["5:5"] }
  f: { extends: { file: other.yaml }, ports: ["6:6"] }
`,
      "other.yaml": "services: {}\n",
    },
    expected: [
      "a:1 → 127.0.0.1:1",
      "b:2 → 127.0.0.1:2",
      "c:3 → 127.0.0.1:3",
      "d:4 → 127.0.0.1:4",
      "d:5 → 127.0.0.1:5",
      "e:5 → 127.0.0.1:5",
      "e:4 → 127.0.0.1:4",
      "f:6 → 127.0.0.1:6",
    ],
    diagnostics: [
      'compose.yaml:2:17: error: the service "a" extends "gone", but there is no such service in this file [compose-extends]',
      'compose.yaml:3:17: error: the service "b" extends "gone", but there is no such service in "other.yaml" [compose-extends]',
      'compose.yaml:4:37: error: the compose file "gone.yaml" does not exist [compose-not-found]',
      "    Its full path is FOLDER/gone.yaml.",
      'compose.yaml:5:17: error: the service "d" extends itself through other services [compose-extends]',
      '    Remove one "extends" of the loop.',
      'compose.yaml:6:17: error: the service "e" extends itself through other services [compose-extends]',
      '    Remove one "extends" of the loop.',
      'compose.yaml:7:17: error: the service "f" has an "extends" without a service [compose-extends]',
      "    Write extends: { service: NAME }.",
    ],
  },
  {
    title: "include: uses the .env beside the file or the one it names; this file's own services win",
    files: {
      "compose.yaml": `include:
  - lib/a.yaml
  - path: [lib/b.yaml, lib/b2.yaml]
    project_directory: other
  - { path: lib/c.yaml, env_file: lib/c.env }
  - oci://registry.example/stack
services:
  own: { ports: ["1:1"] }
  a: { container_name: mine }
`,
      "lib/a.yaml": 'services: { a: { ports: ["2:$PORT"], container_name: theirs } }',
      "lib/.env": "PORT=80\nSHARED=inner",
      "lib/b.yaml": 'services: { b: { ports: ["3:$PORT"] } }',
      "lib/b2.yaml": "services: { b: { container_name: $SHARED } }",
      "other/.env": "PORT=81",
      "lib/c.yaml": 'services: { c: { ports: ["4:$PORT"] } }',
      "lib/c.env": "PORT=82",
      ".env": "SHARED=outer",
    },
    expected: [
      "a:80 → 127.0.0.1:2",
      "mine:80 → 127.0.0.1:2",
      "b:81 → 127.0.0.1:3",
      "outer:81 → 127.0.0.1:3",
      "c:82 → 127.0.0.1:4",
      "own:1 → 127.0.0.1:1",
    ],
    diagnostics: [
      'compose.yaml:6:5: warning: "oci://registry.example/stack" is not on this machine, so its services have no routes [compose-remote-include]',
      '    Add the routes that you need to "routes" of the network.',
    ],
  },
  {
    title: "a file that includes itself",
    files: {
      "compose.yaml": "include: [a.yaml]\n",
      "a.yaml": "include:\n  - compose.yaml\n",
    },
    expected: [],
    diagnostics: ['a.yaml:2:5: error: "compose.yaml" includes itself [compose-include]'],
  },
];
