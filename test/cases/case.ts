/** One row of a table that runs in Node and in workerd alike: what is computed, what must come out. */
export interface Case {
  title: string;
  /** Plain JSON data, for the answer crosses from workerd. */
  actual: () => unknown;
  expected: unknown;
}
