/** Pictures to pixels, in a worker: upright, on white, without their colour profiles. */

import { EngineError } from "./errors";
import type { Frame } from "./messages";
import type { Pixels } from "./pixels";

const MOST_PIXELS = 100_000_000;

let canvas: OffscreenCanvas | undefined;

/**
 * Return a picture's pixels. An ImageBitmap is closed.
 *
 * @throws EngineError It is no picture that this browser reads, or one that is too large.
 */
export async function pixelsOf(frame: Frame): Promise<Pixels> {
  if (frame instanceof ImageData) return { ...sizeOf(frame), data: frame.data, channels: 4 };
  const bitmap = frame instanceof Blob ? await decoded(frame) : frame;
  try {
    return drawn(bitmap);
  } finally {
    bitmap.close();
  }
}

async function decoded(blob: Blob): Promise<ImageBitmap> {
  return createImageBitmap(blob, {
    imageOrientation: "from-image",
    colorSpaceConversion: "none",
  }).catch(() => {
    throw new EngineError(
      "picture",
      "This is no picture that the browser can read. Use a JPEG, PNG or WebP file.",
    );
  });
}

function drawn(bitmap: ImageBitmap): Pixels {
  const { width, height } = sizeOf(bitmap);
  const context = contextOf(width, height);
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  return { data: context.getImageData(0, 0, width, height).data, width, height, channels: 4 };
}

function contextOf(width: number, height: number): OffscreenCanvasRenderingContext2D {
  canvas ??= new OffscreenCanvas(width, height);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context) return context;
  throw new EngineError(
    "browser",
    `This browser gives no canvas of ${width} x ${height} pixels. Use a smaller picture.`,
  );
}

function sizeOf({ width, height }: ImageBitmap | ImageData): { width: number; height: number } {
  if (width * height > 0 && width * height <= MOST_PIXELS) return { width, height };
  throw new EngineError(
    "picture",
    `The picture has ${width} x ${height} pixels. Use one of at least 1 and at most ` +
      `${MOST_PIXELS} pixels.`,
  );
}
