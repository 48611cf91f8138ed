/** Parses answers as a target: `{ "respond": … }`. Warns if a file that an answer names is missing. */

import type { ModelTarget, RespondModel } from "../model.ts";
import { type Parsing, isPlainObject, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { findAnswerMistakes } from "../scenario/answer.ts";
import { isNamedFile } from "./named-file.ts";
import { reportDoubts } from "./report-doubts.ts";
import type { PlacedMistake } from "../scenario/mistake.ts";
import { readCall } from "../scenario/parse-call.ts";

const EXAMPLE = '{ "status": 200, "json": … }';
const LIST_EXAMPLE = '[{ "when": "GET /users/:id", "json": … }]';

type AnswerModel = RespondModel["answers"][number];

/** @param value of "respond" @param at of the target */
export function parseRespond(value: unknown, at: Path, parsing: Parsing): ModelTarget | undefined {
  const place = [...at, "respond"];
  if (Array.isArray(value) && value.length === 0) {
    parsing.report({
      code: "invalid-answer",
      text: '"respond" is an empty list',
      at: place,
      notes: [`Write ${LIST_EXAMPLE}.`],
    });
    return undefined;
  }
  const answers = Array.isArray(value)
    ? value.map((written: unknown, index) => parseAnswer({ written, at: [...place, index], isListed: true }, parsing))
    : [parseAnswer({ written: value, at: place, isListed: false }, parsing)];
  const parsed = answers.filter((answer) => answer !== undefined);
  if (parsed.length < answers.length) return undefined;
  reportUnreachable(parsed, place, parsing);
  return { type: "stand-in", standIn: { type: "respond", answers: parsed }, text: "respond", at };
}

interface WrittenAnswer {
  written: unknown;
  at: Path;
  /** Only then it can have a "when". */
  isListed: boolean;
}

/** @returns undefined if there are mistakes, which are reported */
function parseAnswer({ written, at, isListed }: WrittenAnswer, parsing: Parsing): AnswerModel | undefined {
  const { report } = parsing;
  if (!isPlainObject(written)) {
    report({
      code: "invalid-answer",
      text: `the answer is ${quote(written)}, but must be an object`,
      at,
      notes: [`Write ${isListed ? LIST_EXAMPLE : EXAMPLE}.`],
    });
    return undefined;
  }
  const { when, ...answer } = written;
  const call = readCall(when);
  const mistakes: PlacedMistake[] = [
    ...(Array.isArray(call) ? call.map((mistake) => Object.assign(mistake, { at: ["when", ...mistake.at] })) : []),
    ...findAnswerMistakes(answer),
  ];
  if (when !== undefined && !isListed) {
    const note = `Write a list: "respond": ${LIST_EXAMPLE}.`;
    mistakes.push({ text: '"when" is for a list of answers, but this is one answer', note, at: ["when"], part: "key" });
  }
  for (const { text, note, at: field, part } of mistakes) {
    report({
      code: "invalid-answer",
      text,
      at: [...at, ...field],
      ...(part && { part }),
      notes: note === undefined ? [] : [note],
    });
  }
  if (Array.isArray(call) || mistakes.length > 0) return undefined;
  if (typeof answer["file"] === "string") lookForFile(answer["file"], [...at, "file"], parsing);
  reportDoubts({ call, answer, at }, parsing);
  return { call, answer };
}

/** Not an error: the file is read for each answer, so that without it only those calls fail. */
function lookForFile(name: string, at: Path, parsing: Parsing): void {
  isNamedFile(
    {
      name,
      at,
      code: "answer-file-not-found",
      what: "the file of the answer",
      example: "./answer.json",
      severity: "warning",
      notes: ["A call that it is for fails with destination_unavailable until the file is there."],
    },
    parsing,
  );
}

/** The first answer that matches is given, so that none is after one for every request. */
function reportUnreachable(answers: readonly AnswerModel[], at: Path, { report }: Parsing): void {
  const first = answers.findIndex(({ call }) => Object.keys(call).length === 0);
  if (first === -1 || first === answers.length - 1) return;
  report({
    severity: "warning",
    code: "unreachable-answer",
    text: "this answer is never given, because the one before it is for every request",
    at: [...at, first + 1],
    notes: ['The first answer that matches is given. Move the one without a "when" to the end.'],
  });
}
