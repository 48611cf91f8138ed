/**
 * Replaces `${VARIABLE}` in a compose file or an .env file, as Docker Compose does. Pure.
 */

/** @returns the value of a variable; undefined if it is not set */
export type VariableLookup = (name: string) => string | undefined;

export interface Interpolated {
  text: string;
  /** Variables that are not set and have no default. Compose warns and replaces them with nothing. */
  unset: string[];
}

export interface InterpolationProblem {
  /** What is wrong: a sentence without a full stop. */
  problem: string;
  note: string;
}

const NAME = /^[a-z_]\w*/i;
const OPERATOR = /^:?[-+?]/;
/** In UTF-16 units. Variables that contain variables can grow beyond any machine's memory. */
const MAX_LENGTH = 100_000;
const FORMS = "Write ${NAME}, ${NAME:-default}, ${NAME:?message} or ${NAME:+replacement}. Write $$ for a literal $.";

export function interpolate(template: string, lookup: VariableLookup): Interpolated | InterpolationProblem {
  const unset: string[] = [];
  let text = "";
  for (let rest = template; rest !== "";) {
    if (text.length > MAX_LENGTH && text.length > template.length) {
      const start = JSON.stringify(template.slice(0, 40));
      return {
        problem: `the text that starts with ${start} has more than ${MAX_LENGTH} characters once its variables are replaced`,
        note: "Use shorter values for the variables.",
      };
    }
    const dollar = rest.indexOf("$");
    if (dollar === -1) return { text: text + rest, unset };
    text += rest.slice(0, dollar);
    rest = rest.slice(dollar + 1);
    if (rest.startsWith("$")) {
      text += "$";
      rest = rest.slice(1);
      continue;
    }
    if (rest.startsWith("{")) {
      const end = closingBrace(rest);
      const replaced = end === -1 ? undefined : replaceBraced(rest.slice(1, end), lookup);
      if (replaced === undefined)
        return { problem: `${JSON.stringify(template)} contains an invalid variable`, note: FORMS };
      if ("problem" in replaced) return replaced;
      text += replaced.text;
      for (const name of replaced.unset) unset.push(name);
      rest = rest.slice(end + 1);
      continue;
    }
    const [name] = NAME.exec(rest) ?? [];
    if (name === undefined) {
      // As in a shell, a $ before anything else is a plain $.
      text += "$";
      continue;
    }
    const value = lookup(name);
    if (value === undefined) unset.push(name);
    text += value ?? "";
    rest = rest.slice(name.length);
  }
  return { text, unset };
}

/** @param inside the text between the braces @returns undefined if it isn't a valid variable */
function replaceBraced(inside: string, lookup: VariableLookup): Interpolated | InterpolationProblem | undefined {
  const [name] = NAME.exec(inside) ?? [];
  if (name === undefined) return undefined;
  const value = lookup(name);
  const rest = inside.slice(name.length);
  if (rest === "") return { text: value ?? "", unset: value === undefined ? [name] : [] };
  const [operator] = OPERATOR.exec(rest) ?? [];
  if (operator === undefined) return undefined;
  const word = rest.slice(operator.length);
  // With a colon, empty counts as not set.
  const isSet = value !== undefined && !(operator.startsWith(":") && value === "");
  switch (operator.at(-1)) {
    case "-":
      return isSet ? { text: value, unset: [] } : interpolate(word, lookup);
    case "+":
      return isSet ? interpolate(word, lookup) : { text: value ?? "", unset: [] };
    default: {
      if (isSet) return { text: value, unset: [] };
      const message = interpolate(word, lookup);
      if ("problem" in message) return message;
      const reason = message.text === "" ? "" : `: ${message.text}`;
      return {
        problem: `the variable ${JSON.stringify(name)} must be set${reason}`,
        note: `Set it in .env beside the compose file, or in the environment.`,
      };
    }
  }
}

/** @param text starts with a brace @returns the index of its closing brace, or -1 */
function closingBrace(text: string): number {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === "{") depth++;
    else if (text[index] === "}" && --depth === 0) return index;
  }
  return -1;
}
