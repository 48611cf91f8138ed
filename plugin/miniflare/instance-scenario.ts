/**
 * The scenario of one Miniflare instance: makes it, keeps it across reloads, and lets clients in this process find it.
 */

import { existsSync } from "node:fs";

import { type RoutingTable, type Target } from "../../service-worker/routing/table.ts";
import type { PluginServicesOptions } from "miniflare";
import { type Control, startControl } from "../control/control.ts";
import type { ControlOptions } from "../control/control-options.ts";
import { workerNamesOf } from "../load.ts";
import { type LinkedStandIn, resolveTarget } from "../link/resolve-target.ts";
import { parseTarget } from "../parse/parse-target.ts";
import { emptyModel } from "../parse/parse-config.ts";
import { type Finding, emptyDocument } from "../read/document.ts";
import { hideSecrets } from "../read/hide-secrets.ts";
import { type Recorder, createRecorder } from "../recordings/recorder.ts";
import { specOf } from "../recordings/recording-spec.ts";
import { shownPath } from "../recordings/recording-file.ts";
import { isCi } from "../system/is-ci.ts";
import { runCommand } from "../scenario/commands.ts";
import { findRunning, keepRunning } from "../scenario/running.ts";
import { Scenario, type ScenarioContext } from "../scenario/scenario.ts";
import type { StandIns } from "../stand-ins/stand-ins.ts";
import { messageOf } from "../system/error.ts";
import { type InstancePage, createInstancePage } from "./instance-page.ts";
import type { Instance } from "./read-instance.ts";

type Log = Pick<PluginServicesOptions["log"], "info" | "error">;

export interface InstanceScenario {
  scenario: Scenario;
  readonly control: Control | undefined;
  recorder: Recorder;
  /** Lines that are printed once. */
  said: Set<string>;
  /** Marks a table that is going into force. Its calls are observed from the first command on, or if it must be. */
  withScenario(table: RoutingTable): RoutingTable;
  /** Lets other processes direct it, if the instance asks for that. The first call counts. */
  startControl(options: { privateDirectory: string; log: Log }): Promise<void>;
  /** Shows the traffic. */
  readonly page: InstancePage;
  /** Records calls to those of them that are to be recorded from now on, too. */
  record(standIns: Iterable<LinkedStandIn>): void;
  /** The runtime is gone, and perhaps this process soon: writes what has been recorded. */
  runtimeGone(): void;
  /** The instance is disposed of. */
  close(): void;
}

/**
 * @param options `before`: that of the instance before a reload, whose rules and journal stay; `push`: puts the table into
 * force again; `repeat`: lets the runtime make a call; `print`: prints a line in the terminal; `standIns`: keeps those of
 * rules, and begins anew with the scenario
 */
export function openScenario(
  instance: Instance,
  {
    before,
    push,
    repeat,
    print,
    standIns,
  }: {
    before: InstanceScenario | undefined;
    push: () => Promise<void>;
    repeat: ScenarioContext["repeat"];
    print: (line: string) => void;
    standIns: StandIns;
  },
): InstanceScenario {
  const scenario = before?.scenario ?? scenarioBefore(instance) ?? new Scenario();
  const forget = keepRunning(instance.scenarioIds, {
    run: (command) => runCommand(scenario, command),
    functions: scenario.functions,
    scenario,
  });
  const said = before?.said ?? new Set<string>();
  const sayOnce = (line: string): void => {
    if (!said.has(line)) print(line);
    said.add(line);
  };
  let control = before?.control;
  const page = before?.page ?? createInstancePage(scenario);
  const recorder =
    before?.recorder ??
    createRecorder(scenario.journal, {
      print,
      recovery: instance.recording?.recovery,
      isShared: instance.workers.some(({ isForTest }) => isForTest),
    });
  const all = instance.recording?.all;
  const record = (standIns: Iterable<LinkedStandIn>): void => {
    const models = [...standIns].flatMap(({ model }) => (model.type === "har" ? [model] : []));
    for (const { redact = [] } of models) for (const name of redact) scenario.secretNames.add(name);
    recorder.want(
      models.flatMap((model) => specOf(model) ?? []),
      all && { ...all, redact: [...scenario.secretNames] },
    );
    for (const { file, update } of models)
      if (update === true && isCi() && existsSync(file))
        sayOnce(`"update" records nothing under CI: ${shownPath(file)} answers.`);
  };
  return {
    scenario,
    page,
    recorder,
    said,
    get control() {
      return control;
    },
    async startControl(options) {
      if (instance.control !== undefined) control ??= await start(scenario, { ...instance.control, ...options });
    },
    withScenario(table) {
      scenario.enter({
        table,
        folder: process.cwd(),
        parseTarget: (value) => targetOf(value, instance, { standIns, record }),
        push,
        repeat,
        print,
        restart: () => standIns.restart(),
      });
      return scenario.isObserved || recorder.isRecording ? { ...table, isObserved: true } : table;
    },
    record,
    runtimeGone: () => recorder.write(),
    close() {
      forget();
      recorder.close();
      void control?.close();
      page.close();
    },
  };
}

/** A session without its TCP port is still a session. */
async function start(
  scenario: Scenario,
  { log, ...options }: ControlOptions & { privateDirectory: string; log: Log },
): Promise<Control> {
  const { port, ...others } = options;
  try {
    const control = await startControl(scenario, options);
    if (control.url !== undefined) log.info(`Control: ${control.url}`);
    return control;
  } catch (error) {
    if (port === undefined) throw error;
    log.error(new Error(`miniflare-vpc: can't listen on the port ${port} of --control: ${messageOf(error)}.`));
    return await startControl(scenario, others);
  }
}

/** A test harness that is reset or updated starts another instance. */
function scenarioBefore({ scenarioIds }: Instance): Scenario | undefined {
  return scenarioIds.map((id) => findRunning(id)?.scenario).find((scenario) => scenario !== undefined);
}

/** @throws {TypeError} in words if the value is no target, or names no Worker of the session */
function targetOf(
  value: unknown,
  { workers, env }: Instance,
  { standIns, record }: { standIns: StandIns; record: InstanceScenario["record"] },
): Target {
  const findings: Finding[] = [];
  const report = (finding: Finding): void => void findings.push(finding);
  const document = emptyDocument("<rule>", process.cwd());
  const parsed = parseTarget(value, [], { document, report, namedFiles: new Set() });
  const linked = new Map<string, LinkedStandIn>();
  const target =
    parsed &&
    resolveTarget(parsed, [], {
      workerNames: workerNamesOf(workers),
      env,
      generation: 0,
      model: emptyModel(document, { isReadable: true }),
      report,
      functions: new Map(),
      standIns: linked,
    });
  if (target?.type === "stand-in") {
    const standIn = linked.get(target.standInId);
    if (standIn !== undefined) {
      record([standIn]);
      return { ...target, standInId: standIns.add(standIn) };
    }
  }
  if (target !== undefined) return target;
  const [finding] = findings;
  throw new TypeError(
    hideSecrets(`vpc: ${finding?.text ?? "not a target"}. ${finding?.notes?.join(" ") ?? ""}`.trim()),
  );
}
