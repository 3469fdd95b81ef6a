import { describe, expect, it } from "vitest";

import { Detector } from "../../src/engine/detector";
import type { Input, Network } from "../../src/engine/network";
import type { Pixels } from "../../src/engine/pixels";

/** A face that the stand-in for YuNet sees at stride 8: where, and how sure it is. */
interface Seen {
  column: number;
  row: number;
  score: number;
  logSide: number;
}

/** YuNet's twelve outputs for a picture of 64 x 64 or whatever comes, with faces at stride 8. */
function yunet(faces: readonly Seen[], asked: Input[] = []): Network {
  const outputs = ["cls", "obj", "bbox", "kps"].flatMap((k) => [8, 16, 32].map((s) => `${k}_${s}`));
  const run = (input: Input): Promise<Float32Array[]> => {
    asked.push({ ...input, data: input.data.slice() });
    const [, , height, width] = input.shape as [number, number, number, number];
    const found = [1, 1, 4, 10].flatMap((count) =>
      [8, 16, 32].map((s) => new Float32Array((width / s) * (height / s) * count)),
    );
    for (const { column, row, score, logSide } of faces) {
      const cell = (row * width) / 8 + column;
      found[0]![cell] = score;
      found[3]![cell] = score;
      found[6]!.set([0.5, 0.5, logSide, logSide], 4 * cell);
      found[9]!.set([0, 0, 1, 0, 0.5, 0.5, 0, 1, 1, 1], 10 * cell);
    }
    return Promise.resolve(found);
  };
  return { outputs, run };
}

function picture(width: number, height: number): Pixels {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, index) => 10 * (index % 3) + 1);
  return { data, width, height, channels: 3 };
}

describe("Detector", () => {
  it("gives blue, green and red planes, padded with black to multiples of 32", async () => {
    const asked: Input[] = [];
    await new Detector(yunet([], asked)).detect(picture(33, 2));
    const [{ data, shape }] = asked as [Input];
    expect(shape).toEqual([1, 3, 32, 64]);
    const plane = 32 * 64;
    expect([0, plane, 2 * plane].map((start) => data[start])).toEqual([21, 11, 1]);
    expect([data[32], data[33], data[64], data[128]]).toEqual([21, 0, 21, 0]);
  });

  it("shrinks by the smallest whole factor that fits, and scales the faces back", async () => {
    const asked: Input[] = [];
    const face = { column: 3, row: 1, score: 0.9, logSide: Math.log(4) };
    const found = await new Detector(yunet([face], asked)).detect(picture(1300, 64));
    expect(asked[0]!.shape).toEqual([1, 3, 32, 448]);
    expect(found).toHaveLength(1);
    // The middle of the cell lies at (28, 12) of a third of the size; the box is 32 wide there.
    expect(found[0]!.x).toBeCloseTo(3 * (28 - 16), 4);
    expect(found[0]!.y).toBeCloseTo(3 * (12 - 16), 4);
    expect(found[0]!.width).toBeCloseTo(96, 4);
    expect(found[0]!.landmarks).toEqual([
      [72, 24],
      [96, 24],
      [84, 36],
      [72, 48],
      [96, 48],
    ]);
  });

  it("leaves out the unsure, and puts the largest first", async () => {
    const faces = [
      { column: 1, row: 1, score: 0.95, logSide: 0 },
      { column: 5, row: 5, score: 0.75, logSide: 1 },
      { column: 6, row: 1, score: 0.69, logSide: 1 },
    ];
    const found = await new Detector(yunet(faces)).detect(picture(64, 64));
    expect(found.map(({ score }) => score.toFixed(2))).toEqual(["0.75", "0.95"]);
  });

  it("passes over what is no finite number", async () => {
    const faces = [{ column: 1, row: 1, score: 0.95, logSide: Infinity }];
    expect(await new Detector(yunet(faces)).detect(picture(64, 64))).toEqual([]);
  });
});
