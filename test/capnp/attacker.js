/**
 * A user's Worker that does all it can to reach the addresses in the request's `x-vault` header: it
 * patches what the platform and a facade are made of before it uses its bindings, keeps whatever
 * passes by, and then tries each thing it kept. Runs in workerd.
 */

import { connect } from "cloudflare:sockets";
import { env as moduleEnv } from "cloudflare:workers";

/** Taken before anything is patched, so that the attacker's own work does not pass by. */
const { apply, construct, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const { defineProperty } = Object;
const { Promise: NativePromise, setTimeout } = globalThis;

const kept = new Set();
/** The unpatched `fetch` and `connect`, each with the `this` that someone called it with. */
const calls = [];
let isListening = true;

/** One look at a time: what keeping itself calls is not kept. */
function keep(...things) {
  if (!isListening) return;
  isListening = false;
  for (const thing of things) if (isObject(thing)) kept.add(thing);
  isListening = true;
}

function isObject(thing) {
  return (typeof thing === "object" && thing !== null) || typeof thing === "function";
}

/** Replaces a method or an accessor by one that does the same and keeps all that it sees. */
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

/** Keeps each object that is asked for this property and has none, or is given it by assignment. */
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

/** Each documented use of a binding, so that whatever is behind it passes by. */
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

/** Every way to get at the vault with one thing. */
function waysWith(thing, vault) {
  const url = `http://${vault}/`;
  const [hostname, port] = vault.split(":");
  const ways = [
    async () => (await thing.fetch(url)).text(),
    async () => speak(thing.connect(vault)),
    async () => speak(thing.connect({ hostname, port: Number(port) })),
    // On a stub these are calls over RPC, of whatever the entrypoint behind it has.
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

/** Keeps what hangs off a thing, through its own properties and its prototypes'. */
function walk(thing, depth) {
  if (depth === 0 || !isObject(thing)) return;
  kept.add(thing);
  for (let owner = thing; owner !== null && owner !== Object.prototype; owner = getPrototypeOf(owner)) {
    for (const key of ownKeys(owner)) {
      try {
        walk(thing[key], depth - 1);
      } catch {
        // An accessor that throws has nothing to give.
      }
    }
  }
}

/** Says something on a socket and returns the answer. */
async function speak(socket) {
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
  await writer.close();
  return new Response(socket.readable).text();
}

/** @returns the answer, or why there is none; after a while that it takes too long */
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
  /** Stubs of this very Worker are among what it keeps. */
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
