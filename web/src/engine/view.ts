/** Views of faces, and the crops that a network takes of them. */

import { affine, blockMean, blocksAlong, type Matrix, type Pixels, type Window } from "./pixels";
import { clamp } from "./rounding";

/** A position: x to the right and y down. */
export type Point = readonly [number, number];

/** Positions are read from a little beyond the view, as the affine rounds and has neighbours. */
const MARGIN = 2;

/**
 * Return the view that shows a face upright, where its landmarks best meet the template: the
 * similarity with the least squared distance between the points, in closed form over complex
 * numbers.
 *
 * @param landmarks Five points in the picture.
 * @param template Where they should lie, in units of the view.
 * @returns Takes the view's unit square to the picture.
 */
export function viewOf(landmarks: readonly Point[], template: readonly Point[]): Matrix {
  const [sourceX, sourceY] = mean(template);
  const [targetX, targetY] = mean(landmarks);
  let real = 0;
  let imaginary = 0;
  let size = 0;
  template.forEach(([x, y], index) => {
    const [u, v] = [x - sourceX, y - sourceY];
    const [p, q] = landmarks[index]!;
    real += u * p + v * q;
    imaginary += u * q - v * p;
    size += u * u + v * v;
  });
  const [a, b] = [real / size, imaginary / size];
  const x = targetX - (a * sourceX - b * sourceY);
  const y = targetY - (b * sourceX + a * sourceY);
  return [a, -b, x, b, a, y];
}

/**
 * Cut a square view out of a picture: shrink by whole blocks first, then one affine.
 *
 * @param image The picture.
 * @param view Takes the unit square of the view to the picture.
 * @param size Side of the result in pixels.
 * @returns `size` x `size`, with 3 channels.
 */
export function crop(image: Pixels, view: Matrix, size: number): Pixels {
  const [a, b, c, d, e, f] = view;
  const side = Math.sqrt(Math.abs(a * e - b * d));
  const factor = Math.max(1, Math.floor(side / size));
  const scale = factor * size;
  if (factor === 1) {
    return affine(image, [a / scale, b / scale, c, d / scale, e / scale, f], size, size);
  }
  // Only the blocks under the view need averaging.
  const blocks = blocksUnder(image, view, factor);
  const left = blocks.left * factor;
  const top = blocks.top * factor;
  return affine(
    blockMean(image, factor, blocks),
    [a / scale, b / scale, (c - left) / factor, d / scale, e / scale, (f - top) / factor],
    size,
    size,
  );
}

function blocksUnder(image: Pixels, [a, b, c, d, e, f]: Matrix, factor: number): Window {
  const xs = [c, c + a, c + b, c + a + b].map((x) => x / factor);
  const ys = [f, f + d, f + e, f + d + e].map((y) => y / factor);
  const [left, right] = reach(xs, blocksAlong(image.width, factor));
  const [top, bottom] = reach(ys, blocksAlong(image.height, factor));
  return { left, top, right, bottom };
}

/** Return the blocks from the lowest position to the highest; at least one, the nearest. */
function reach(positions: readonly number[], limit: number): [number, number] {
  const low = clamp(Math.floor(Math.min(...positions)) - MARGIN, 0, limit - 1);
  return [low, clamp(Math.ceil(Math.max(...positions)) + MARGIN, low + 1, limit)];
}

function mean(points: readonly Point[]): Point {
  const count = points.length;
  return [
    points.reduce((sum, [x]) => sum + x, 0) / count,
    points.reduce((sum, [, y]) => sum + y, 0) / count,
  ];
}
