import { describe, expect, it } from "vitest";

import { affine, blockMean, type Matrix, type Pixels } from "../../src/engine/pixels";

function grey(width: number, height: number, level: (x: number, y: number) => number): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    data.fill(level(pixel % width, Math.floor(pixel / width)), 3 * pixel, 3 * pixel + 3);
  }
  return { data, width, height, channels: 3 };
}

function reds({ data }: Pixels): number[] {
  return [...data].filter((_, index) => index % 3 === 0);
}

describe("blockMean", () => {
  it.each([
    { why: "at factor 2 a half goes up", factor: 2, levels: [0, 0, 0, 2], mean: 1 },
    { why: "at factor 2 less goes down", factor: 2, levels: [0, 0, 0, 1], mean: 0 },
    { why: "a third", factor: 3, levels: [1, 1, 1, 1, 0, 0, 0, 0, 0], mean: 0 },
    { why: "more than a half", factor: 3, levels: [1, 1, 1, 1, 1, 0, 0, 0, 0], mean: 1 },
    { why: "at factor 4 a half goes down to 0", factor: 4, levels: [8], mean: 0 },
    { why: "at factor 4 a half goes up to 2", factor: 4, levels: [24], mean: 2 },
  ])("rounds: $why", ({ factor, levels, mean }) => {
    const image = grey(factor, factor, (x, y) => levels[y * factor + x] ?? 0);
    expect(reds(blockMean(image, factor))).toEqual([mean]);
  });

  it("leaves out what lies beyond the last whole block", () => {
    const image = grey(7, 5, (x, y) => (x < 6 && y < 3 ? 10 : 200));
    expect(blockMean(image, 3)).toMatchObject({ width: 2, height: 1 });
    expect(reds(blockMean(image, 3))).toEqual([10, 10]);
  });

  it("makes one pixel of a side shorter than a block", () => {
    const shrunk = blockMean(grey(8, 1, (x) => x), 4);
    expect([shrunk.width, shrunk.height, ...reds(shrunk)]).toEqual([2, 1, 2, 6]);
  });

  it("averages only the blocks wanted", () => {
    const image = grey(12, 12, (x, y) => 10 * x + y);
    const part = blockMean(image, 3, { left: 1, top: 2, right: 3, bottom: 4 });
    const whole = reds(blockMean(image, 3));
    expect(reds(part)).toEqual([9, 10, 13, 14].map((block) => whole[block]));
  });

  it("passes over a fourth channel", () => {
    const data = new Uint8Array([1, 2, 3, 255, 5, 6, 7, 0, 1, 2, 3, 9, 5, 6, 7, 9]);
    expect([...blockMean({ data, width: 2, height: 2, channels: 4 }, 2).data]).toEqual([3, 4, 5]);
  });
});

describe("affine", () => {
  const image = grey(9, 6, (x, y) => 20 * x + y);

  it("gives the picture itself by the identity", () => {
    expect(affine(image, [1, 0, 0, 0, 1, 0], 9, 6).data).toEqual(image.data);
  });

  it("repeats the border", () => {
    const [left, right] = reds(affine(image, [100, 0, -50, 0, 1, 0], 2, 1));
    expect([left, right]).toEqual([0, 160]);
  });

  it("shows a whole shift exactly", () => {
    const shifted = affine(image, [1, 0, 2, 0, 1, 3], 3, 2);
    expect(reds(shifted)).toEqual([43, 63, 83, 44, 64, 84]);
  });

  it("turns by a right angle", () => {
    const turned: Matrix = [0, 1, 0, -1, 0, 6];
    expect(reds(affine(image, turned, 6, 1))).toEqual([5, 4, 3, 2, 1, 0]);
  });

  it("weighs neighbours by 1/32 pixel", () => {
    const edge = grey(2, 1, (x) => 255 * x);
    const at = (x: number) => reds(affine(edge, [1, 0, x, 0, 1, 0], 1, 1))[0];
    expect([at(0), at(1 / 70), at(1 / 64), at(1 / 32)]).toEqual([0, 0, 8, 8]);
    expect([at(0.5), at(1)]).toEqual([128, 255]);
  });
});
