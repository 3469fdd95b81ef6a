import { describe, expect, it } from "vitest";

import type { Pixels } from "../../src/engine/pixels";
import { crop, viewOf, type Point } from "../../src/engine/view";

const TEMPLATE: Point[] = [
  [0.3, 0.33],
  [0.7, 0.33],
  [0.5, 0.54],
  [0.33, 0.72],
  [0.67, 0.72],
];

describe("viewOf", () => {
  it.each([
    { angle: 0, side: 1, x: 0, y: 0 },
    { angle: 0.5, side: 80, x: 30, y: -12 },
    { angle: -3, side: 0.25, x: -400, y: 900 },
  ])("finds the similarity that moved the template: $angle $side", ({ angle, side, x, y }) => {
    const [a, b] = [side * Math.cos(angle), side * Math.sin(angle)];
    const landmarks = TEMPLATE.map(([u, v]): Point => [a * u - b * v + x, b * u + a * v + y]);
    const found = viewOf(landmarks, TEMPLATE);
    [a, -b, x, b, a, y].forEach((value, index) => expect(found[index]).toBeCloseTo(value, 9));
  });

  it("does not follow what is no similarity", () => {
    const widened = TEMPLATE.map(([u, v]): Point => [120 * u, 100 * v]);
    const [a, b, , c, d] = viewOf(widened, TEMPLATE);
    expect(a).toBe(d);
    expect(b).toBe(-c);
    expect(a).toBeGreaterThan(100);
    expect(a).toBeLessThan(120);
  });
});

describe("crop", () => {
  const data = Uint8Array.from({ length: 40 * 40 * 3 }, (_, index) => (index * 7919) % 251);
  const image: Pixels = { data, width: 40, height: 40, channels: 3 };

  it("cuts an upright view of the crop's own size as it stands", () => {
    const cut = crop(image, [4, 0, 10, 0, 4, 20], 4);
    const rows = [20, 21, 22, 23].map((y) => {
      const start = 3 * (40 * y + 10);
      return [...data.subarray(start, start + 12)];
    });
    expect([...cut.data]).toEqual(rows.flat());
  });

  it("averages whole blocks where the view is larger than the crop", () => {
    const cut = crop(image, [20, 0, 10, 0, 20, 10], 2);
    const reds = (left: number, top: number) => {
      let sum = 0;
      for (let y = top; y < top + 10; y++) {
        for (let x = left; x < left + 10; x++) sum += data[3 * (40 * y + x)]!;
      }
      return sum / 100;
    };
    expect(Math.abs(cut.data[0]! - reds(10, 10))).toBeLessThanOrEqual(0.5);
    expect(Math.abs(cut.data[9]! - reds(20, 20))).toBeLessThanOrEqual(0.5);
  });

  it("gives the nearest pixels of a view beyond the picture", () => {
    const cut = crop(image, [90, 0, 500, 0, 90, 500], 3);
    expect(new Set(cut.data.filter((_, index) => index % 3 === 0)).size).toBe(1);
  });
});
