/** A call that can't be carried out as it was typed. The message is a sentence behind "miniflare-vpc COMMAND: ". */

export class UsageError extends Error {
  override readonly name = "UsageError";
}
