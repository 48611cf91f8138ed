/** Invalid answers of a vpc config, each with its exact messages. */

import type { InvalidConfig } from "./invalid-case.ts";

/** What is written as "respond", and what is reported. It is alone on line 3, from column 1. */
const answers: [title: string, written: string, expected: string[]][] = [
  [
    "an answer that is a text",
    '"hello"',
    [
      '1: error: the answer is "hello", but must be an object [invalid-answer]',
      '    Write { "status": 200, "json": … }.',
    ],
  ],
  [
    "an empty list of answers",
    "[]",
    ['1: error: "respond" is an empty list [invalid-answer]', '    Write [{ "when": "GET /users/:id", "json": … }].'],
  ],
  [
    "every mistake in an answer",
    '{ "stauts": 200, "status": 99, "headers": { "x y": "1", "x-count": 5 }, "delay": -1, "text": 5 }',
    [
      '3: error: "stauts" is not a field of an answer [invalid-answer]',
      '    Did you mean "status"?',
      '28: error: "status" of the answer is 99, but must be a whole number from 200 to 599 [invalid-answer]',
      '52: error: the header "x y" of the answer can\'t be sent as "1" [invalid-answer]',
      '68: error: the header "x-count" of the answer is 5, but must be a string [invalid-answer]',
      '    Write "5".',
      '82: error: "delay" of the answer is -1, but must be milliseconds from 0 to 300000 [invalid-answer]',
      '94: error: "text" of the answer is 5, but must be a string [invalid-answer]',
      '    Write a value as "json".',
    ],
  ],
  [
    "mistakes in lists of one header's values",
    '{ "headers": { "set-cookie": ["a=1", 5], "x-none": [], "x-odd": ["\\n\\u0000"] } }',
    [
      '38: error: the header "set-cookie" of the answer is 5, but must be a string [invalid-answer]',
      '    Write "5".',
      '42: error: the header "x-none" of the answer is an empty list [invalid-answer]',
      "    Remove it, or write a value.",
      String.raw`66: error: the header "x-odd" of the answer can't be sent as "\n\u0000" [invalid-answer]`,
    ],
  ],
  [
    "two bodies",
    '{ "json": {}, "text": "" }',
    ['15: error: an answer has one body, but this one has "json" and "text" [invalid-answer]', "    Keep one of them."],
  ],
  [
    "a body with a status that has none",
    '{ "status": 204, "json": {} }',
    [
      "18: error: an answer with the status 204 has no body [invalid-answer]",
      '    Remove "json", or change the status.',
    ],
  ],
  [
    "bytes that are not base64",
    '{ "bytes": "a b!" }',
    ['12: error: "bytes" of the answer is not base64 [invalid-answer]', '    Write a text as "text".'],
  ],
  [
    "a file that is missing, and one that is a folder",
    '[{ "when": "/a", "file": "none.json" }, { "file": "." }]',
    [
      '26: warning: the file of the answer "none.json" does not exist [answer-file-not-found]',
      "    A call that it is for fails with destination_unavailable until the file is there.",
      "    Its full path is FOLDER/none.json.",
      '51: warning: the file of the answer "." is not a file [answer-file-not-found]',
      "    A call that it is for fails with destination_unavailable until the file is there.",
      "    Its full path is FOLDER.",
    ],
  ],
  [
    "a when outside of a list",
    '{ "when": "GET /", "text": "" }',
    [
      '3: error: "when" is for a list of answers, but this is one answer [invalid-answer]',
      '    Write a list: "respond": [{ "when": "GET /users/:id", "json": … }].',
    ],
  ],
  [
    "every mistake in a when",
    '[{ "when": "users" }, { "when": { "metod": "GET", "method": 5, "path": "/a?b=1", "headers": { "x": 1 }, "query": 2, "body": { "regexp": "(" } } }]',
    [
      '12: error: the call "users" is neither "METHOD /path" nor "/path"; its path begins with "/", without a host [invalid-answer]',
      '35: error: "metod" is not a field of a call [invalid-answer]',
      '    Did you mean "method"?',
      '61: error: the method of the call is 5, but must be "GET", "POST", … [invalid-answer]',
      '72: error: the path "/a?b=1" has a query; a path is compared without it [invalid-answer]',
      '    Write { "path": …, "query": { "name": "value" } }.',
      '100: error: "headers.x" of the call is 1, but must be a text or a regular expression [invalid-answer]',
      '    Write "text" or { "regexp": "^text" }.',
      '114: error: "query" of the call is 2, but must be an object of names and values [invalid-answer]',
      '125: error: "body" of the call is not a regular expression: Invalid regular expression: /(/: Unterminated group [invalid-answer]',
    ],
  ],
  [
    "a method that no Worker can send",
    '[{ "when": "GTE /x" }, { "when": { "method": "fetch" } }, { "when": "PURGE /x" }]',
    [
      '12: warning: no request has the method "GTE", because a Worker can\'t send it [unknown-method]',
      '    Did you mean "GET"?',
      '34: warning: no request has the method "FETCH", because a Worker can\'t send it [unknown-method]',
      "    Valid: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, TRACE, QUERY, PURGE, BAN, COPY, LOCK, MKCOL, MOVE, PROPFIND, PROPPATCH, SEARCH, UNLOCK, ACL, REPORT, MKACTIVITY, CHECKOUT, MERGE, MSEARCH, NOTIFY, SUBSCRIBE, UNSUBSCRIBE.",
    ],
  ],
  [
    "texts that look like regular expressions",
    '[{ "when": { "headers": { "x": "/^a/" }, "query": { "path": "/a/b/" }, "body": "/a|b/i" } }]',
    [
      '32: warning: "/^a/" is compared as a text, not as a regular expression [text-like-regexp]',
      '    Write { "regexp": "^a" }.',
      '80: warning: "/a|b/i" is compared as a text, not as a regular expression [text-like-regexp]',
      '    Write { "regexp": "a|b", "flags": "i" }.',
    ],
  ],
  [
    "names in braces that the path lacks",
    '[{ "when": "/users/:id", "json": { "list": ["{idd}"] } }, { "when": "/a", "text": "a {id}" }, { "when": "/b", "headers": { "content-type": "text/css", "x": "{n}" }, "text": "a{color}" }]',
    [
      '45: warning: "{idd}" stays as it is, because the path of the answer\'s "when" has no ":idd" [unknown-parameter]',
      '    Did you mean "{id}"?',
      '83: warning: "{id}" stays as it is, because the path of the answer\'s "when" has no ":id" [unknown-parameter]',
      '    Name a part of the path: "when": "/users/:id".',
      '157: warning: "{n}" stays as it is, because the path of the answer\'s "when" has no ":n" [unknown-parameter]',
      '    Name a part of the path: "when": "/users/:n".',
    ],
  ],
  [
    "an answer that is never given",
    '[{ "text": "all" }, { "when": "GET /", "text": "" }]',
    [
      "21: warning: this answer is never given, because the one before it is for every request [unreachable-answer]",
      '    The first answer that matches is given. Move the one without a "when" to the end.',
    ],
  ],
];

