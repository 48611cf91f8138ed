/** A mistake in the command line. The message is a sentence that follows "miniflare-vpc COMMAND: ". */

export class UsageError extends Error {
  override readonly name = "UsageError";
}
