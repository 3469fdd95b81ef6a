import { describe, expect, it } from "vitest";
import { EventParser, delayOf } from "../../src/api/events";

function events(...pieces: string[]) {
  const parser = new EventParser();
  return pieces.flatMap((piece) => parser.take(piece));
}

describe("EventParser", () => {
  it("gives events with their names", () => {
    expect(events('event: live\ndata: {"a": 1}\n\n')).toEqual([{ name: "live", data: '{"a": 1}' }]);
    expect(events("data:x\n\n")).toEqual([{ name: "message", data: "x" }]);
  });

  it("waits for what is not complete, wherever it was cut", () => {
    const text = "event: live\r\ndata: one\r\ndata: two\r\n\r\ndata: three\n\n";
    const whole = [
      { name: "live", data: "one\ntwo" },
      { name: "message", data: "three" },
    ];
    for (let cut = 0; cut <= text.length; cut += 1) {
      expect(events(text.slice(0, cut), text.slice(cut))).toEqual(whole);
    }
    expect(events("event: live\ndata: x\n")).toEqual([]);
  });

  it("passes over comments, unknown fields, and events without data", () => {
    expect(events(":\n\n", "id: 7\nretry: 10\n\n", "event: x\n\n", "data: y\n\n")).toEqual([
      { name: "message", data: "y" },
    ]);
  });
});

it("waits longer after each failure, up to half a minute", () => {
  expect([0, 1, 2, 5, 50].map(delayOf)).toEqual([1000, 2000, 4000, 30_000, 30_000]);
});
