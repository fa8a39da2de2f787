import { DAY_MS, HOUR_MS } from "../model/time.ts";

/** Everything the API accepts or keeps has a limit. Milliseconds and bytes as the names say. */
export const LIMITS = {
  /** Any body but readings. */
  bodyBytesMax: 64 * 1024,
  /** `POST /readings`: up to 500 readings. */
  readingsBodyBytesMax: 256 * 1024,
  /** Open connections, in all and of one address; see `connections.ts` for who goes when there are more. */
  connectionsMax: 2_000,
  connectionsPerAddressMax: 256,
  /** Requests in progress of one account, or of one address without an account. */
  requestsAtOnceMax: 100,
  /** The head of a request, and all of it, must have come by then. */
  headersMs: 5_000,
  requestMs: 15_000,
  /** A connection on which nothing moves is closed: also one whose client does not read its answer. */
  stalledMs: 30_000,
  /** Per account, without one per address: generous, because a gateway speaks for many sensors. */
  requestsPerMinuteMax: 30_000,
  /** `POST /readings` of one account; a person may send as many as a gateway. */
  readingRates: {
    device: { perSecond: 1_000, burst: 5_000 },
    gateway: { perSecond: 20_000, burst: 40_000 },
  },
  /** Wrong tokens from one address (IPv6: one /64) before the next wrong ones are told to wait. A right one never is. */
  authFailuresFree: 20,
  authBlockMaxMs: 60_000,
  /** Wrong passwords for one name from one address, or from one browser that has signed in before, until it has to wait. */
  signInFailuresFree: 10,
  signInBlockMaxMs: 300_000,
  /** scrypt, for passwords that people choose. Of the settings that OWASP calls equal, one with 32 MiB; some 0.2 s each. */
  passwordCost: { N: 2 ** 15, r: 8, p: 3 },
  /** A wrong password is answered no sooner, whether or not there is such a name: the time tells nothing. */
  signInFailedAfterMs: 1_000,
  /** Failures are forgotten so long after the last one from there. */
  failuresForgetMs: HOUR_MS,
  /** A session ends so long after its last request, and after its start. */
  sessionIdleMs: 12 * HOUR_MS,
  sessionMaxMs: 7 * DAY_MS,
  /** The least recently used goes first. */
  sessionsPerAccountMax: 20,
  /** Addresses, and pairs of a name and an address, that are remembered for their failures and their rate. */
  addressesMax: 10_000,
  /** Queries that run, of all and of one account, and that wait; the store has two threads for them by default. */
  queriesMax: 3,
  queriesPerAccountMax: 2,
  queriesWaitingMax: 200,
  queriesWaitingPerAccountMax: 20,
  queryWaitMs: 20_000,
  /** One piece of work of the store: an aggregate, or some 5,000 readings of an export. */
  queryMs: 30_000,
  /** Open downloads (exports, recordings, backups): each holds some MiB while its client reads. */
  exportsMax: 24,
  exportsPerAccountMax: 4,
  /** A backtest of somebody else is waited for so long. */
  backtestWaitMs: 60_000,
  /** Longest range of readings in one request. */
  spanMaxMs: 366 * DAY_MS,
  /** Longest range of a backtest: five years. */
  backtestSpanMaxMs: 1_827 * DAY_MS,
  /** Buckets of one aggregated answer. */
  bucketsMax: 5_000,
  /** How much of a quarantined payload is shown. */
  payloadShownBytes: 16 * 1024,
  redriveMax: 10_000,
  /** How old the store's part of the latest values may be; newer readings come from the live stream. */
  latestAgeMs: 60_000,
  /** A control room has many screens, often with one account and behind one address. */
  streamsPerAccountMax: 20,
  streamsPerAddressMax: 60,
  streamsMax: 500,
  heartbeatMs: 15_000,
  /** A client with this much unread is closed. It can come back with Last-Event-ID. */
  streamBufferBytesMax: 256 * 1024,
  /** So much of live readings waits for a client that is behind: some 50,000 of them. The oldest are left out then. */
  streamReadingsCharsMax: 8 * 1024 * 1024,
  streamRecheckMs: 60_000,
};

export type Limits = typeof LIMITS;
