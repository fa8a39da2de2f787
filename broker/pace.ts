import type { Duplex } from "node:stream";
import { type Bucket, spend, waitMs } from "../model/rate-limit.ts";
import type { Slowed } from "./events.ts";
import type { Gate, Meter, Paced, Session, Unit } from "./session.ts";

/** Packets of one account that are taken in one turn of the loop: nobody else waits behind more than these. */
const SHARE_PER_TURN = 256;
/** A packet counts once for each KiB of it that has begun. */
const BYTES_PER_TOKEN = 1_024;
/** Acknowledgements a client may owe us; there are no more packet ids. */
const OWED_MAX = 65_535;
/** Who waits is looked at again this often … */
const LOOK_AGAIN_MS = 1_000;
/** … who is ahead of the rules, after this … */
const AHEAD_MS = 2;
/** … and counts as alive if it is for longer than this: it is we who do not listen. */
const LONG_WAIT_MS = 100;
const NOTHING = Buffer.alloc(0);

/**
 * Slows a sender down at its socket. Before a packet of any type is parsed its account must have a token and a share of
 * this turn; without, neither the parser nor the socket is read any further until there is one, and TCP makes the sender
 * wait. What has not been read costs nobody else anything.
 */
export function createPace(now: () => number, onSlowed: (session: Session, why: Slowed) => void) {
  let turn = 0;
  let turnIsOpen = false;
  let stopped = false;

  /** The first meter of the session that has nothing left. */
  function shortOf(session: Session): Meter | undefined {
    for (const meter of session.meters) if (!hasLeft(meter)) return meter;
    return undefined;
  }

  function hasLeft(meter: Meter): boolean {
    if (meter.turn !== turn) {
      meter.turn = turn;
      meter.share = SHARE_PER_TURN;
      waitMs(meter.bucket, now());
      openTurn();
    }
    return meter.share > 0 && meter.bucket.tokens >= 1 && !meter.gate?.isHeld() && !meter.gate?.isAhead();
  }

  function openTurn(): void {
    if (turnIsOpen) return;
    turnIsOpen = true;
    setImmediate(() => {
      turn += 1;
      turnIsOpen = false;
    });
  }

  function enqueue(meter: Meter, paced: Paced): void {
    meter.waiting.push(paced);
    if (!meter.scheduled) schedule(meter);
  }

  function schedule(meter: Meter): void {
    meter.scheduled = true;
    const wait = waitOf(meter);
    if (wait > 0) setTimeout(wake, wait, meter);
    else setImmediate(wake, meter);
    if (wait >= LONG_WAIT_MS) for (const paced of meter.waiting) paced.keepAlive();
  }

  function waitOf({ bucket, gate }: Meter): number {
    if (gate?.isHeld()) return LOOK_AGAIN_MS;
    const wait = Math.min(waitMs(bucket, now()), LOOK_AGAIN_MS);
    return gate?.isAhead() ? Math.max(wait, AHEAD_MS) : wait;
  }

  /** In turn; those who need more than their turn stand at the end of the queue again. */
  function wake(meter: Meter): void {
    if (stopped) return;
    for (let left = meter.waiting.length; left > 0 && hasLeft(meter); left -= 1) meter.waiting.shift()!.resume();
    if (meter.waiting.length > 0) schedule(meter);
    else meter.scheduled = false;
  }

  /** Takes over the reading of a new connection. Call it before the first byte is read. */
  function start(session: Session, stream: Duplex): void {
    const { client } = session;
    const parser = client._parser;
    let held = false;
    let parsing = false;
    /** What was read and not parsed is given back to the stream: its end then comes behind it. */
    let givenBack = 0;

    const readAll = allOf(stream);
    // Nothing while a chunk is being parsed: aedes reads again from within when all of it was answered at once.
    stream.read = (size?: number) => ((held || parsing) && !stopped ? null : readAll(size));

    const parse = parser.parse.bind(parser);
    parser.parse = (bytes) => {
      parsing = true;
      try {
        return parse(bytes);
      } finally {
        parsing = false;
        giveBack();
      }
    };

    const parseHeader = parser._parseHeader.bind(parser);
    parser._parseHeader = () => {
      if (session.asked && !client.connackSent) {
        // What stands behind the CONNECT is not known to be allowed yet; aedes would take 42 packets of it.
        held = true;
        session.goOn = resume;
        return false;
      }
      const meter = shortOf(session);
      if (!meter) return parseHeader();
      held = true;
      const why = reasonFor(meter);
      if (why) onSlowed(session, why);
      enqueue(meter, { resume, keepAlive });
      return false; // the bytes stay in the parser
    };

    function giveBack(): void {
      const { _list: list } = parser;
      if (!held || list.length === 0 || stream.destroyed || stream.readableEnded) return;
      const rest = list.slice(0, list.length);
      list.consume(rest.length);
      givenBack += rest.length;
      stream.unshift(rest);
    }

    function keepAlive(): void {
      if (!client.closed) client._keepaliveTimer?.refresh();
    }

    function resume(): void {
      held = false;
      if (client.closed || client._paused) return;
      keepAlive();
      const waiting = givenBack;
      givenBack = 0;
      if (waiting > 0) parser.parse(readAll(waiting) ?? NOTHING);
      else if (parser._list.length > 0) parser.parse(NOTHING);
      if (!held && client._parsingBatch <= 0) client._nextBatch();
    }
  }

  return {
    start,
    /** Nobody is woken any more. */
    stop(): void {
      stopped = true;
    },
  };
}

