/** Variables and .env files, as Docker Compose reads them. */

import { expect, test } from "vitest";

import { interpolate } from "../../plugin/compose/interpolate.ts";
import { parseEnvFile } from "../../plugin/compose/parse-env.ts";
import { startCpuTime } from "../setup/cpu-time.ts";

const VARIABLES: Record<string, string> = { SET: "set", EMPTY: "", JSON: '{"a":{}}', lower_1: "low" };
const lookup = (name: string): string | undefined => VARIABLES[name];

test.each([
  ["", ""],
  ["plain", "plain"],
  ["$SET ${SET} $lower_1", "set set low"],
  ["$SET-x$SET.y", "set-xset.y"],
  ["$$SET $${SET} $$$SET", "$SET ${SET} $set"],
  ["a $ b, ^x$, $}, $1, $-", "a $ b, ^x$, $}, $1, $-"],
  ["${NOT:-a}${NOT-b}${EMPTY:-c}${EMPTY-d}${SET:-e}", "abcset"],
  ["${NOT:+a}${NOT+b}${EMPTY:+c}${EMPTY+d}${SET:+e}", "de"],
  ["${SET:?no}${SET?no}${EMPTY?no}", "setset"],
  ["${NOT:-${EMPTY:-$SET ${SET}}}!", "set set!"],
  ["${NOT:-/a:-b:?c}", "/a:-b:?c"],
  ['${NOT:-{"a":{}}}|$JSON', '{"a":{}}|{"a":{}}'],
  ["${SET:-${BROKEN}}", "set"],
  ["${NOT:-$$SET}", "$SET"],
])("%s", (template, text) => {
  expect(interpolate(template, lookup)).toEqual({ text, unset: [] });
});

test("a variable that is not set is empty, and listed if it is used", () => {
  expect(interpolate("$NOT-${ALSO}-${NOT:-${HERE}}-${SET:-$NEVER}-${NOT:+$NEVER}", lookup)).toEqual({
    text: "---set-",
    unset: ["NOT", "ALSO", "HERE"],
  });
});

test.each([
  ["${"],
  ["${}"],
  ["${ }"],
  ["${ SET}"],
  ["${SET }"],
  ["${SET!}"],
  ["${SET:=x}"],
  ["${SET:-${}}"],
  ["${SET"],
  ["${NOT:-${}}"],
])("%s is an invalid variable, unless nothing needs it", (template) => {
  const isNeeded = template !== "${SET:-${}}";
  expect("problem" in interpolate(template, lookup)).toBe(isNeeded);
});

test.each([
  ["${NOT:?}", 'the variable "NOT" must be set'],
  ["${EMPTY:?say $SET}", 'the variable "EMPTY" must be set: say set'],
  ["${NOT?say ${SET}}", 'the variable "NOT" must be set: say set'],
])("%s", (template, problem) => {
  expect(interpolate(template, lookup)).toMatchObject({ problem });
});

test.each<[title: string, source: string, values: Record<string, string>]>([
  ["spaces", "A=1\n B = 2 \nC= my words \n\n\tD=\n", { A: "1", B: "2", C: "my words", D: "" }],
  ["a colon, export, and no newline at the end", "A: 1\nexport B=2\nexport C", { A: "1", B: "2" }],
  ["comments", "# A=1\nB=2 # two\nC=a#b\nD= #c\n#", { B: "2", C: "a#b", D: "#c" }],
  ["single quotes", "A='a $SET \\n # \"b\"' # c\nB='it\\'s'\nC=''", { A: 'a $SET \\n # "b"', B: "it's", C: "" }],
  [
    "double quotes",
    'A="a $SET\\n\\t\\"b\\" # \'c\'"\nB="\\$SET \\\\ \\x"\nC=""',
    { A: "a set\n\t\"b\" # 'c'", B: "$SET \\ \\x", C: "" },
  ],
  ["several lines", "A='1\n2'\nB=\"3\n4\"\nC=5", { A: "1\n2", B: "3\n4", C: "5" }],
  [
    "earlier lines, and the process wins",
    "X=1\nY=$X-${SET}\nSET=other\nZ=$SET",
    { X: "1", Y: "1-set", SET: "other", Z: "set" },
  ],
  ["a byte order mark, and Windows line endings", "\uFEFFA=1\r\nB='2'\r\n", { A: "1", B: "2" }],
  ["names", "a.b-c[0]=1\nA_1=2", { "a.b-c[0]": "1", A_1: "2" }],
])(".env: %s", (_, source, values) => {
  const file = parseEnvFile(source, lookup);
  expect(file.problems).toEqual([]);
  expect(Object.fromEntries(file.values)).toEqual(values);
});

test("an unclosed quote ends at the end of its line", () => {
  const { values, problems } = parseEnvFile(`A='x\nB="y"\n!\nC=\\'1`, lookup);
  expect(Object.fromEntries(values)).toEqual({ B: "y", C: "\\'1" });
  expect(problems.map(({ line }) => line)).toEqual([1, 3]);
});

test("a file of many lines is read at once", () => {
  const count = 50_000;
  const source = Array.from({ length: count }, (_, index) => `A${index}=1\n!\n`).join("");
  const cpuTime = startCpuTime();
  const { values, problems } = parseEnvFile(source, lookup);
  // An implementation that copies the rest of the text for each line is quadratic, and exceeds this.
  expect(cpuTime()).toBeLessThan(5000);
  expect(values.size).toBe(count);
  expect(problems.at(-1)?.line).toBe(2 * count);
});
