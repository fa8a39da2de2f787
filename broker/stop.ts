import type { Session } from "./session.ts";

/**
 * Lets what is being kept be kept and acknowledged, then closes all sessions. `leftMs` says how much time there still
 * is; when it is over, the sockets are destroyed as they are.
 */
export async function endSessions(
  open: ReadonlySet<Session>,
  stopGate: () => Promise<void>,
  leftMs: () => number,
): Promise<void> {
  const idle = stopGate(); // first, so that no last will gets through
  for (const session of open) {
    if (session.client.connected) session.client.pause();
    else session.client.close();
  }
  await within(leftMs(), idle);
  const closed = [...open].map(endSession);
  await within(leftMs(), Promise.all(closed));
  for (const session of open) session.client.close();
}

/** Sends what is in the socket and waits for the other side to close. */
function endSession({ client }: Session): Promise<void> {
  const { conn } = client;
  return new Promise((resolve) => {
    conn.once("close", () => resolve());
    // Destroying a socket with unread data resets it, and the last PUBACKs could be lost on the way: read it away.
    conn.removeAllListeners("readable");
    conn.resume();
    conn.end();
  });
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms));
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
