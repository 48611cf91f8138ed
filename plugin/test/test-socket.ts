/** The test's end of a WebSocket that its function answers with; `service-worker/test/test-socket.ts` has the other end. */

/** As workerd has it. */
interface WorkerdSocket extends WebSocket {
  accept(): void;
}

interface SocketEnd {
  message(data: string | ArrayBuffer): Promise<void>;
  close(code: number, reason: string): Promise<void>;
}

export function webSocketOf(response: Response): WorkerdSocket | undefined {
  return (response as { webSocket?: WorkerdSocket | null }).webSocket ?? undefined;
}

/** @returns an object whose methods become RPC stubs */
export function toTestSocket(response: Response, socket: WorkerdSocket): object {
  return {
    headers: [...response.headers],
    // Stubs are gone after the call that brought them, unless they are kept.
    open({ message, close }: { [Method in keyof SocketEnd]: StubOf<SocketEnd[Method]> }) {
      const toMessage = message.dup();
      const toClose = close.dup();
      const end = (): void => socket.close(1011, "the Worker's end broke off");
      socket.binaryType = "arraybuffer";
      socket.addEventListener("message", ({ data }) => void toMessage(data as string).catch(end));
      socket.addEventListener("close", ({ code, reason }) => void toClose(code, reason).catch(() => undefined));
      socket.accept();
    },
    message: (data: string | ArrayBuffer) => socket.send(data),
    close(code: number, reason: string) {
      if (code === 1005 || code === 1006) socket.close();
      else socket.close(code, reason);
    },
  };
}

type StubOf<Method> = Method & { dup(): StubOf<Method> };
