/** Who has the page, and on which port. */

import { expect, test } from "vitest";

import { chooseUi } from "../../plugin/ui/ui-choice.ts";

type Case = [what: string, situation: Partial<Parameters<typeof chooseUi>[0]>, port: number | undefined];

const CI = { CI: "true" };

test.each<Case>([
  ["dev", { asked: "default" }, 0],
  ["dev with a port in the config", { asked: "default", configured: { port: 4400 } }, 4400],
  ['dev with "ui": false', { asked: "default", configured: false }, undefined],
  ['dev with "ui": true', { asked: "default", configured: true }, 0],
  ["dev under CI", { asked: "default", env: CI }, undefined],
  ["dev where CI is false", { asked: "default", env: { CI: "false" } }, 0],
  ["dev under CI, whatever the config says", { asked: "default", configured: true, env: CI }, undefined],
  ["dev --ui under CI", { asked: true, env: CI }, 0],
  ["dev --ui under CI with a port in the config", { asked: true, configured: { port: 4400 }, env: CI }, 4400],
  ['dev --ui with "ui": false', { asked: true, configured: false }, 0],
  ["dev --ui-port", { asked: { port: 4500 }, configured: { port: 4400 } }, 4500],
  ["dev --no-ui", { asked: false, configured: { port: 4400 } }, undefined],
  ["another host", {}, undefined],
  ['another host with "ui": true', { configured: true }, 0],
  ["another host with a port in the config", { configured: { port: 4400 } }, 4400],
  ['another host with "ui": true under CI', { configured: true, env: CI }, undefined],
  ["another host that asks in code", { asked: true, env: CI }, 0],
  ["a vitest test", { configured: true, isForTest: true }, undefined],
  ["a vitest test that asks in code", { asked: true, isForTest: true }, 0],
])("%s", (_, situation, port) => {
  const choice = chooseUi({ asked: undefined, configured: undefined, isForTest: false, env: {}, ...situation });
  expect(choice?.port).toBe(port);
});
