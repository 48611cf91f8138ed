/** Files that can't be read, or aren't compose files. */

import type { ComposeCase } from "./case.ts";

export const broken: ComposeCase[] = [
  {
    title: "no such file",
    compose: ["gone.yaml", "compose.yaml"],
    files: `services: { a: { ports: ["1:1"] } }`,
    expected: ["a:1 → 127.0.0.1:1"],
    diagnostics: [
      'vpc.json:1:32: error: the compose file "gone.yaml" does not exist [compose-not-found]',
      "    Its full path is FOLDER/gone.yaml.",
    ],
  },
  {
    title: "a folder",
    compose: "lib",
    files: { "lib/compose.yaml": "" },
    expected: [],
    diagnostics: [
      'vpc.json:1:31: error: the compose file "lib" can\'t be read: EISDIR: illegal operation on a directory, read [compose-unreadable]',
      "    Its full path is FOLDER/lib.",
    ],
  },
  {
    title: "not YAML",
    files: `services:
  a: { ports: ["1:1" }
  b: [
`,
    expected: [],
    diagnostics: [
      "compose.yaml:2:22: error: not YAML: flow sequence in block collection must be sufficiently indented and end with a ] [yaml-syntax]",
    ],
  },
  {
    title: "a duplicate key",
    files: `services:
  a: { ports: ["1:1"] }
  a: { ports: ["2:1"] }
`,
    expected: [],
    diagnostics: ["compose.yaml:3:3: error: not YAML: map keys must be unique [yaml-syntax]"],
  },
  {
    title: "YAML that is not a compose file",
    compose: ["a.yaml", "b.yaml", "c.yaml", "d.yaml"],
    files: {
      "a.yaml": "- services\n",
      "b.yaml": "services: [a]\n",
      "c.yaml": "services:\n  a: postgres\n  b:\n",
      "d.yaml": "# nothing but a comment\n",
    },
    expected: [],
    diagnostics: [
      "a.yaml:1:1: error: this is not a compose file: it is not a mapping [invalid-compose]",
      '    A compose file has "services:" at its top level.',
      'b.yaml:1:11: error: "services" is a list, but must be a mapping [invalid-compose]',
      "    Write each service under its name.",
      'c.yaml:2:6: error: the service "a" is "postgres", but must be a mapping [invalid-compose]',
    ],
  },
  {
    title: "a compose file without services",
    files: { "compose.yaml": "apiVersion: v1\nkind: Service\n" },
    expected: [],
    diagnostics: ['vpc.json:1:31: warning: "compose.yaml" has no services, so it adds no routes [compose-empty]'],
  },
  {
    title: "no compose file",
    files: {},
    compose: [],
    expected: [],
    diagnostics: [
      'vpc.json:1:31: warning: "compose" names no file, so it adds no routes [compose-empty]',
      '    Name a compose file, such as "./compose.yaml", or remove "compose".',
    ],
  },
  {
    title: "no compose file, in an object",
    files: {},
    compose: { files: [], from: "network" },
    expected: [],
    diagnostics: [
      'vpc.json:1:40: warning: "compose" names no file, so it adds no routes [compose-empty]',
      '    Name a compose file, such as "./compose.yaml", or remove "compose".',
    ],
  },
  {
    title: "two compose files without services",
    files: { "a.yaml": "apiVersion: v1\n", "b.yaml": "name: b\n" },
    compose: ["a.yaml", "b.yaml"],
    expected: [],
    diagnostics: [
      'vpc.json:1:31: warning: "a.yaml" and "b.yaml" have no services, so they add no routes [compose-empty]',
    ],
  },
  {
    title: "an alias of a value that contains it, and an alias without an anchor",
    files: `services:
  a: &a
    <<: *a
    ports: ["1:1", *later]
    expose: &list [*list]
  b: { ports: [&later "2:2"] }
`,
    expected: ["a:1 → 127.0.0.1:1", "b:2 → 127.0.0.1:2"],
    diagnostics: [
      'compose.yaml:4:20: error: not YAML: the alias "*later" has no anchor before it [yaml-syntax]',
      'compose.yaml:5:20: error: not YAML: the alias "*list" refers to a value that contains it [yaml-syntax]',
    ],
  },
  {
    title: "aliases of aliases that expand to a million values",
    files: `x-a: &a ["1", "1", "1", "1", "1", "1", "1", "1", "1", "1"]
x-b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
x-c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
x-d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
x-e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
x-f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
services:
  a: { expose: *f, ports: ["1:1"] }
`,
    expected: [],
    diagnostics: [
      "compose.yaml:1:1: error: with its aliases, the compose project has more than 100000 values [compose-too-large]",
    ],
  },
];
