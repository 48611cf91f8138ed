/** The results of a soak: figures to read, and expectations that decide the exit code. */

export interface Report {
  progress(text: string): void;
  figure(what: string, value: number | string, note?: string): void;
  /** @param violations the expectation holds if there are none */
  expect(what: string, violations: readonly unknown[]): void;
}

/** The number of violations to print. */
const MAX_SHOWN = 5;

export function startReport(): Report & { finish(): number } {
  const started = Date.now();
  let failed = 0;
  let held = 0;
  return {
    progress: (text) => console.log(`  … ${text} (${Math.round((Date.now() - started) / 1000)} s)`),
    figure: (what, value, note = "") => console.log(`  ${what.padEnd(48)} ${String(value).padStart(12)}  ${note}`),
    expect(what, violations) {
      if (violations.length === 0) held++;
      else failed++;
      console.log(
        `${violations.length === 0 ? "✓" : "✘"} ${what}${violations.length === 0 ? "" : `: ${violations.length}`}`,
      );
      for (const violation of violations.slice(0, MAX_SHOWN)) console.log(`    ${JSON.stringify(violation)}`);
    },
    finish() {
      console.log(`${held} held, ${failed} did not, ${Math.round((Date.now() - started) / 1000)} s`);
      return failed === 0 ? 0 : 1;
    },
  };
}
