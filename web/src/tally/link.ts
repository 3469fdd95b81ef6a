/** A phone's part in a running tally: what was tapped, and how it gets to the service. */
import { type Failure, asFailure } from "../api/failure";
import type { RunningTally } from "../api/types";
import type { WatchService } from "../api/watch";
import {
  EMPTY,
  type Queue,
  countsWith,
  held,
  readQueue,
  sending,
  sent,
  tapped,
  undone,
} from "./queue";

const NAME = "mien.tally";
const POLL = 3000;
const RETRY = 2000;

/** A running tally that this phone has joined, with the taps that wait. */
export interface Joined {
  tally: RunningTally;
  /** This phone, for undo; random, and new for each tally. */
  who: string;
  queue: Queue;
}

export interface LinkView {
  tally: RunningTally;
  counts: Record<string, number>;
  /** How many taps wait for a connection. */
  waiting: number;
  canUndo: boolean;
  offline: boolean;
  /** Whether somebody else has finished or dropped it. */
  over: boolean;
  /** What the service refused. */
  failure: Failure | null;
}

export type Taps = Pick<WatchService, "tally" | "tap" | "undo">;

export class TallyLink {
  readonly who: string;
  readonly #service: Taps;
  readonly #keep: (joined: Joined | null) => void;
  readonly #listeners = new Set<() => void>();
  #tally: RunningTally;
  #queue: Queue;
  #offline = false;
  #over = false;
  #failure: Failure | null = null;
  #view: LinkView;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #running = false;
  #round: Promise<void> | null = null;

  constructor(service: Taps, joined: Joined, keep: (joined: Joined | null) => void) {
    this.#service = service;
    this.#keep = keep;
    this.#tally = joined.tally;
    this.#queue = joined.queue;
    this.who = joined.who;
    this.#view = this.#look();
  }

  get view(): LinkView {
    return this.#view;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Begin to send and to ask for the others' taps, until `stop`. */
  start(): void {
    this.#running = true;
    void this.#work();
  }

  stop(): void {
    this.#running = false;
    if (this.#timer) clearTimeout(this.#timer);
  }

  tap(group: string): void {
    this.#change(tapped(this.#queue, group, randomName()));
    void this.#work();
  }

  undo(): void {
    this.#change(undone(this.#queue, randomName()));
    void this.#work();
  }

  /** Try at once, for there may be a connection again. */
  nudge(): void {
    void this.#work();
  }

  /** Send all that waits; say whether the service has it. */
  async flush(): Promise<boolean> {
    await this.#round;
    if (this.#queue.waiting.length > 0) await this.#work();
    return this.#queue.waiting.length === 0;
  }

  /** Begin a round, if none goes on. */
  #work(): Promise<void> {
    if (!this.#over) this.#round ??= this.#goRound();
    return this.#round ?? Promise.resolve();
  }

  /** One round: send what waits, or ask how the tally stands. */
  async #goRound(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    try {
      do {
        await this.#step();
      } while (this.#queue.waiting.length > 0);
      this.#offline = false;
    } catch (thrown) {
      this.#meet(asFailure(thrown));
    } finally {
      this.#round = null;
      this.#change(this.#queue);
    }
    if (this.#running && !this.#over) {
      this.#timer = setTimeout(() => void this.#work(), this.#offline ? RETRY : POLL);
    }
  }

  async #step(): Promise<void> {
    const [first] = this.#queue.waiting;
    if (!first) {
      this.#tally = await this.#service.tally(this.#tally.id);
      return;
    }
    this.#change(sending(this.#queue));
    const { id } = this.#tally;
    const tally =
      first.do === "tap"
        ? await this.#service.tap(id, first.group, this.who, first.id)
        : await this.#service.undo(id, this.who, first.id);
    this.#tally = tally;
    this.#offline = false;
    this.#failure = null;
    this.#change(sent(this.#queue));
  }

  #meet(failure: Failure): void {
    this.#queue = held(this.#queue);
    if (failure.kind === "absent") {
      this.#over = true;
    } else if (failure.kind === "invalid") {
      // It would be refused again and hold up all others.
      this.#queue = sent(this.#queue);
      this.#failure = failure;
    } else {
      this.#offline = true;
      this.#failure = failure.kind === "unreachable" || failure.kind === "busy" ? null : failure;
    }
  }

  #change(queue: Queue): void {
    this.#queue = queue;
    this.#view = this.#look();
    this.#keep(this.#over ? null : { tally: this.#tally, who: this.who, queue });
    for (const listener of this.#listeners) listener();
  }

  #look(): LinkView {
    return {
      tally: this.#tally,
      counts: countsWith(this.#tally.counts, this.#queue),
      waiting: this.#queue.waiting.length,
      canUndo: this.#queue.own.length > 0,
      offline: this.#offline,
      over: this.#over,
      failure: this.#failure,
    };
  }
}

/** A name that nobody else has; pages that are not secure have no randomUUID. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function join(tally: RunningTally): Joined {
  return { tally, who: randomName(), queue: EMPTY };
}

/** What this browser kept of a tally it joined, also when the page was closed meanwhile. */
export function readJoined(text: string | null): Joined | null {
  try {
    const kept = JSON.parse(text ?? "null") as Partial<Joined> | null;
    const { tally, who } = kept ?? {};
    if (typeof who !== "string" || typeof tally?.id !== "string") return null;
    if (typeof tally.camera !== "string" || typeof tally.area !== "string") return null;
    if (!Number.isFinite(Date.parse(tally.started))) return null;
    if (typeof tally.counts !== "object") return null;
    return { tally, who, queue: readQueue(kept?.queue) };
  } catch {
    return null;
  }
}

export function loadJoined(): Joined | null {
  try {
    return readJoined(localStorage.getItem(NAME));
  } catch {
    // A browser may forbid its storage; the tally then lives as long as the page.
    return null;
  }
}

export function keepJoined(joined: Joined | null): void {
  try {
    if (joined) localStorage.setItem(NAME, JSON.stringify(joined));
    else localStorage.removeItem(NAME);
  } catch {
    // Likewise.
  }
}
