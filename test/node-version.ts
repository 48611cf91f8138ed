/** Before any test: the Node that runs is the pinned devDependency, not whatever the machine has. */

import manifest from "../package.json" with { type: "json" };

export default function assertNodeVersion(): void {
  const pinned = `v${manifest.devDependencies.node}`;
  if (process.version !== pinned) {
    throw new Error(
      `The tests run on Node ${process.version}, but package.json pins ${pinned}. Start them with "npm test"; ` +
        `if npm was told to ignore scripts, type "npm rebuild node" first.`,
    );
  }
}
