/** Compose files that expand beyond any machine's memory, or are nested too deeply. */

import type { ComposeCase } from "./case.ts";

const range = (count: number, piece: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => piece(i)).join("");
/** Once, it is below the limit of 100,000 values; twice, it is above. */
const MANY_VALUES = `x: &x [${"1,".repeat(200)}]
services: { a: { expose: [${"*x,".repeat(300)}], ports: ["1:1"] } }
`;

export const tooLarge: ComposeCase[] = [
  {
    title: "aliases are counted over all documents of a file",
    files: `${MANY_VALUES}---\n${MANY_VALUES}`,
    expected: [],
    diagnostics: [
      "compose.yaml:4:1: error: with its aliases, the compose project has more than 100000 values [compose-too-large]",
    ],
  },
  {
    title: "aliases are counted over all files of a project",
    compose: ["a.yaml", "b.yaml"],
    files: { "a.yaml": MANY_VALUES, "b.yaml": MANY_VALUES },
    expected: ["a:1 → 127.0.0.1:1"],
    diagnostics: [
      "b.yaml:1:1: error: with its aliases, the compose project has more than 100000 values [compose-too-large]",
    ],
  },
  {
    title: "more merges in a list than the limit for values",
    files: `x: &x { a: 1 }
services: { a: { <<: [${"*x,".repeat(130_000)}] } }
`,
    expected: [],
    diagnostics: [
      "compose.yaml:1:1: error: with its aliases, the compose project has more than 100000 values [compose-too-large]",
    ],
  },
  {
    title: "deeply nested values",
    files: `services: { a: { ports: ${"[".repeat(20_000)}`,
    expected: [],
    diagnostics: ["compose.yaml: error: it is nested too deeply to be read [nested-too-deeply]"],
  },
  {
    title: "deeply nested variables",
    files: `services: { a: { image: '${"${NOT:-".repeat(10_000)}${"}".repeat(10_000)}' } }`,
    expected: [],
    diagnostics: ["vpc.json:1:31: error: the compose files are nested too deeply to be read [nested-too-deeply]"],
  },
  {
    title: "variables that double at each step",
    files: {
      "compose.yaml": "services: { a: { hostname: $A1, ports: ['1:1'] } }",
      ".env": `A0=${"a".repeat(60)}\n${range(40, (i) => `A${i + 1}=$A${i}$A${i}\n`)}`.replace("A1=$A0$A0", "A1=b"),
    },
    expected: ["a:1 → 127.0.0.1:1", "b:1 → 127.0.0.1:1"],
    diagnostics: [
      '.env:20:1: warning: the text that starts with "$A18$A18" has more than 100000 characters once its variables are replaced [invalid-env-file]',
      "    Use shorter values for the variables.",
    ],
  },
  {
    title: "files that include each other twice",
    files: {
      "compose.yaml": "include: [./i0.yaml]\nservices: { a: { ports: ['1:1'] } }\n",
      ...Object.fromEntries(
        Array.from({ length: 9 }, (_, i) => [`i${i}.yaml`, `include: [./i${i + 1}.yaml, ./i${i + 1}.yaml]\n`]),
      ),
      "i9.yaml": "services: { b: { ports: ['2:2'] } }\n",
    },
    expected: ["b:2 → 127.0.0.1:2", "a:1 → 127.0.0.1:1"],
    diagnostics: ["i0.yaml:1:22 i1", "i6.yaml:1:22 i7", "i7.yaml:1:11 i8", "i7.yaml:1:22 i8"].flatMap((line) => {
      const [at, name] = line.split(" ");
      return [
        `${at}: error: the compose file "${name}.yaml" can't be read: its compose project reads more than 1000 files [compose-unreadable]`,
        `    Its full path is FOLDER/${name}.yaml.`,
      ];
    }),
  },
  {
    title: "a long chain of services that extend each other",
    files: `services:
${range(101, (i) => `  k${i}: { extends: k${i + 1} }\n`)}  k101: { ports: ["1:1"] }
`,
    routes: { k0: "localhost:1" },
    expected: ["k0 → localhost:1", ...Array.from({ length: 101 }, (_, i) => `k${i + 1}:1 → 127.0.0.1:1`)],
    diagnostics: [
      'compose.yaml:102:20: error: the service "k100" extends another service, but a chain of "extends" can have only 100 steps [compose-extends]',
    ],
  },
  {
    title: "services that extend ever larger services",
    files: `services:
  k0: { extends: k1, ports: ["1:1"] }
  k1: { extends: k2, expose: [${"1,".repeat(40_000)}] }
  k2: { expose: [${"1,".repeat(40_000)}] }
`,
    routes: { k1: "localhost:1", k2: "localhost:1" },
    expected: ["k1 → localhost:1", "k2 → localhost:1", "k0:1 → 127.0.0.1:1"],
    diagnostics: [
      'compose.yaml:2:18: error: the service "k0" takes the project over 100000 values with what it extends [compose-extends]',
      'compose.yaml:3:18: error: the service "k1" takes the project over 100000 values with what it extends [compose-extends]',
    ],
  },
  {
    title: "too many routes, unless a range is one route",
    files: `services:
  a: { ports: ["1-65534:1-65534"] }
  b: { ports: ["1-20000:2-20001"] }
  c: { ports: ["30000:1"] }
`,
    expected: ["a:1-65534 → 127.0.0.1", "c:1 → 127.0.0.1:30000"],
    diagnostics: [
      'compose.yaml:3:3: error: the service "b" takes the network over 20000 routes [compose-too-large]',
      '    Publish many ports as one range with the same numbers on both sides: "8000-8999:8000-8999" is one route.',
    ],
  },
  {
    title: "long text from the file in a message",
    files: `${"!".repeat(100_000)} a`,
    expected: [],
    diagnostics: [`compose.yaml:1:1: error: not YAML: the ${"!".repeat(1986)}… [yaml-syntax]`],
  },
];
