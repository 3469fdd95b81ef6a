/** Frames a second and latency, over the last seconds. */
const SECONDS = 2;

export interface Pace {
  /** Frames a second; null before two frames were read. */
  rate: number | null;
  /** Milliseconds from a frame to its result: the median; null before the first. */
  latency: number | null;
}

export class PaceMeter {
  #frames: { at: number; latency: number }[] = [];

  /**
   * Take a result.
   *
   * @param at When it came, in seconds.
   * @param latency Milliseconds from its frame.
   */
  add(at: number, latency: number): Pace {
    this.#frames = [...this.#frames, { at, latency }].filter((frame) => at - frame.at <= SECONDS);
    const [oldest] = this.#frames;
    const span = oldest ? at - oldest.at : 0;
    return {
      rate: span > 0 ? (this.#frames.length - 1) / span : null,
      latency: median(this.#frames.map((frame) => frame.latency)),
    };
  }
}

/** The value in the middle; null of none. */
export function median(values: number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.floor(sorted.length / 2)];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
