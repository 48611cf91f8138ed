/** Measures the processor time of this process, so that a busy machine doesn't change the result. */

/** @returns a function that returns the processor time since this call, in milliseconds, of all threads */
export function startCpuTime(): () => number {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
}
