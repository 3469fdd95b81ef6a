/** A picture in, its faces with their attributes out. */

import type { AttributeValue } from "./attributes";
import type { Detector } from "./detector";
import type { Model } from "./model";
import type { Pixels } from "./pixels";
import { crop, viewOf, type Point } from "./view";

/** A face, shaped as in the service's answer to POST /v1/analyze. */
export interface FaceResult {
  readonly box: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
  readonly score: number;
  readonly landmarks: readonly Point[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** Which faces are read. */
export interface FaceOptions {
  /** Faces narrower than this many pixels are left out; by default none. */
  readonly minFace?: number | undefined;
  /** At most so many faces, the largest; by default all. */
  readonly maxFaces?: number | undefined;
}

export class Reader {
  constructor(
    private readonly detector: Pick<Detector, "detect">,
    private readonly model: Pick<Model, "size" | "template" | "read">,
    private readonly options: FaceOptions,
  ) {}

  /** Read the faces of a picture, the largest first. */
  async read(image: Pixels): Promise<FaceResult[]> {
    const { minFace = 0, maxFaces = Infinity } = this.options;
    const found = await this.detector.detect(image);
    const faces = found.filter((face) => face.width >= minFace).slice(0, maxFaces);
    const { size, template } = this.model;
    const crops = faces.map(({ landmarks }) => crop(image, viewOf(landmarks, template), size));
    const attributes = await this.model.read(crops);
    return faces.map(({ x, y, width, height, score, landmarks }, index) => ({
      box: { x, y, width, height },
      score: Math.min(1, score),
      landmarks,
      attributes: attributes[index]!,
    }));
  }

  /** Run both networks once, which the first run makes slow. */
  async warmUp(): Promise<void> {
    const [width, height, side] = [640, 480, this.model.size];
    const black = (w: number, h: number): Pixels => ({
      data: new Uint8Array(w * h * 3),
      width: w,
      height: h,
      channels: 3,
    });
    await this.detector.detect(black(width, height));
    await this.model.read([black(side, side)]);
  }
}
