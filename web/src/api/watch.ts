/** Calls of a service that watches cameras: totals, cameras, areas, tallies. */
import { EventParser, delayOf } from "./events";
import { Failure, type Kinds, asFailure, failureOf } from "./failure";
import type { Server } from "./service";
import type {
  Area,
  Audience,
  Camera,
  LiveAudience,
  PrivacyStatement,
  RunningTally,
  Tallies,
  TallyResult,
} from "./types";

// The stream says something every few seconds; one that is silent for so long is dead.
const SILENCE = 30_000;
const KINDS: Kinds = { 404: "absent", 409: "taken", 422: "invalid" };

/** The whole days from `from` to `to`; empty for the service's today. */
export interface Days {
  from: string;
  to: string;
}

export type Dimension = "camera" | "area" | "age" | "hour" | "day" | "week";

export type LinkState = "connecting" | "open" | "lost";

export interface Listener {
  onLive: (live: LiveAudience) => void;
  onState: (state: LinkState) => void;
}

export class WatchService {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** Give the totals of whole days. */
  audience(days: Days, by: readonly Dimension[], signal?: AbortSignal): Promise<Audience> {
    return this.#json("GET", `/v1/audience?${query(days, by)}`, { signal });
  }

  /** Give the same as a table. */
  async csv(days: Days, by: readonly Dimension[]): Promise<Blob> {
    const answer = await this.#ask("GET", `/v1/audience?${query(days, by)}&format=csv`);
    return answer.blob();
  }

  cameras(signal?: AbortSignal): Promise<Camera[]> {
    return this.#json("GET", "/v1/cameras", { signal });
  }

  /** Give a camera's newest picture. */
  async still(camera: string, signal?: AbortSignal): Promise<Blob> {
    const answer = await this.#ask("GET", `/v1/cameras/${part(camera)}/still`, { signal });
    return answer.blob();
  }

  saveAreas(camera: string, areas: readonly Area[]): Promise<Camera> {
    return this.#json("PUT", `/v1/cameras/${part(camera)}/areas`, { body: { areas } });
  }

  tallies(signal?: AbortSignal): Promise<Tallies> {
    return this.#json("GET", "/v1/tallies", { signal });
  }

  startTally(camera: string, area: string): Promise<RunningTally> {
    return this.#json("POST", "/v1/tallies", { body: { camera, area } });
  }

  tally(id: string, signal?: AbortSignal): Promise<RunningTally> {
    return this.#json("GET", `/v1/tallies/${part(id)}`, { signal });
  }

  /**
   * Count somebody who passed.
   *
   * @param tap The tap's own name: one that is sent again, for want of an answer, counts once.
   */
  tap(tally: string, group: string, who: string, tap: string): Promise<RunningTally> {
    const body = { group, who, id: tap };
    return this.#json("POST", `/v1/tallies/${part(tally)}/taps`, { body });
  }

  /** Take back somebody's last tap; likewise. */
  undo(tally: string, who: string, tap: string): Promise<RunningTally> {
    const which = new URLSearchParams({ who, id: tap }).toString();
    return this.#json("DELETE", `/v1/tallies/${part(tally)}/taps?${which}`);
  }

  finish(id: string): Promise<TallyResult> {
    return this.#json("POST", `/v1/tallies/${part(id)}/finish`);
  }

  async drop(id: string): Promise<void> {
    await this.#ask("DELETE", `/v1/tallies/${part(id)}`);
  }

  privacy(signal?: AbortSignal): Promise<PrivacyStatement> {
    return this.#json("GET", "/v1/privacy", { signal });
  }

  /**
   * Follow the live totals until the signal; a connection that breaks is made anew, for ever.
   *
   * @throws {Failure} The service refuses it, so that trying again would not help.
   */
  async follow({ onLive, onState }: Listener, signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      onState(failures === 0 ? "connecting" : "lost");
      try {
        await this.#listen(signal, (live) => {
          failures = 0;
          onState("open");
          onLive(live);
        });
      } catch (thrown) {
        if (signal.aborted) return;
        const failure = asFailure(thrown);
        if (failure.kind === "absent" || failure.kind === "unauthorised") throw failure;
      }
      failures += 1;
      onState("lost");
      await pause(delayOf(failures - 1), signal);
    }
  }

  /** Read one connection to its end. */
  async #listen(signal: AbortSignal, onLive: (live: LiveAudience) => void): Promise<void> {
    const silent = new AbortController();
    let timer = setTimeout(() => silent.abort(), SILENCE);
    try {
      const answer = await this.#ask("GET", "/v1/audience/events", {
        signal: AbortSignal.any([signal, silent.signal]),
      });
      const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
      const parser = new EventParser();
      for (;;) {
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
        if (done || value === undefined) return;
        clearTimeout(timer);
        timer = setTimeout(() => silent.abort(), SILENCE);
        for (const { name, data } of parser.take(value)) {
          if (name === "live") onLive(JSON.parse(data) as LiveAudience);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #json<T>(method: string, path: string, options: Options = {}): Promise<T> {
    const answer = await this.#ask(method, path, options);
    return (await answer.json()) as T;
  }

  async #ask(method: string, path: string, { body, signal }: Options = {}): Promise<Response> {
    const { url, key } = this.#server;
    const headers: Record<string, string> = {};
    if (key) headers["Authorization"] = `Bearer ${key}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    try {
      const answer = await fetch(url + path, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        signal: signal ?? null,
        cache: "no-store",
      });
      if (answer.ok) return answer;
      const content: unknown = await answer.json().catch(() => null);
      throw failureOf(answer.status, content, KINDS);
    } catch (thrown) {
      if (thrown instanceof DOMException && thrown.name === "AbortError") throw thrown;
      throw asFailure(thrown);
    }
  }
}

interface Options {
  body?: unknown;
  signal?: AbortSignal | undefined;
}

const part = encodeURIComponent;

function query({ from, to }: Days, by: readonly Dimension[]): string {
  const parts = new URLSearchParams({ by: by.join(",") });
  if (from) parts.set("from", from);
  if (to) parts.set("to", to);
  return parts.toString();
}

/** Wait so many milliseconds, or until the signal. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Whether the service has no watch at all, and so nothing to show. */
export function isAbsent(failure: Failure | null): boolean {
  return failure?.kind === "absent";
}
