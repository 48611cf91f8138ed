/** Calls its bindings all the time, and checks every answer. Reports failures with their times. Runs in workerd. */

const LONG = 30_000;
/** Milliseconds to wait after a failure, to call a target that is down less often. */
const PAUSE = 25;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const ops = {
  /** `hosts`: each target's `name`, with its `url` on the direct path or through the egress proxy. */
  async requests(env, { hosts, count, concurrency, first }) {
    return runAll({ count, concurrency, first }, async (id) => {
      const { name, url } = hosts[id % hosts.length];
      const method = ["GET", "GET", "GET", "PUT", "POST"][id % 5];
      const size = id % 97 === 0 ? 100_001 : id % 13;
      const body = method === "POST" || method === "PUT" ? "y".repeat(id % 89 === 0 ? 150_000 : id % 700) : undefined;
      const about = { target: name, url, isReplayable: method === "GET", stage: "request" };
      return [
        about,
        async () => {
          const response = await env.NET.fetch(`${url}/${id}/${size}`, { method, body });
          about.stage = "body";
          const text = await response.text();
          const expected = `${name} ${id} ${body?.length ?? 0}\n${"x".repeat(size)}`;
          if (text !== expected)
            throw new Wrong(
              `${text.slice(0, 60)} (${text.length}) instead of ${expected.slice(0, 60)} (${expected.length})`,
            );
        },
      ];
    });
  },

  async sockets(env, { hosts, count, concurrency, first }) {
    return runAll({ count, concurrency, first }, async (id) => {
      const { name, address } = hosts[id % hosts.length];
      const about = { target: name, url: address, isReplayable: false, stage: "connect" };
      return [
        about,
        async () => {
          const socket = await env.NET.connect(address);
          about.stage = "relay";
          try {
            const sent = `${id} `.repeat(id % 50 === 0 ? 20_000 : 1 + (id % 40));
            const writer = socket.writable.getWriter();
            const writing = writer.write(encoder.encode(sent)).then(() => writer.close());
            const received = await new Response(socket.readable).text();
            if (!sent.startsWith(received)) throw new Wrong(`${received.slice(0, 60)} instead of ${sent.slice(0, 60)}`);
            if (received.length < sent.length) throw new Error("ended early");
            await writing;
          } finally {
            await socket.close().catch(() => undefined);
          }
        },
      ];
    });
  },

  /** Opens all at once, and uses each until the last one is open. */
  async atOnce(env, { addresses }) {
    const sockets = await Promise.all(addresses.map((address) => env.NET.connect(address)));
    const answers = await Promise.all(
      sockets.map(async (socket, index) => {
        const writer = socket.writable.getWriter();
        const reader = socket.readable.getReader();
        for (let round = 0; round < 3; round++) {
          const sent = `${index}/${round}`;
          await writer.write(encoder.encode(sent));
          const { value } = await reader.read();
          if (decoder.decode(value) !== sent) return `${decoder.decode(value)} instead of ${sent}`;
        }
        writer.releaseLock();
        reader.releaseLock();
        return "good";
      }),
    );
    await Promise.all(sockets.map((socket) => socket.close()));
    return answers.filter((answer) => answer !== "good");
  },

  async ask(env, { url }) {
    return (await env.NET.fetch(url)).text();
  },

  /** @returns the answers in a given time, each with its start and end */
  async watch(env, { url, concurrency, time }) {
    const end = Date.now() + time;
    const answers = [];
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        while (Date.now() < end) {
          const started = Date.now();
          const answer = await env.NET.fetch(url)
            .then((response) => response.text())
            .catch(String);
          answers.push([started, Date.now(), answer]);
        }
      }),
    );
    return answers;
  },

  /** As `watch`, of connections to a server that sends back what it gets: "origin" is a whole answer. */
  async echoes(env, { url, concurrency, time }) {
    const end = Date.now() + time;
    const answers = [];
    const talk = async () => {
      const socket = await env.NET.connect(url);
      const writer = socket.writable.getWriter();
      // A fault may end the connection while this is written.
      const writing = writer.write(encoder.encode("origin")).then(
        () => writer.close(),
        () => undefined,
      );
      const text = await new Response(socket.readable).text();
      await writing.catch(() => undefined);
      if (!"origin".startsWith(text)) throw new Wrong(`got ${text}`);
      return text === "origin" ? text : "ended early";
    };
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        while (Date.now() < end) {
          const started = Date.now();
          const answer = await talk().catch(String);
          answers.push([started, Date.now(), answer]);
        }
      }),
    );
    return answers;
  },
};

class Wrong extends Error {}

async function runAll({ count, concurrency, first }, prepare) {
  const failures = [];
  let next = first;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < first + count) {
        const id = next++;
        const started = Date.now();
        const [about, act] = await prepare(id);
        let timer;
        const hang = new Promise((_, reject) => (timer = setTimeout(() => reject(new Wrong("hangs")), LONG)));
        try {
          await Promise.race([act(), hang]);
        } catch (error) {
          failures.push({
            ...about,
            id,
            started,
            ended: Date.now(),
            isWrong: error instanceof Wrong,
            message: String(error.message),
          });
          await scheduler.wait(PAUSE);
        } finally {
          clearTimeout(timer);
        }
      }
    }),
  );
  return failures;
}

export default {
  async fetch(request, env) {
    const { op, argument } = await request.json();
    return Response.json(await ops[op](env, argument));
  },
};
