/**
 * A user's Worker that tries everything to reach the addresses in the request's `x-vault` header. It patches the platform
 * before it uses its bindings, keeps every object that it sees, and then tries each of them. Runs in workerd.
 */

import { connect } from "cloudflare:sockets";
import { env as moduleEnv } from "cloudflare:workers";

/** Saved before the patches, so that the attacker doesn't see its own calls. */
const { apply, construct, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const { defineProperty } = Object;
const { Promise: NativePromise, setTimeout } = globalThis;

const kept = new Set();
/** Calls of the original `fetch` and `connect`, each with its `this`. */
const calls = [];
let isListening = true;

/** Doesn't listen to its own calls. */
function keep(...things) {
  if (!isListening) return;
  isListening = false;
  for (const thing of things) if (isObject(thing)) kept.add(thing);
  isListening = true;
}

function isObject(thing) {
  return (typeof thing === "object" && thing !== null) || typeof thing === "function";
}

/** Replaces a method or an accessor with one that does the same and keeps all objects that it sees. */
function spyOn(owner, key) {
  const descriptor = getOwnPropertyDescriptor(owner, key);
  if (descriptor === undefined || !descriptor.configurable || key === "constructor") return;
  for (const part of ["value", "get", "set"]) {
    const original = descriptor[part];
    if (typeof original !== "function") continue;
    descriptor[part] = function spy(...args) {
      const result = new.target === undefined ? apply(original, this, args) : construct(original, args, new.target);
      keep(this, result, ...args);
      if (isListening && (key === "fetch" || key === "connect")) calls[calls.length] = { original, self: this };
      return result;
    };
  }
  defineProperty(owner, key, descriptor);
}

function spyOnPrototypesOf(thing) {
  for (let owner = getPrototypeOf(thing); owner !== null && owner !== Object.prototype; owner = getPrototypeOf(owner)) {
    for (const key of ownKeys(owner)) spyOn(owner, key);
  }
}

/** Keeps each object that lacks this property when it is read, and each object that it is assigned to. */
function trapOnObjectPrototype(key) {
  defineProperty(Object.prototype, key, {
    configurable: true,
    get() {
      keep(this);
      return undefined;
    },
    set(value) {
      keep(this, value);
      defineProperty(this, key, { value, configurable: true, enumerable: true, writable: true });
    },
  });
}

class SpyingPromise extends NativePromise {
  constructor(executor) {
    super((resolve, reject) => {
      const spyingResolve = (value) => {
        keep(value);
        resolve(value);
      };
      executor(spyingResolve, reject);
    });
  }
}

function patchThePlatform() {
  for (const binding of Object.values(moduleEnv)) if (isObject(binding)) spyOnPrototypesOf(binding);
  for (const name of ["Promise", "Response", "Request", "Headers", "URL", "ReadableStream", "WritableStream"]) {
    for (const key of ownKeys(globalThis[name].prototype)) spyOn(globalThis[name].prototype, key);
  }
  for (const key of ["resolve", "reject", "race", "all", "withResolvers", "try"]) spyOn(NativePromise, key);
  for (const key of ["call", "apply", "bind"]) spyOn(Function.prototype, key);
  for (const key of ["defineProperty", "defineProperties", "assign", "freeze"]) spyOn(Object, key);
  for (const key of ownKeys(Reflect)) spyOn(Reflect, key);
  for (const key of ["exec", "test", Symbol.match]) spyOn(RegExp.prototype, key);
  for (const key of ["fetch", "setTimeout", "queueMicrotask"]) spyOn(globalThis, key);
  spyOn(getPrototypeOf(crypto), "randomUUID");
  for (const key of ["then", "binding", "outcomes", "network", "env", "inner", "socket"]) trapOnObjectPrototype(key);
  globalThis.Promise = SpyingPromise;
}

patchThePlatform();

/** Each documented use of a binding, so that the attacker sees the objects behind it. */
const USES = {
  fetch: async (binding, open) => (await binding.fetch(`http://${open}/`)).text(),
  connect: async (binding, open) => speak(await binding.connect(open)),
  "connect, opened": async (binding, open) => {
    const socket = binding.connect(open);
    await socket.opened;
    return speak(socket);
  },
};

async function useBindings(env, open) {
  const answers = {};
  for (const bindingName of ["API", "NET"]) {
    for (const [use, run] of Object.entries(USES)) {
      answers[`${bindingName}: ${use}`] = await attempt(() => run(env[bindingName], open));
    }
  }
  return answers;
}

/** Every way to reach the vault with an object. */
function waysWith(thing, vault) {
  const url = `http://${vault}/`;
  const [hostname, port] = vault.split(":");
  const ways = [
    async () => (await thing.fetch(url)).text(),
    async () => speak(thing.connect(vault)),
    async () => speak(thing.connect({ hostname, port: Number(port) })),
    // On a stub, these are calls of the entrypoint over RPC.
    async () => JSON.stringify(await thing.TABLE),
    async () => (await thing.EGRESS.fetch(url)).text(),
    async () => (await (await thing.env).NETWORK.fetch(url)).text(),
  ];
  if (typeof thing === "function") {
    ways.push(
      async () => speak(thing(vault)),
      async () => (await thing(url)).text(),
    );
  }
  return ways;
}

function waysWithCall({ original, self }, vault) {
  return [
    async () => speak(apply(original, self, [vault])),
    async () => (await apply(original, self, [`http://${vault}/`])).text(),
  ];
}

function waysWithout(vault, env) {
  return [
    async () => (await fetch(`http://${vault}/`)).text(),
    async () => speak(connect(vault)),
    async () => speak((await import("miniflare-vpc:binding")).default(env).connect(vault)),
    async () => speak((await import("cloudflare-internal:sockets")).default.connect(vault)),
  ];
}

/** Keeps the objects in the properties of an object and its prototypes. */
function walk(thing, depth) {
  if (depth === 0 || !isObject(thing)) return;
  kept.add(thing);
  for (let owner = thing; owner !== null && owner !== Object.prototype; owner = getPrototypeOf(owner)) {
    for (const key of ownKeys(owner)) {
      try {
        walk(thing[key], depth - 1);
      } catch {
        // The accessor throws, so it has no object.
      }
    }
  }
}

/** Sends a request on a socket. @returns the answer */
async function speak(socket) {
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
  await writer.close();
  return new Response(socket.readable).text();
}

/** @returns the answer, or the error, or a text after a time limit */
async function attempt(run) {
  const limit = new NativePromise((resolve) => setTimeout(resolve, 1500, "no answer in time"));
  try {
    return await NativePromise.race([run(), limit]);
  } catch (error) {
    keep(error);
    return String(error);
  }
}

export default {
  /** The kept objects include stubs of this Worker. */
  connect: (socket) => socket.close(),

  async fetch(request, env, ctx) {
    const open = request.headers.get("x-open");
    const vaults = request.headers.get("x-vault").split(" ");
    spyOnPrototypesOf(connect("nowhere.test:1"));
    const answers = await useBindings(env, open);

    isListening = false;
    for (const thing of [env, ctx, ...kept]) walk(thing, 3);
    const ways = [];
    for (const vault of vaults) {
      ways.push(...waysWithout(vault, env));
      for (const thing of kept) ways.push(...waysWith(thing, vault));
      for (const call of calls) ways.push(...waysWithCall(call, vault));
    }
    const results = await NativePromise.all(ways.map(attempt));
    const reached = results.filter((result) => typeof result === "string" && result.includes("the vault"));
    const fetchers = [...kept].filter((thing) => getPrototypeOf(thing)?.constructor?.name === "Fetcher").length;
    return Response.json({ answers, reached, attempts: ways.length, fetchers, calls: calls.length });
  },
};
