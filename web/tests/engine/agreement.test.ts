/**
 * The engine and Python say the same of the same pixels.
 *
 * tests/web/test_engine_agreement.py writes what Python says into the folder MIEN_REFERENCE and
 * runs this; without it there is nothing to compare with.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import * as ort from "onnxruntime-web/wasm";
import { beforeAll, describe, expect, it } from "vitest";

import { readAge } from "../../src/engine/ages";
import { chosenTasks, type ModelSummary } from "../../src/engine/card";
import { Detector } from "../../src/engine/detector";
import { Model } from "../../src/engine/model";
import { affine, blockMean, type Matrix, type Pixels } from "../../src/engine/pixels";
import { Reader, type FaceResult } from "../../src/engine/reader";
import { openNetwork } from "../../src/engine/runtime";
import { crop, viewOf } from "../../src/engine/view";

interface Raw {
  file: string;
  width: number;
  height: number;
}

interface Reference {
  summary: ModelSummary;
  tasks: string[];
  photos: { name: string; picture: Raw; faces: FaceResult[]; crops: Raw[] }[];
  means: { factor: number; from: Raw; to: Raw }[];
  affines: { matrix: Matrix; from: Raw; to: Raw }[];
  ages: { distribution: number[]; years: number; low: number; high: number; group: string }[];
}

const folder = process.env["MIEN_REFERENCE"];
const MINUTE = 60_000;

function bytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder!, name)));
}

function pixels({ file, width, height }: Raw): Pixels {
  return { data: bytes(file), width, height, channels: 3 };
}

function withAlpha({ data, width, height }: Pixels): Pixels {
  const four = Uint8Array.from({ length: width * height * 4 }, (_, index) =>
    index % 4 === 3 ? 255 : data[3 * (index >> 2) + (index % 4)]!,
  );
  return { data: four, width, height, channels: 4 };
}

/** Return how many levels apart the pixels are, at most, and the share of those that differ. */
function apart(one: Pixels["data"], other: Uint8Array): { most: number; share: number } {
  expect(one).toHaveLength(other.length);
  let [most, count] = [0, 0];
  for (let at = 0; at < one.length; at++) {
    const levels = Math.abs(one[at]! - other[at]!);
    most = Math.max(most, levels);
    if (levels > 0) count++;
  }
  return { most, share: count / one.length };
}

const NOT_AT_ALL = { most: 0, share: 0 };

describe.skipIf(!folder)("agreement with Python", () => {
  let reference: Reference;
  let reader: Reader;

  beforeAll(async () => {
    reference = JSON.parse(readFileSync(join(folder!, "reference.json"), "utf8")) as Reference;
    ort.env.wasm.numThreads = 1;
    const { summary, tasks } = reference;
    const detector = new Detector(await openNetwork(bytes("detector.onnx"), "The face detector"));
    const network = await openNetwork(bytes("model.onnx"), "The model");
    const model = new Model(network, summary, chosenTasks(summary.card.tasks, tasks));
    reader = new Reader(detector, model, {});
  }, 2 * MINUTE);

  it("takes the very same block means", () => {
    expect(reference.means.length).toBeGreaterThan(5);
    for (const { factor, from, to } of reference.means) {
      const { data, width, height } = blockMean(pixels(from), factor);
      expect([width, height]).toEqual([to.width, to.height]);
      expect(apart(data, bytes(to.file))).toEqual(NOT_AT_ALL);
    }
  });

  it("resamples to the very same pixels", () => {
    expect(reference.affines.length).toBeGreaterThan(5);
    for (const { matrix, from, to } of reference.affines) {
      for (const image of [pixels(from), withAlpha(pixels(from))]) {
        const { data } = affine(image, matrix, to.width, to.height);
        expect(apart(data, bytes(to.file))).toEqual(NOT_AT_ALL);
      }
    }
  });

  it("cuts the same crops", () => {
    const { size, landmarks: template } = reference.summary.card.input;
    for (const { picture, faces, crops } of reference.photos) {
      const image = pixels(picture);
      faces.forEach(({ landmarks }, index) => {
        const { data } = crop(image, viewOf(landmarks, template), size);
        const { most, share } = apart(data, bytes(crops[index]!.file));
        // A position at the very border between two steps of 1/32 pixel may be rounded apart.
        expect(most).toBeLessThanOrEqual(8);
        expect(share).toBeLessThan(0.001);
      });
    }
  });

  it("reads the same ages from the same distributions", () => {
    const margins = reference.summary.card.tasks.find(({ kind }) => kind === "age")!.intervals;
    for (const { distribution, years, low, high, group } of reference.ages) {
      const age = readAge(Float32Array.from(distribution), margins);
      expect(age.years).toBeCloseTo(years, 9);
      expect(age.low).toBeCloseTo(low, 9);
      expect(age.high).toBeCloseTo(high, 9);
      expect(age.group).toBe(group);
    }
  });

  it(
    "reads photographs, for Python to compare",
    async () => {
      const found: Record<string, FaceResult[]> = {};
      for (const { name, picture, faces } of reference.photos) {
        found[name] = await reader.read(withAlpha(pixels(picture)));
        expect(found[name]).toHaveLength(faces.length);
      }
      writeFileSync(join(folder!, "found.json"), JSON.stringify(found));
    },
    5 * MINUTE,
  );
});
