import { describe, expect, it } from "vitest";

import { overlap, suppressed } from "../../src/engine/overlap";

const box = (x: number, score: number, width = 10) => ({ x, y: 0, width, height: 10, score });

describe("overlap", () => {
  it.each([
    { x: 0, share: 1 },
    { x: 5, share: 1 / 3 },
    { x: 10, share: 0 },
    { x: 30, share: 0 },
  ])("of a box moved by $x is $share", ({ x, share }) => {
    expect(overlap(box(0, 1), box(x, 1))).toBeCloseTo(share, 12);
  });
});

describe("suppressed", () => {
  it("keeps the best of those that overlap, best first", () => {
    const boxes = [box(0, 0.8), box(1, 0.9), box(40, 0.95), box(42, 0.7)];
    expect(suppressed(boxes, 0.3, 10)).toEqual([boxes[2], boxes[1]]);
  });

  it("keeps a box that only meets one that went", () => {
    const boxes = [box(0, 0.9), box(4, 0.8), box(8, 0.7)];
    expect(suppressed(boxes, 0.3, 10)).toEqual([boxes[0], boxes[2]]);
  });

  it("takes the earlier of equal ones, and looks at no more than so many", () => {
    const boxes = [box(0, 0.8), box(1, 0.8), box(50, 0.5)];
    expect(suppressed(boxes, 0.3, 2)).toEqual([boxes[0]]);
  });
});
