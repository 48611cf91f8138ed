/** The types behind `vpc`, which each entry of `miniflare-vpc/test` exports. */

export type { ProxyErrorCode } from "../../service-worker/routing/error-codes.ts";
export type { PlainAnswer } from "../scenario/answer.ts";
export type { Fault, FaultOf, FaultType, Stream } from "../scenario/faults/fault.ts";
export type { Body, EntryBase, VpcConnection, VpcRequest } from "./entries.ts";
export type { Answer, ConnectContext, RespondContext } from "./port.ts";
export type { Calls, Connect, Entries, Respond, Rule, Text, Vpc, VpcCall, VpcCallParts } from "./vpc.ts";
