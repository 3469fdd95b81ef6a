import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Failure } from "../../src/api/failure";
import { type LinkState, WatchService } from "../../src/api/watch";

const SERVER = { url: "http://door.test", key: "a-key" };

/** What the service answers, one after the other; then nothing more. */
let answers: ((request: Request) => Response)[];
let asked: Request[];

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  vi.stubGlobal("fetch", (request: Request) => {
    asked.push(request);
    const answer = answers.shift();
    // An answer that never comes ends with its request.
    return answer
      ? Promise.resolve(answer(request))
      : new Promise((_, reject) => {
          request.signal.addEventListener("abort", () => {
            reject(new DOMException("given up", "AbortError"));
          });
        });
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const event = (n: number) => `event: live\ndata: {"k": ${n}}\n\n`;
const stream = (...events: string[]) => () => new Response(events.join(""));
/** A stream that stays open until its request is given up, as a browser's does. */
const open = (text: string) => (request: Request) => {
  const start = (stream: ReadableStreamDefaultController<Uint8Array>) => {
    stream.enqueue(new TextEncoder().encode(text));
    request.signal.addEventListener("abort", () => {
      stream.error(new DOMException("given up", "AbortError"));
    });
  };
  return new Response(new ReadableStream({ start }));
};
const problem = (status: number) => () =>
  Response.json({ detail: "so it is" }, { status, statusText: "no" });

function follow() {
  const control = new AbortController();
  const seen: number[] = [];
  const states: LinkState[] = [];
  const listener = {
    onLive: ({ k }: { k: number }) => seen.push(k),
    onState: (state: LinkState) => states.push(state),
  };
  const ended = new WatchService(SERVER).follow(listener, control.signal);
  return { control, seen, states, ended };
}

describe("following the live totals", () => {
  it("sends the key in a head, never in the address", async () => {
    answers = [stream(event(1))];
    const { control, seen, ended } = follow();
    await vi.advanceTimersByTimeAsync(10);
    expect(seen).toEqual([1]);
    expect(asked[0]?.url).toBe("http://door.test/v1/audience/events");
    expect(asked[0]?.headers.get("Authorization")).toBe("Bearer a-key");
    control.abort();
    await ended;
  });

  it("begins anew when the connection ends, later each time, and says so", async () => {
    answers = [stream(event(1)), problem(503), problem(503), stream(event(2))];
    const { control, seen, states, ended } = follow();
    await vi.advanceTimersByTimeAsync(900);
    expect([asked.length, states.at(-1)]).toEqual([1, "lost"]);
    await vi.advanceTimersByTimeAsync(200);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(4000);
    expect(seen).toEqual([1, 2]);
    expect(states[0]).toBe("connecting");
    control.abort();
    await ended;
  });

  it("takes a connection that has fallen silent for broken", async () => {
    answers = [open(event(1)), stream(event(2))];
    const { control, seen, ended } = follow();
    await vi.advanceTimersByTimeAsync(29_000);
    expect(seen).toEqual([1]);
    expect(asked[0]?.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(3000);
    expect(asked[0]?.signal.aborted).toBe(true);
    expect(seen).toEqual([1, 2]);
    control.abort();
    await ended;
  });

  it.each([
    [404, "absent"],
    [401, "unauthorised"],
  ])("gives up at %d, for trying again would not help", async (status, kind) => {
    answers = [problem(status)];
    const { ended } = follow();
    await expect(ended).rejects.toSatisfy((failure: Failure) => failure.kind === kind);
  });
});

describe("calls", () => {
  it("are of the days and dimensions asked for", async () => {
    answers = [() => Response.json({ rows: [] }), () => Response.json({ rows: [] })];
    const service = new WatchService(SERVER);
    await service.audience({ from: "2026-03-02", to: "2026-03-03" }, ["area", "age"]);
    await service.audience({ from: "", to: "" }, ["area"]);
    expect(asked.map(({ url }) => url.split("?")[1])).toEqual([
      "by=area%2Cage&from=2026-03-02&to=2026-03-03",
      "by=area",
    ]);
  });

  it("that are refused say why, in kinds of their own", async () => {
    answers = [problem(422), problem(409)];
    const service = new WatchService(SERVER);
    await expect(service.saveAreas("door", [])).rejects.toMatchObject({
      kind: "invalid",
      message: "so it is",
    });
    await expect(service.startTally("door", "hall")).rejects.toMatchObject({ kind: "taken" });
  });

  it("to drop a tally need no content", async () => {
    answers = [() => new Response(null, { status: 204 }), problem(404)];
    const service = new WatchService(SERVER);
    await service.drop("t");
    await expect(service.drop("t")).rejects.toMatchObject({ kind: "absent" });
  });
});
