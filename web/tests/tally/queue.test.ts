import { describe, expect, it } from "vitest";
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
} from "../../src/tally/queue";

const groups = (queue: Queue) => queue.waiting.map(({ do: what, group }) => `${what} ${group}`);

describe("a queue of taps", () => {
  it("keeps their order", () => {
    const queue = tapped(tapped(EMPTY, "adult", "1"), "teen", "2");
    expect(groups(queue)).toEqual(["tap adult", "tap teen"]);
    expect(groups(sent(sending(queue)))).toEqual(["tap teen"]);
    expect(held(sending(queue))).toEqual(queue);
  });

  it("takes a tap out that has not been sent", () => {
    const queue = undone(tapped(tapped(EMPTY, "adult", "1"), "teen", "2"), "3");
    expect(groups(queue)).toEqual(["tap adult"]);
    expect(queue.own).toEqual(["adult"]);
  });

  it("asks the service to take back what is there, or on its way", () => {
    const there = sent(sending(tapped(EMPTY, "adult", "1")));
    expect(groups(undone(there, "2"))).toEqual(["undo adult"]);
    const underWay = sending(tapped(EMPTY, "adult", "1"));
    expect(groups(undone(underWay, "2"))).toEqual(["tap adult", "undo adult"]);
  });

  it("takes back own taps only, the last first, until there are none", () => {
    let queue = sent(sending(tapped(EMPTY, "adult", "1")));
    queue = undone(undone(tapped(queue, "teen", "2"), "3"), "4");
    expect(groups(queue)).toEqual(["undo adult"]);
    expect(undone(queue, "5")).toBe(queue);
  });

  it("counts what waits, and never below nothing", () => {
    const queue = tapped(undone(sent(sending(tapped(EMPTY, "adult", "1"))), "2"), "teen", "3");
    expect(countsWith({ adult: 4, teen: 0 }, queue)).toEqual({ adult: 3, teen: 1 });
    expect(countsWith({ adult: 0 }, queue)).toEqual({ adult: 0, teen: 1 });
  });
});

describe("a kept queue", () => {
  it("is read again, with nothing on its way", () => {
    const queue = sending(tapped(EMPTY, "adult", "1"));
    expect(readQueue(JSON.parse(JSON.stringify(queue)))).toEqual(held(queue));
  });

  it.each([null, 7, { waiting: 3, own: [1] }, { waiting: [null, { id: 1 }, { do: "x" }] }])(
    "that was spoilt is empty: %j",
    (value) => {
      expect(readQueue(value)).toEqual(EMPTY);
    },
  );
});