/** A value of a route and of a service, and what is reported of it for each. */
const misplaced: [title: string, written: string, ofRoute: string[], ofService: string[]][] = [
  [
    "an object in place of a text",
    '{ "openapi": "./a.yaml" }',
    ["1: error: the target is an object, but must be a string [invalid-target]", '    Write "openapi:./a.yaml".'],
    ["1: error: the target is an object, but must be a string [invalid-target]", '    Write "openapi:./a.yaml".'],
  ],
  [
    "a URL as an object",
    '{ "http": "//localhost:3000" }',
    ["1: error: the target is an object, but must be a string [invalid-target]", '    Write "http://localhost:3000".'],
    ["1: error: the target is an object, but must be a string [invalid-target]", '    Write "http://localhost:3000".'],
  ],
  [
    "an OpenAPI document without a name",
    '"openapi:"',
    [
      '1: error: the target "openapi:" names no file [invalid-target]',
      '    Write "openapi:./users.yaml": a path from the folder of the vpc config.',
    ],
    [
      '1: error: the target "openapi:" names no file [invalid-target]',
      '    Write "openapi:./users.yaml": a path from the folder of the vpc config.',
    ],
  ],
  [
    "a recording without a name",
    '"har:"',
    [
      '1: error: the target "har:" names no file [invalid-target]',
      '    Write "har:./users.har": a path from the folder of the vpc config.',
    ],
    [
      '1: error: the target "har:" names no file [invalid-target]',
      '    Write "har:./users.har": a path from the folder of the vpc config.',
    ],
  ],
  [
    "a rate limit beside an answer",
    '{ "respond": {}, "rateLimit": null }',
    [
      '18: error: "rateLimit" is not a field of a target [unknown-field]',
      "    Move it to the entry of the network or of the service, or to the top of the vpc config.",
    ],
    [
      '18: error: "rateLimit" is not a field of a target [unknown-field]',
      '    Write { "target": { "respond": … }, "rateLimit": … }.',
    ],
  ],
  [
    "a setting in the target of an entry",
    '{ "target": { "respond": {}, "faults": [] } }',
    [
      '30: error: "faults" is not a field of a target [unknown-field]',
      '    Move it out of "target", to stand beside it.',
    ],
    [
      '30: error: "faults" is not a field of a target [unknown-field]',
      '    Move it out of "target", to stand beside it.',
    ],
  ],
  [
    "an answer beside a target",
    '{ "target": "localhost:1", "respond": {} }',
    [
      '28: error: "respond" is not a field of a route [unknown-field]',
      '    Write "target": { "respond": … }, in place of the "target" that is there.',
    ],
    [
      '28: error: "respond" is not a field of a service that is just a target [unknown-field]',
      '    Write "target": { "respond": … }, in place of the "target" that is there.',
    ],
  ],
];

