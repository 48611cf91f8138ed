/** HAR files that can't be replayed, and the diagnostic of each. */

import { harOf } from "./make-har.ts";

export interface BrokenFile {
  title: string;
  /** Absent: there is no file. */
  content?: string | Uint8Array;
  /** The first line of the diagnostic. */
  says: string;
}

const entry = (text: string): string => `{"log":{"entries":[\n${text}\n]}}`;
const REQUEST = '"request":{"method":"GET","url":"http://users.internal/"}';
const cannot = 'the recording "FOLDER/x.har" can\'t be replayed:';
const at = (place: string, text: string): string => `x.har:${place}: error: ${cannot} ${text} [broken-recording]`;

export const BROKEN_FILES: BrokenFile[] = [
  {
    title: "absent",
    says: `vpc.jsonc:1:20: error: ${cannot} it does not exist [broken-recording]`,
  },
  { title: "empty", content: "", says: at("1:1", "it is not JSON: it ends where a value should be") },
  { title: "not JSON", content: "GET / HTTP/1.1", says: at("1:1", 'it is not JSON: "GET" is not a JSON value') },
  {
    title: "cut off in a text",
    content: harOf([{ url: "/" }]).slice(0, 30),
    says: at("3:18", "it is not JSON: it ends inside of a text"),
  },
  {
    title: "cut off between entries",
    content: '{"log":{"entries":[\n{},',
    says: at("2:1", 'its entry 1 has no "request.method"'),
  },
  {
    title: "with a comma too many",
    content: `{"log":{"entries":[\n{${REQUEST},"response":{"status":200,}}\n]}}`,
    says: at("2:85", 'it is not JSON: "}" stands where a name in quotes should be'),
  },
  { title: "a list", content: "[]", says: at("1:1", "it is not a HAR file: its value is not an object") },
  {
    title: "without a log",
    content: "{}",
    says: `vpc.jsonc:1:20: error: ${cannot} it is not a HAR file: it has no "log.entries" [broken-recording]`,
  },
  {
    title: "whose log is a text",
    content: '{"log":"x"}',
    says: at("1:8", 'it is not a HAR file: "log" is not an object'),
  },
  {
    title: "whose entries are an object",
    content: '{"log":{"entries":{}}}',
    says: at("1:19", 'it is not a HAR file: "log.entries" is not a list'),
  },
  { title: "with an entry that is a number", content: entry("7"), says: at("2:1", "its entry 1 is not an object") },
  {
    title: "with a status that is a text",
    content: entry(`{${REQUEST},"response":{"status":"200"}}`),
    says: at("2:81", '"response.status" of its entry 1 is not a number'),
  },
  {
    title: "with a URL that is a path",
    content: entry('{"request":{"method":"GET","url":"/users"},"response":{"status":200}}'),
    says: at("2:34", 'the URL "/users" of its entry 1 is not an absolute URL'),
  },
  {
    title: "that names a missing file",
    content: entry(`{${REQUEST},"response":{"status":200,"content":{"_file":"a.json"}}}`),
    says: at("2:104", 'its "_file" "a.json" is missing'),
  },
  {
    title: "that names a file elsewhere",
    content: entry(`{${REQUEST},"response":{"status":200,"content":{"_file":"../../etc/passwd"}}}`),
    says: at("2:104", 'its "_file" "../../etc/passwd" is outside of its folder'),
  },
  {
    title: "a zip",
    content: Buffer.from("PK\u0003\u0004rest"),
    says: `vpc.jsonc:1:20: error: ${cannot} it is a zip file; unzip it, and name the .har file in it [broken-recording]`,
  },
  {
    title: "in UTF-16",
    content: Buffer.from("\uFEFF{}", "utf16le"),
    says: `vpc.jsonc:1:20: error: ${cannot} it is in UTF-16; save it as UTF-8 [broken-recording]`,
  },
];
