/** Two sessions in one folder don't affect each other. */

import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { MINIFLARE_VPC, serve } from "../wrangler/run.ts";
import { configFor, createSoakProject } from "./project.ts";
import type { Report } from "./report.ts";
import { waitFor } from "./under-load.ts";

const ROUNDS = 100;

export async function soakSessions(report: Report): Promise<void> {
  await using first = await startHttpOrigin(ok("first"));
  await using second = await startHttpOrigin(ok("second"));
  using project = createSoakProject(first.port);
  await using one = await serve(MINIFLARE_VPC, ["dev"], { project });
  await using two = await serve(MINIFLARE_VPC, ["dev"], { project });
  const both = async (): Promise<string[]> => Promise.all([one.get("/"), two.get("/")]);

  const wrong: unknown[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const answers = await both();
    if (answers.some((answer) => answer !== "first")) wrong.push(answers);
  }
  report.expect("two sessions in one folder both answer", wrong);
  report.expect("each has its own generated config", project.leftovers().length === 2 ? [] : project.leftovers());

  const { length } = one.output();
  project.write("vpc.jsonc", configFor(second.port));
  const tookOver = await waitFor(() => /Applied/.test(one.output().slice(length)) && two.output().includes("Applied"));
  report.expect("both apply an edit", tookOver && String(await both()) === "second,second" ? [] : [await both()]);

  one.signal("SIGINT");
  await one.ended();
  const alone = await two.get("/");
  report.expect(
    "one ends, and the other continues",
    alone === "second" && project.leftovers().length === 1 ? [] : [alone, project.leftovers()],
  );
  two.signal("SIGKILL");
  await two.ended();
  const isGone = await waitFor(() => project.leftovers().length === 0);
  report.expect("neither leaves files", isGone ? [] : project.leftovers());
}
