/** The server's side of TLS on a connection that was accepted. */

import type net from "node:net";
import tls from "node:tls";
import type { Certified } from "./tls-certificates.ts";

export type SecureSide = tls.TLSSocket;

/** Ends and resets the connection as the given socket does. */
export function secureServerSide(socket: net.Socket, certified: Certified): SecureSide {
  const secure = new tls.TLSSocket(socket, { isServer: true, ALPNProtocols: ["http/1.1"], ...certified });
  secure.on("error", () => socket.destroy());
  secure.resetAndDestroy = () => {
    socket.resetAndDestroy();
    return secure;
  };
  return secure;
}