export const invalidAnswers: InvalidConfig[] = [
  ...misplaced.map(([title, written, ofRoute, ofService]) => ({
    title,
    config: `{ "networks": { "NET": { "routes": { "a.internal":\n${written}\n} } }, "services": { "API":\n${written}\n} }`,
    expected: [
      ...ofRoute.map((line) => (line.startsWith(" ") ? line : `vpc.jsonc:2:${line}`)),
      ...ofService.map((line) => (line.startsWith(" ") ? line : `vpc.jsonc:4:${line}`)),
    ],
  })),
  ...answers.map(([title, written, expected]) => ({
    title,
    config: `{ "networks": { "NET": { "routes": { "a.internal": { "respond":\n\n${written}\n} } } } }`,
    expected: expected.map((line) => (line.startsWith(" ") ? line : `vpc.jsonc:3:${line}`)),
  })),
  {
    title: "an answer with settings of its route, and in a service",
    config: `{ "networks": { "NET": { "routes": { "a.internal": { "respond": {}, "faults": [] } } } },
"services": { "API": { "name": "api", "type": "tcp", "tcp_port": 1, "host": { "hostname": "a.internal", "resolver_network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } }, "target": { "respond": {} } } } }`,
    expected: [
      'vpc.jsonc:1:69: error: "faults" is not a field of a target [unknown-field]',
      '    Write { "target": { "respond": … }, "faults": … }.',
      'vpc.jsonc:2:194: error: the target is a stand-in, which answers HTTP only, but the service is "type": "tcp" [wrong-target]',
      '    Write a target that speaks TCP, such as "localhost:5432".',
    ],
  },
  {
    title: "an answer in TOML",
    file: "vpc.toml",
    config: `[networks.NET.routes]\n"a.internal" = { respond = { status = 99 } }\n`,
    expected: [
      'vpc.toml:2:39: error: "status" of the answer is 99, but must be a whole number from 200 to 599 [invalid-answer]',
    ],
  },
  ...[3000, 20_000].map((levels) => ({
    title: `an answer of ${levels} levels in a module`,
    file: "vpc.config.mjs",
    config: `let json = 1;
for (let level = 0; level < ${levels}; level++) json = [json];
export default { services: { API: { target: { respond: { json } } } } };`,
    expected: [
      'vpc.config.mjs:3:47: error: "json" of the answer can\'t be written as JSON: the nesting is deeper than 500 levels [invalid-answer]',
    ],
  })),
  {
    title: "an answer in a module",
    file: "vpc.config.ts",
    config: `export default { networks: { NET: { routes: {
  "a.internal": { respond: { json: { big: 1n } } },
} } } };`,
    expected: [
      'vpc.config.ts:2:30: error: "json" of the answer can\'t be written as JSON: Do not know how to serialize a BigInt [invalid-answer]',
    ],
  },
];
