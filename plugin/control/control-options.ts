/** What is asked of the control server, without the server. */

/** Where a session can be controlled. */
export interface ControlOptions {
  /** Absolute paths of the folders that the session is found by. */
  folders: string[];
  /** Absent: no TCP port. 0: any free one. */
  port?: number;
}

/** The environment variable that sets the token of the TCP port. */
export const TOKEN_VARIABLE = "MINIFLARE_VPC_TOKEN";
