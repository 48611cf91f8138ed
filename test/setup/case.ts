/** One case that runs in Node and in workerd: a computation and its expected result. */
export interface Case {
  title: string;
  /** JSON data, because the result comes from workerd. */
  actual: () => unknown;
  expected: unknown;
}
