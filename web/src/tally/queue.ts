/** Taps on their way to the service: those made without a connection wait, in order. */

export interface Tap {
  /** Its own name, so that one that is sent twice counts once. */
  id: string;
  do: "tap" | "undo";
  group: string;
}

export interface Queue {
  /** What the service does not have yet, the oldest first. */
  waiting: readonly Tap[];
  /** Whether the first of them is on its way, so that it can no longer be taken out. */
  sending: boolean;
  /** Groups of this phone's own taps, the oldest first; what undo takes back. */
  own: readonly string[];
}

export const EMPTY: Queue = { waiting: [], sending: false, own: [] };

export function tapped(queue: Queue, group: string, id: string): Queue {
  return {
    ...queue,
    waiting: [...queue.waiting, { id, do: "tap", group }],
    own: [...queue.own, group],
  };
}

/** Take back the last own tap: out of the queue where it still waits there. */
export function undone(queue: Queue, id: string): Queue {
  const group = queue.own.at(-1);
  if (group === undefined) return queue;
  const own = queue.own.slice(0, -1);
  const last = queue.waiting.at(-1);
  const onItsWay = queue.sending && queue.waiting.length === 1;
  if (last?.do === "tap" && !onItsWay) {
    return { ...queue, waiting: queue.waiting.slice(0, -1), own };
  }
  return { ...queue, waiting: [...queue.waiting, { id, do: "undo", group }], own };
}

export function sending(queue: Queue): Queue {
  return { ...queue, sending: true };
}

/** The service has the first. */
export function sent(queue: Queue): Queue {
  return { ...queue, waiting: queue.waiting.slice(1), sending: false };
}

/** The first did not get through, and waits again. */
export function held(queue: Queue): Queue {
  return { ...queue, sending: false };
}

/** The service's counts with what it does not have yet. */
export function countsWith(
  counts: Readonly<Record<string, number>>,
  queue: Queue,
): Record<string, number> {
  const found = { ...counts };
  for (const { do: what, group } of queue.waiting) {
    found[group] = Math.max(0, (found[group] ?? 0) + (what === "tap" ? 1 : -1));
  }
  return found;
}

/** A queue that was kept; anything else that lies there is none. */
export function readQueue(value: unknown): Queue {
  if (typeof value !== "object" || value === null) return EMPTY;
  const { waiting, own } = value as Record<string, unknown>;
  return {
    waiting: Array.isArray(waiting) ? waiting.filter(isTap) : [],
    sending: false,
    own: Array.isArray(own) ? own.filter((group) => typeof group === "string") : [],
  };
}

function isTap(value: unknown): value is Tap {
  if (typeof value !== "object" || value === null) return false;
  const { id, do: what, group } = value as Record<string, unknown>;
  return typeof id === "string" && typeof group === "string" && (what === "tap" || what === "undo");
}
