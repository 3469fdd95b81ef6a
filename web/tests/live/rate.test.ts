import { describe, expect, it } from "vitest";
import { PaceMeter, median } from "../../src/live/rate";

describe("median", () => {
  it.each<[number[], number | null]>([
    [[], null],
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 2, 3], 2.5],
  ])("of %j is %j", (values, middle) => {
    expect(median(values)).toBe(middle);
  });
});

describe("PaceMeter", () => {
  it("knows no rate from one frame", () => {
    expect(new PaceMeter().add(0, 40)).toEqual({ rate: null, latency: 40 });
  });

  it("counts frames a second over the last two seconds only", () => {
    const meter = new PaceMeter();
    for (let n = 0; n < 10; n += 1) meter.add(n, 100);
    let pace = meter.add(10, 30);
    for (let n = 1; n <= 40; n += 1) pace = meter.add(10 + n / 20, 30);
    expect(pace.rate).toBeCloseTo(20);
    expect(pace.latency).toBe(30);
  });
});
