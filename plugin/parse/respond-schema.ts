/**
 * The shape of `respond` for the JSON schema and the types. `parse-respond.ts` checks a config's own, in the words that
 * tests and the control API get too.
 */

import * as v from "valibot";

import type { VpcAnswerWhen, VpcFunction, VpcFunctions, VpcRespond, VpcText } from "../config.ts";

export const vpcFunction: v.GenericSchema<VpcFunction> = v.custom<VpcFunction>((value) => typeof value === "function");
const connectFunction = v.custom<NonNullable<VpcFunctions["connect"]>>((value) => typeof value === "function");
export const vpcFunctions: v.GenericSchema<VpcFunctions> = v.strictObject({
  fetch: v.exactOptional(vpcFunction),
  connect: v.exactOptional(connectFunction),
});

const answerShape = {
  status: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599))),
  headers: v.exactOptional(v.record(v.string(), v.union([v.string(), v.array(v.string())]))),
  json: v.exactOptional(v.unknown()),
  text: v.exactOptional(v.string()),
  bytes: v.exactOptional(v.string()),
  file: v.exactOptional(v.string()),
  delay: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.maxValue(300_000))),
};

const text: v.GenericSchema<VpcText> = v.union([
  v.string(),
  v.custom<RegExp>((value) => value instanceof RegExp),
  v.strictObject({ regexp: v.string(), flags: v.exactOptional(v.string()) }),
]);

const when = v.union([
  v.string(),
  v.strictObject({
    method: v.exactOptional(v.string()),
    path: v.exactOptional(v.string()),
    query: v.exactOptional(v.record(v.string(), text)),
    headers: v.exactOptional(v.record(v.string(), text)),
    body: v.exactOptional(text),
    json: v.exactOptional(v.unknown()),
  }),
]);

const answerWhen: v.GenericSchema<VpcAnswerWhen> = v.strictObject({ when: v.exactOptional(when), ...answerShape });

export const respond: v.GenericSchema<VpcRespond> = v.strictObject({
  respond: v.union([v.strictObject(answerShape), v.array(answerWhen)]),
});
