/** Checks before all tests that the pinned Node runs, not the system's. */

import manifest from "../../package.json" with { type: "json" };

export default function assertNodeVersion(): void {
  const pinned = `v${manifest.devDependencies.node}`;
  if (process.version !== pinned) {
    throw new Error(
      `The tests run on Node ${process.version}, but package.json pins ${pinned}. Start them with "npm test"; ` +
        `if npm was told to ignore scripts, type "npm rebuild node" first.`,
    );
  }
}
