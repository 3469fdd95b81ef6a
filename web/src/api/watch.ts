/** Calls of a service that watches cameras: totals, cameras, areas, tallies. */
import createClient from "openapi-fetch";
import { patient, told } from "./call";
import { EventParser, delayOf } from "./events";
import { type Failure, type Kinds, asFailure } from "./failure";
import type { paths } from "./schema";
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
  readonly #client;

  constructor(server: Server) {
    this.#client = createClient<paths>({
      baseUrl: server.url,
      headers: server.key ? { Authorization: `Bearer ${server.key}` } : {},
      fetch: patient,
    });
  }

  /** Give the totals of whole days. */
  async audience(days: Days, by: readonly Dimension[], signal?: AbortSignal): Promise<Audience> {
    const params = { query: query(days, by) };
    const call = this.#client.GET("/v1/audience", { params, signal: signal ?? null });
    // The route may also tell text, but only where it is asked for.
    return (await told(call, KINDS)) as Audience;
  }

  /** Give the same as a table. */
  async csv(days: Days, by: readonly Dimension[]): Promise<Blob> {
    const params = { query: { ...query(days, by), format: "csv" as const } };
    return told(this.#client.GET("/v1/audience", { params, parseAs: "blob" }), KINDS);
  }

  async cameras(signal?: AbortSignal): Promise<Camera[]> {
    const call = this.#client.GET("/v1/cameras", { signal: signal ?? null });
    // openapi-fetch takes pairs of numbers for lists.
    return (await told(call, KINDS)) as Camera[];
  }

  /** Give a camera's newest picture. */
  async still(name: string, signal?: AbortSignal): Promise<Blob> {
    const path = "/v1/cameras/{name}/still";
    const options = { params: { path: { name } }, signal: signal ?? null, fetch: once };
    return told(this.#client.GET(path, { ...options, parseAs: "blob" }), KINDS);
  }

  async saveAreas(name: string, areas: Area[]): Promise<Camera> {
    const options = { params: { path: { name } }, body: { areas } };
    return (await told(this.#client.PUT("/v1/cameras/{name}/areas", options), KINDS)) as Camera;
  }

  async tallies(signal?: AbortSignal): Promise<Tallies> {
    return told(this.#client.GET("/v1/tallies", { signal: signal ?? null }), KINDS);
  }

  async startTally(camera: string, area: string): Promise<RunningTally> {
    return told(this.#client.POST("/v1/tallies", { body: { camera, area } }), KINDS);
  }

  async tally(tally: string): Promise<RunningTally> {
    const options = { params: { path: { tally } }, fetch: once };
    return told(this.#client.GET("/v1/tallies/{tally}", options), KINDS);
  }

  /**
   * Count somebody who passed.
   *
   * @param id The tap's own name: one that is sent again, for want of an answer, counts once.
   */
  async tap(tally: string, group: string, who: string, id: string): Promise<RunningTally> {
    const options = { params: { path: { tally } }, body: { group, who, id }, fetch: once };
    return told(this.#client.POST("/v1/tallies/{tally}/taps", options), KINDS);
  }

  /** Take back somebody's last tap; likewise. */
  async undo(tally: string, who: string, id: string): Promise<RunningTally> {
    const options = { params: { path: { tally }, query: { who, id } }, fetch: once };
    return told(this.#client.DELETE("/v1/tallies/{tally}/taps", options), KINDS);
  }

  async finish(tally: string): Promise<TallyResult> {
    const options = { params: { path: { tally } } };
    return told(this.#client.POST("/v1/tallies/{tally}/finish", options), KINDS);
  }

  async drop(tally: string): Promise<void> {
    const call = this.#client.DELETE("/v1/tallies/{tally}", { params: { path: { tally } } });
    // There is no content that could be told.
    const done = call.then(({ error, response }) =>
      response.ok ? { data: true, response } : { error, response },
    );
    await told(done, KINDS);
  }

  async privacy(signal?: AbortSignal): Promise<PrivacyStatement> {
    return told(this.#client.GET("/v1/privacy", { signal: signal ?? null }), KINDS);
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
      const stream = await told(
        this.#client.GET("/v1/audience/events", {
          signal: AbortSignal.any([signal, silent.signal]),
          parseAs: "stream",
          fetch: once,
        }),
        KINDS,
      );
      const reader = stream?.pipeThrough(new TextDecoderStream()).getReader();
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

}

/** Ask once: whoever asks here asks again by himself. */
function once(request: Request): Promise<Response> {
  return fetch(request);
}

function query({ from, to }: Days, by: readonly Dimension[]) {
  return { by: by.join(","), ...(from ? { from } : {}), ...(to ? { to } : {}) };
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
