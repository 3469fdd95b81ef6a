/** Reads a playing video's frames one after the other, and follows the faces in it. */
import { type RefObject, useEffect, useState } from "react";
import type { Failure } from "../api/failure";
import type { Model } from "../api/types";
import { type Pace, PaceMeter } from "./rate";
import { type FrameReader, type ReaderOptions, openReader, readerFailure } from "./reader";
import { Smoother, type Track } from "./smoothing";

export interface Readings extends Pace {
  state: "opening" | "running" | "failed";
  failure: Failure | null;
  /** What reads the frames. */
  model: Model | null;
  width: number;
  height: number;
  tracks: Track[];
}

const NOTHING: Readings = {
  state: "opening",
  failure: null,
  model: null,
  width: 0,
  height: 0,
  tracks: [],
  rate: null,
  latency: null,
};
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15_000;

/**
 * What is read from a video.
 *
 * @param video Shows the camera.
 * @param on Whether it plays.
 * @param options Where and what is read; reading begins anew when one of them changes.
 */
export function useReadings(
  video: RefObject<HTMLVideoElement | null>,
  on: boolean,
  { engine, server, service, race }: ReaderOptions,
): Readings {
  const [readings, setReadings] = useState(NOTHING);
  const { url, key } = server;
  useEffect(() => {
    if (!on) return;
    const control = new AbortController();
    const options = { engine, server: { url, key }, service, race };
    void keepReading(video, options, control.signal, (part) => {
      if (!control.signal.aborted) setReadings((old) => ({ ...old, ...part }));
    });
    return () => {
      control.abort();
      setReadings(NOTHING);
    };
  }, [video, on, engine, url, key, service, race]);
  return readings;
}

type Report = (part: Partial<Readings>) => void;

/** Read until told to stop; after a failure begin again, each time a little later. */
async function keepReading(
  video: RefObject<HTMLVideoElement | null>,
  options: ReaderOptions,
  signal: AbortSignal,
  report: Report,
): Promise<void> {
  let wait = FIRST_WAIT;
  while (!signal.aborted) {
    let reader: FrameReader | null = null;
    try {
      const opened = await openReader(options);
      reader = opened.reader;
      signal.addEventListener("abort", () => reader?.close());
      if (signal.aborted) return reader.close();
      report({ state: "running", failure: null, model: opened.model });
      await readFrames(video, reader, signal, (part) => {
        wait = FIRST_WAIT;
        report(part);
      });
    } catch (thrown) {
      reader?.close();
      if (signal.aborted) return;
      const failure = readerFailure(thrown);
      report({ ...NOTHING, state: "failed", failure });
      // Only what may pass by itself is tried again.
      if (failure.kind !== "unreachable" && failure.kind !== "busy") return;
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
  }
}

async function readFrames(
  video: RefObject<HTMLVideoElement | null>,
  reader: FrameReader,
  signal: AbortSignal,
  report: Report,
): Promise<void> {
  const [smoother, meter] = [new Smoother(), new PaceMeter()];
  while (!signal.aborted) {
    const element = video.current;
    const reading = element && (await reader.read(element));
    if (signal.aborted) return;
    if (reading) {
      const now = performance.now() / 1000;
      const { width, height, faces, latency } = reading;
      report({
        width,
        height,
        tracks: smoother.update(faces, now),
        ...meter.add(now, latency),
      });
    }
    await nextFrame(element);
  }
}

/** Wait for the video's next picture; none comes while the page is out of sight. */
function nextFrame(video: HTMLVideoElement | null): Promise<unknown> {
  return new Promise((resolve) => {
    if (video && "requestVideoFrameCallback" in video) video.requestVideoFrameCallback(resolve);
    else requestAnimationFrame(resolve);
  });
}
