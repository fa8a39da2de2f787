/** A subscription of a session that outlives its connection; the options are of MQTT 5. */
export type KeptSubscription = {
  readonly topic: string;
  readonly qos: number;
  readonly nl?: boolean;
  readonly rap?: boolean;
  readonly identifier?: number;
};

/** What is kept of an MQTT client of a user while it is away: not its messages, but up to where it has had them. */
export type KeptSession = {
  readonly name: string;
  readonly clientId: string;
  readonly subscriptions: readonly KeptSubscription[];
  /** The number of the last change of an alert that it has had, and all before it. */
  readonly cursor: number;
  /** How long it is kept once its client is away. */
  readonly expiryS: number;
  /** Epoch milliseconds; undefined while its client is there. */
  readonly endsAt?: number;
};

/** Changes of alerts that a client has missed, as MQTT messages, oldest first. */
export type Replay = {
  readonly publications: readonly { readonly topic: string; readonly payload: string; readonly event: number }[];
  /** The number of the last change that was looked at. */
  readonly to: number;
  /** Whether that was the last one told so far. */
  readonly isLast: boolean;
  /** So many are not kept any more, at most. */
  readonly missed: number;
};

/** Where sessions are kept. */
export type SessionKeeper = {
  /** Resolves when it is on disk, with the cursor: of a new one the last change told so far. */
  save(session: Omit<KeptSession, "cursor" | "endsAt">): Promise<number>;
  forget(name: string, clientId: string): void;
  progress(session: Pick<KeptSession, "name" | "clientId" | "cursor" | "endsAt">): void;
  replay(after: number): Promise<Replay>;
};