export function createMeter(bucket: Bucket, unit: Unit = "packets", gate?: Gate): Meter {
  return { bucket, unit, gate, turn: -1, share: 0, waiting: [], scheduled: false };
}

/** undefined: only its share of the turn is used up, or it is ahead for a moment. */
function reasonFor({ bucket, unit, gate }: Meter): Slowed | undefined {
  if (gate?.isHeld()) return "disk_share";
  if (bucket.tokens >= 1) return undefined;
  return unit === "readings" ? "over_readings_rate" : "over_rate";
}

/** Takes so much from the account's tokens, also below nothing: then the next packet waits the longer. */
export function charge(session: Session, tokens: number, unit: Unit = "packets"): void {
  for (const meter of session.meters) {
    if (meter.unit !== unit) continue;
    meter.share -= tokens;
    spend(meter.bucket, tokens);
  }
}

/** What a packet costs. Answers to what we sent are free: a reader of the whole city sends one for each message. */
export function chargePacket(session: Session, cmd: string, qos: number, bytes: number): void {
  if (cmd === "publish") {
    if (qos === 2) owe(session, 1); // its PUBREL
  } else if (session.owed > 0 && (cmd === "puback" || cmd === "pubrec" || cmd === "pubcomp" || cmd === "pubrel")) {
    session.owed -= 1;
    return;
  }
  charge(session, bytes <= BYTES_PER_TOKEN ? 1 : Math.ceil(bytes / BYTES_PER_TOKEN));
}

/** The client was sent something that it answers with so many packets. */
export function owe(session: Session, packets: number): void {
  session.owed = Math.min(session.owed + packets, OWED_MAX);
}

/**
 * aedes 1.2 reads once per 'readable' and counts on getting all there is. From Node 26 on `read()` gives one buffer at a
 * time, and a packet that lies in two would wait for ever: this makes `read()` give all of them again.
 */
function allOf(stream: Duplex): (size?: number) => Buffer | null {
  const read = stream.read.bind(stream) as (size?: number) => Buffer | null;
  return (size) => {
    const first = read(size);
    if (first === null || (size !== undefined && size !== null)) return first;
    const chunks = [first];
    for (let next = read(); next !== null; next = read()) chunks.push(next);
    return chunks.length === 1 ? first : Buffer.concat(chunks);
  };
}
