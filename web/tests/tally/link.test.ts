import { beforeEach, describe, expect, it } from "vitest";
import { Failure, type FailureKind } from "../../src/api/failure";
import type { RunningTally } from "../../src/api/types";
import { type Joined, type Taps, TallyLink, join, readJoined } from "../../src/tally/link";

/** A service that counts as the real one does, and may be out of reach. */
class Service implements Taps {
  counts: Record<string, number> = { adult: 0, teen: 0 };
  failing: FailureKind | null = null;
  /** Whether the next answer is lost after the service has done its work. */
  losing = false;
  readonly #known = new Set<string>();
  readonly #taps: string[] = [];

  tally(): Promise<RunningTally> {
    return this.#answer(() => undefined);
  }

  tap(_: string, group: string, _who: string, id: string): Promise<RunningTally> {
    return this.#answer(() => {
      if (this.#known.has(id)) return;
      this.#known.add(id);
      this.#taps.push(group);
      this.counts[group] = (this.counts[group] ?? 0) + 1;
    });
  }

  undo(_: string, _who: string, id: string): Promise<RunningTally> {
    return this.#answer(() => {
      if (this.#known.has(id)) return;
      this.#known.add(id);
      const group = this.#taps.pop();
      if (group) this.counts[group] = (this.counts[group] ?? 0) - 1;
    });
  }

  async #answer(work: () => void): Promise<RunningTally> {
    await Promise.resolve();
    if (this.failing) throw new Failure(this.failing);
    work();
    if (this.losing) {
      this.losing = false;
      throw new Failure("unreachable");
    }
    return { ...RUNNING, counts: { ...this.counts } };
  }
}

const RUNNING: RunningTally = {
  id: "t",
  camera: "door",
  area: "hall",
  started: "2026-03-02T08:00:00Z",
  counts: { adult: 0, teen: 0 },
};

let service: Service;
let kept: Joined | null;
let link: TallyLink;

beforeEach(() => {
  service = new Service();
  kept = join(RUNNING);
  link = new TallyLink(service, kept, (joined) => (kept = joined));
});

describe("a tally's link", () => {
  it("sends taps in their order", async () => {
    link.tap("adult");
    link.tap("teen");
    link.tap("adult");
    expect(link.view.counts).toEqual({ adult: 2, teen: 1 });
    expect(await link.flush()).toBe(true);
    expect(service.counts).toEqual({ adult: 2, teen: 1 });
    expect(link.view).toMatchObject({ waiting: 0, offline: false, counts: { adult: 2, teen: 1 } });
  });

  it("keeps what was tapped without a connection, and sends it later", async () => {
    service.failing = "unreachable";
    link.tap("adult");
    link.tap("adult");
    expect(await link.flush()).toBe(false);
    expect(link.view).toMatchObject({ waiting: 2, offline: true, counts: { adult: 2 } });
    const later = new TallyLink(service, readJoined(JSON.stringify(kept)) ?? join(RUNNING), () => {
      // Nothing is kept of this one.
    });
    service.failing = null;
    await later.flush();
    expect(service.counts["adult"]).toBe(2);
    expect(later.view.canUndo).toBe(true);
  });

  it("counts a tap once whose answer was lost", async () => {
    service.losing = true;
    link.tap("adult");
    expect(await settled()).toMatchObject({ waiting: 1, offline: true });
    await link.flush();
    expect(service.counts["adult"]).toBe(1);
    expect(link.view).toMatchObject({ waiting: 0, counts: { adult: 1 } });
  });

  it("takes back", async () => {
    link.tap("adult");
    link.tap("teen");
    await settled();
    link.undo();
    expect(link.view.counts).toEqual({ adult: 1, teen: 0 });
    await settled();
    expect(service.counts).toEqual({ adult: 1, teen: 0 });
    expect(link.view.canUndo).toBe(true);
  });

  it("shows the taps of others", async () => {
    service.counts["teen"] = 7;
    link.nudge();
    await settled();
    expect(link.view.counts["teen"]).toBe(7);
  });

  it("ends when somebody else has ended it, and keeps nothing then", async () => {
    link.tap("adult");
    service.failing = "absent";
    expect(await settled()).toMatchObject({ over: true, waiting: 1 });
    expect(kept).toBeNull();
  });

  it("leaves out what is refused, so that the rest gets through", async () => {
    service.failing = "invalid";
    link.tap("nobody");
    expect((await settled()).failure?.kind).toBe("invalid");
    service.failing = null;
    link.tap("adult");
    await settled();
    expect(service.counts["adult"]).toBe(1);
    expect(link.view.failure).toBeNull();
  });

  /** What it shows when it has tried what it can. */
  async function settled() {
    for (let n = 0; n < 50; n += 1) await Promise.resolve();
    return link.view;
  }
});

describe("a kept tally", () => {
  it.each([
    null,
    "",
    "{",
    "7",
    "{}",
    '{"who": "a", "tally": {"id": 1}}',
    '{"who": "a", "tally": {"id": "t", "camera": "c", "area": "a", "started": "x", "counts": {}}}',
  ])("that was spoilt is none: %j", (text) => {
    expect(readJoined(text)).toBeNull();
  });

  it("has a name of its own for who taps", () => {
    expect(join(RUNNING).who).not.toBe(join(RUNNING).who);
    expect(join(RUNNING).who).toMatch(/^[0-9a-f]{24}$/);
  });
});
