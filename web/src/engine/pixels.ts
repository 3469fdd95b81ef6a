/**
 * The two operations that move pixels, repeated exactly: block means and one bilinear affine.
 *
 * Coordinates are continuous: a picture covers [0, width] x [0, height], and the centre of the
 * pixel in column i and row j lies at (i + 0.5, j + 0.5).
 */

import { clamp, roundHalfEven } from "./rounding";

/** A picture: its pixels row by row, each red, green, blue, and with 4 channels an ignored one. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
}

/** 2 x 3 in rows: takes a point (x, y, 1) of one picture to a point of another. */
export type Matrix = readonly [number, number, number, number, number, number];

/** Columns and rows from the first to before the last. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** OpenCV counts positions in 1/1024 pixel, and rounds them to 1/32 for its weights. */
const POSITION_SCALE = 1024;
const WEIGHT_STEPS = 32;
const POSITIONS_A_STEP = POSITION_SCALE / WEIGHT_STEPS;
const WEIGHT_SUM = WEIGHT_STEPS * WEIGHT_STEPS;

/**
 * Shrink a picture by a whole factor: each pixel is the rounded mean of a block.
 *
 * @param image The picture; its rows and columns beyond the last whole block are left out.
 * @param factor Side of the square blocks in pixels, at least 1.
 * @param blocks The blocks wanted, by default all; counted in blocks from the picture's corner.
 * @returns The means, with 3 channels; the picture itself for factor 1.
 */
export function blockMean(image: Pixels, factor: number, blocks?: Window): Pixels {
  if (factor === 1) return image;
  const { left, top, right, bottom } = blocks ?? {
    left: 0,
    top: 0,
    right: blocksAlong(image.width, factor),
    bottom: blocksAlong(image.height, factor),
  };
  // A side shorter than one block becomes a single pixel.
  const columns = Math.min(factor, image.width);
  const rows = Math.min(factor, image.height);
  const mean = rounding(columns, rows);
  const width = right - left;
  const data = new Uint8Array(width * (bottom - top) * 3);
  const sums = new Float64Array(width * 3);
  for (let row = top; row < bottom; row++) {
    sums.fill(0);
    for (let y = row * factor; y < row * factor + rows; y++) {
      addRow(sums, image, y, left * factor, columns);
    }
    const start = (row - top) * width * 3;
    for (let i = 0; i < sums.length; i++) data[start + i] = mean(sums[i]!);
  }
  return { data, width, height: bottom - top, channels: 3 };
}

/** Return how many blocks lie along a side; a side shorter than one counts as one. */
export function blocksAlong(side: number, factor: number): number {
  return Math.max(1, Math.floor(side / factor));
}

/** Add a row of pixels to the sums of the blocks that it goes through. */
function addRow(
  sums: Float64Array,
  { data, width, channels }: Pixels,
  y: number,
  left: number,
  columns: number,
): void {
  let at = (y * width + left) * channels;
  for (let i = 0; i < sums.length; i += 3) {
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let end = at + columns * channels; at < end; at += channels) {
      red += data[at]!;
      green += data[at + 1]!;
      blue += data[at + 2]!;
    }
    sums[i]! += red;
    sums[i + 1]! += green;
    sums[i + 2]! += blue;
  }
}

/** Return what makes a rounded mean of a block's sum, as OpenCV does. */
function rounding(columns: number, rows: number): (sum: number) => number {
  if (columns === 2 && rows === 2) return (sum) => (sum + 2) >> 2;
  const scale = Math.fround(1 / (columns * rows));
  return (sum) => roundHalfEven(Math.fround(sum * scale));
}

/**
 * Resample a picture by one bilinear affine; beyond its border the last pixels repeat.
 *
 * @param image The picture.
 * @param matrix Takes continuous coordinates of the result to continuous coordinates of `image`.
 * @param width Columns of the result.
 * @param height Rows of the result.
 * @returns `height` x `width`, with 3 channels.
 */
export function affine(image: Pixels, matrix: Matrix, width: number, height: number): Pixels {
  const [a, b, c, d, e, f] = matrix;
  // From pixel centres at half numbers to OpenCV's, which lie at whole numbers.
  const x0 = c + (a + b) / 2 - 0.5;
  const y0 = f + (d + e) / 2 - 0.5;
  const data = new Uint8Array(width * height * 3);
  const half = POSITIONS_A_STEP / 2;
  let at = 0;
  for (let row = 0; row < height; row++) {
    const startX = roundHalfEven((b * row + x0) * POSITION_SCALE) + half;
    const startY = roundHalfEven((e * row + y0) * POSITION_SCALE) + half;
    for (let column = 0; column < width; column++, at += 3) {
      const x = startX + roundHalfEven(a * column * POSITION_SCALE);
      const y = startY + roundHalfEven(d * column * POSITION_SCALE);
      interpolate(
        image,
        Math.floor(x / POSITIONS_A_STEP),
        Math.floor(y / POSITIONS_A_STEP),
        data,
        at,
      );
    }
  }
  return { data, width, height, channels: 3 };
}

/** Write the bilinear mean about a position, given in 1/32 pixel, as three bytes at `at`. */
function interpolate(image: Pixels, x: number, y: number, out: Uint8Array, at: number): void {
  const { data, width, height, channels } = image;
  const column = Math.floor(x / WEIGHT_STEPS);
  const row = Math.floor(y / WEIGHT_STEPS);
  const right = x - column * WEIGHT_STEPS;
  const lower = y - row * WEIGHT_STEPS;
  const above = clamp(row, 0, height - 1) * width;
  const below = clamp(row + 1, 0, height - 1) * width;
  const before = clamp(column, 0, width - 1);
  const after = clamp(column + 1, 0, width - 1);
  const p = (above + before) * channels;
  const q = (above + after) * channels;
  const r = (below + before) * channels;
  const s = (below + after) * channels;
  for (let i = 0; i < 3; i++) {
    const upperSum = data[p + i]! * (WEIGHT_STEPS - right) + data[q + i]! * right;
    const lowerSum = data[r + i]! * (WEIGHT_STEPS - right) + data[s + i]! * right;
    const sum = upperSum * (WEIGHT_STEPS - lower) + lowerSum * lower;
    out[at + i] = Math.floor((sum + WEIGHT_SUM / 2) / WEIGHT_SUM);
  }
}
