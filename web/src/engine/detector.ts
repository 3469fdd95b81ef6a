/** Finds faces with YuNet (Wu et al. 2023), as the service does. */

import type { Network } from "./network";
import { suppressed, type Scored } from "./overlap";
import { blockMean, type Pixels } from "./pixels";
import { clamp } from "./rounding";
import type { Point } from "./view";

const STRIDES = [8, 16, 32] as const;
const MULTIPLE = 32;
const OVERLAP = 0.3;
const CANDIDATES = 5000;
const SIZE = 640;
const MIN_SCORE = Math.fround(0.7);
const LANDMARKS = 5;

/** A face: its box, and right eye, left eye, nose tip, right and left mouth corner, in pixels. */
export interface Face extends Scored {
  readonly landmarks: readonly Point[];
}

/** One of YuNet's three grids of cells: the numbers of each cell. */
interface Level {
  readonly stride: number;
  readonly columns: number;
  readonly classes: Float32Array;
  readonly objects: Float32Array;
  readonly boxes: Float32Array;
  readonly points: Float32Array;
}

export class Detector {
  private input = new Float32Array(0);

  /** @param network YuNet with an input of any size. */
  constructor(private readonly network: Network) {}

  /**
   * Find the faces of a picture, the largest first.
   *
   * The picture is shrunk by the smallest whole factor that brings its longer side to 640 pixels.
   */
  async detect(image: Pixels): Promise<Face[]> {
    const factor = Math.max(1, Math.ceil(Math.max(image.width, image.height) / SIZE));
    const work = blockMean(image, factor);
    const width = Math.ceil(work.width / MULTIPLE) * MULTIPLE;
    const height = Math.ceil(work.height / MULTIPLE) * MULTIPLE;
    const data = this.filled(work, width, height);
    const outputs = await this.network.run(
      { name: "input", data, shape: [1, 3, height, width] },
      this.network.outputs,
    );
    const candidates = levels(outputs, width).flatMap(decoded);
    return suppressed(candidates, OVERLAP, CANDIDATES)
      .map((face) => scaled(face, factor))
      .sort((one, other) => other.width * other.height - one.width * one.height);
  }

  /** Return blue, green and red planes, 0 to 255, padded with black at the right and the bottom. */
  private filled(image: Pixels, width: number, height: number): Float32Array {
    const plane = width * height;
    // Frames of a camera are all of one size: one buffer serves them all.
    if (this.input.length !== 3 * plane) this.input = new Float32Array(3 * plane);
    const input = this.input.fill(0);
    let from = 0;
    for (let row = 0; row < image.height; row++) {
      const start = row * width;
      for (let to = start; to < start + image.width; to++, from += image.channels) {
        input[to] = image.data[from + 2]!;
        input[to + plane] = image.data[from + 1]!;
        input[to + 2 * plane] = image.data[from]!;
      }
    }
    return input;
  }
}

/** Sort YuNet's twelve outputs: four kinds, each of three strides. */
function levels(outputs: readonly Float32Array[], width: number): Level[] {
  return STRIDES.map((stride, level) => {
    const [classes, objects, boxes, points] = [0, 1, 2, 3].map(
      (kind) => outputs[level + STRIDES.length * kind],
    );
    if (!classes || !objects || !boxes || !points) throw new Error("YuNet has twelve outputs");
    return { stride, columns: width / stride, classes, objects, boxes, points };
  });
}

/** Return the faces that a level's cells see. */
function decoded(level: Level): Face[] {
  const found: Face[] = [];
  level.classes.forEach((probability, cell) => {
    const both = Math.fround(clamp(probability, 0, 1) * clamp(level.objects[cell]!, 0, 1));
    const score = Math.fround(Math.sqrt(both));
    if (score > MIN_SCORE) {
      const face = faceOf(level, cell, score);
      if (allFinite(face)) found.push(face);
    }
  });
  return found;
}

function faceOf({ stride, columns, boxes, points }: Level, cell: number, score: number): Face {
  const column = cell % columns;
  const row = Math.floor(cell / columns);
  const width = Math.exp(boxes[4 * cell + 2]!) * stride;
  const height = Math.exp(boxes[4 * cell + 3]!) * stride;
  const landmarks = Array.from({ length: LANDMARKS }, (_, index): Point => {
    const at = 2 * (LANDMARKS * cell + index);
    return [(points[at]! + column) * stride, (points[at + 1]! + row) * stride];
  });
  return {
    x: (column + boxes[4 * cell]!) * stride - width / 2,
    y: (row + boxes[4 * cell + 1]!) * stride - height / 2,
    width,
    height,
    score,
    landmarks,
  };
}

function allFinite({ x, y, width, height, landmarks }: Face): boolean {
  return [x, y, width, height, ...landmarks.flat()].every(Number.isFinite);
}

function scaled(face: Face, factor: number): Face {
  return {
    x: face.x * factor,
    y: face.y * factor,
    width: face.width * factor,
    height: face.height * factor,
    score: face.score,
    landmarks: face.landmarks.map(([x, y]): Point => [x * factor, y * factor]),
  };
}
