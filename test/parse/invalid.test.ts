/** Every mistake in a vpc config: the exact message and its position. */

import { expect, test } from "vitest";

import type { InvalidConfig } from "./invalid-case.ts";
import { invalidDestinations } from "./invalid-destination.ts";
import { invalidFaults } from "./invalid-fault.ts";
import { invalidHosts } from "./invalid-host.ts";
import { invalidHyperdrives } from "./invalid-hyperdrive.ts";
import { invalidLimits } from "./invalid-limit.ts";
import { invalidPairs } from "./invalid-pairs.ts";
import { invalidAnswers } from "./invalid-respond.ts";
import { invalidRecords } from "./invalid-record.ts";
import { invalidRoutes } from "./invalid-route.ts";
import { invalidShape } from "./invalid-shape.ts";
import { invalidSyntax } from "./invalid-syntax.ts";
import { invalidTargets } from "./invalid-target.ts";
import { createFolder, networkBinding, serviceBinding } from "../setup/vpc-folder.ts";

const cases: InvalidConfig[] = [
  ...invalidSyntax,
  ...invalidShape,
  ...invalidRecords,
  ...invalidHosts,
  ...invalidDestinations,
  ...invalidPairs,
  ...invalidRoutes,
  ...invalidFaults,
  ...invalidTargets,
  ...invalidAnswers,
  ...invalidLimits,
  ...invalidHyperdrives,
];

test.each(cases)("$title", async ({ file = "vpc.jsonc", config, expected }) => {
  await using vpc = await createFolder({ [file]: config });
  const app = vpc.worker("app", [serviceBinding("API"), networkBinding("NET")]);
  const loaded = await vpc.load([app, vpc.worker("stand-in")]);
  // load.test.ts covers bindings without an entry.
  const diagnostics = loaded.diagnostics.filter(({ code }) => code !== "no-entry");
  expect(vpc.format({ diagnostics })).toEqual(expected);
});

test("mistakes in all sections are reported at once, in the order of the file", async () => {
  await using vpc = await createFolder({
    "vpc.jsonc": `{
  "connectTimeout": "5s",
  "services": { "API": { "type": "http", "name": "api", "host": {} } },
  "networks": { "NET": { "routes": { "a:0": "localhost:1", "b": "worker:nobody", "c": "localhost:x" } } },
  "ca": ["missing.pem"],
  "wokerLimit": 1
}`,
  });
  const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API"), networkBinding("NET")])]);
  expect(vpc.format(loaded).filter((line) => !line.startsWith(" "))).toEqual([
    'vpc.jsonc:2:21: error: "connectTimeout" is "5s", but must be a whole number of milliseconds from 1 to 300000 [invalid-value]',
    'vpc.jsonc:3:57: error: "host" has neither an address nor a hostname [invalid-host]',
    'vpc.jsonc:4:38: error: the destination "a:0" has the port 0, which is not between 1 and 65535 [invalid-destination]',
    'vpc.jsonc:4:65: error: the target "worker:nobody" is not a Worker of this session [unknown-worker]',
    'vpc.jsonc:4:87: error: the target "localhost:x" has the port "x", which is not a number [invalid-target]',
    'vpc.jsonc:5:10: error: the root certificate "missing.pem" does not exist [ca-not-found]',
    'vpc.jsonc:6:3: error: "wokerLimit" is not a field of the vpc config [unknown-field]',
  ]);
});
