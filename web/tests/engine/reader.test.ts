import { expect, it } from "vitest";

import type { Pixels } from "../../src/engine/pixels";
import { Reader, type FaceOptions } from "../../src/engine/reader";
import type { Point } from "../../src/engine/view";

const TEMPLATE: Point[] = [
  [0.2, 0.2],
  [0.8, 0.2],
  [0.5, 0.5],
  [0.2, 0.8],
  [0.8, 0.8],
];

/** Each column has a level of its own. */
const IMAGE: Pixels = {
  data: Uint8Array.from({ length: 100 * 60 * 3 }, (_, index) => Math.floor(index / 3) % 100),
  width: 100,
  height: 60,
  channels: 3,
};

/** Reads faces of the given places and widths; each is told the level in the middle of its crop. */
async function read(faces: readonly [left: number, width: number][], options: FaceOptions) {
  const detector = {
    detect: () =>
      Promise.resolve(
        faces.map(([x, width]) => ({
          x,
          y: 0,
          width,
          height: width,
          score: 1.0000001,
          landmarks: TEMPLATE.map(([u, v]): Point => [x + u * width, v * width]),
        })),
      ),
  };
  const model = {
    size: 3,
    template: TEMPLATE,
    read: (crops: readonly Pixels[]) =>
      Promise.resolve(
        crops.map((crop) => ({
          level: { kind: "regression" as const, value: crop.data[3 * 4]!, unit: "" },
        })),
      ),
  };
  return new Reader(detector, model, options).read(IMAGE);
}

it("reads each face by its own crop", async () => {
  const found = await read([[40, 21], [10, 9]], {});
  expect(found.map(({ attributes }) => attributes["level"])).toMatchObject([
    { value: 50 },
    { value: 14 },
  ]);
  expect(found[1]).toMatchObject({ box: { x: 10, y: 0, width: 9, height: 9 }, score: 1 });
});

it.each([
  { options: {}, widths: [30, 20, 10] },
  { options: { minFace: 20 }, widths: [30, 20] },
  { options: { maxFaces: 1 }, widths: [30] },
  { options: { minFace: 40 }, widths: [] },
])("keeps the faces that are wanted: $options", async ({ options, widths }) => {
  const found = await read([[0, 30], [30, 20], [50, 10]], options);
  expect(found.map(({ box }) => box.width)).toEqual(widths);
});
