/** A video's picture of now, as a JPEG. */

interface Options {
  /** 0 to 1. */
  quality: number;
  /** The longer side is at most so many pixels. */
  longest?: number;
}

/** The picture; null as long as the video has none. */
export function grab(
  video: HTMLVideoElement,
  { quality, longest = Infinity }: Options,
): Promise<Blob | null> {
  const { videoWidth: width, videoHeight: height } = video;
  if (!width || !height) return Promise.resolve(null);
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}
