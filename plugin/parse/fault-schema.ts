/**
 * The shape of faults for the JSON schema and the types. A config's faults are checked by `parse-fault-list.ts`, in the words
 * that tests and the control API get too.
 */

import * as v from "valibot";

import { PROXY_ERROR_CODES } from "../../service-worker/routing/error-codes.ts";
import type { VpcFault } from "../config.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const faultShape = {
  name: v.exactOptional(v.string()),
  stream: v.exactOptional(v.picklist(["upstream", "downstream"])),
  toxicity: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
};

const fault: v.GenericSchema<VpcFault> = v.union([
  v.strictObject({
    ...faultShape,
    type: v.literal("latency"),
    attributes: v.exactOptional(v.strictObject({ latency: v.exactOptional(count), jitter: v.exactOptional(count) })),
  }),
  v.strictObject({ ...faultShape, type: v.literal("bandwidth"), attributes: v.strictObject({ rate: count }) }),
  v.strictObject({
    ...faultShape,
    type: v.literal("slow_close"),
    attributes: v.exactOptional(v.strictObject({ delay: v.exactOptional(count) })),
  }),
  v.strictObject({
    ...faultShape,
    type: v.picklist(["timeout", "reset_peer"]),
    attributes: v.exactOptional(v.strictObject({ timeout: v.exactOptional(count) })),
  }),
  v.strictObject({
    ...faultShape,
    type: v.literal("slicer"),
    attributes: v.strictObject({
      average_size: v.pipe(v.number(), v.integer(), v.minValue(1)),
      size_variation: v.exactOptional(count),
      delay: v.exactOptional(count),
    }),
  }),
  v.strictObject({
    ...faultShape,
    type: v.picklist(["limit_data", "truncate"]),
    attributes: v.strictObject({ bytes: count }),
  }),
  v.strictObject({ ...faultShape, type: v.literal("down"), attributes: v.exactOptional(v.strictObject({})) }),
  v.strictObject({
    ...faultShape,
    type: v.literal("http_status"),
    attributes: v.strictObject({ status: v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)) }),
  }),
  v.strictObject({
    ...faultShape,
    type: v.literal("failure"),
    attributes: v.strictObject({ code: v.picklist(PROXY_ERROR_CODES) }),
  }),
]);

export const faults: v.GenericSchema<VpcFault[]> = v.array(fault);

/** `parseFaultList` checks each of them. */
export const faultList: v.GenericSchema<unknown[]> = v.array(v.unknown(), "an array of faults");
