/** Faces over time: which face is which, and estimates that do not flicker. */
import type { Age, Attribute, Box, ClassValue, Face } from "../api/types";
import { groupOf } from "../engine/ages";

/** Seconds over which boxes and estimates are averaged. */
const BOX_SECONDS = 0.08;
const VALUE_SECONDS = 1.2;
/** So long a face is still shown after it was seen last. */
const KEPT_SECONDS = 0.5;
/** Two boxes are taken for one face if they share at least so much. */
const OVERLAP = 0.25;
/** So much more probable another label must be than the one shown. */
const LEAD = 0.08;

/** A face that is followed, with averaged estimates. */
export interface Track {
  id: number;
  face: Face;
  /** When it was seen last, in seconds. */
  seen: number;
  /** How often it was seen. */
  hits: number;
}

/** Follows the faces of a camera. */
export class Smoother {
  #tracks: Track[] = [];
  #next = 1;

  /**
   * Take the faces of a frame.
   *
   * @param faces The faces; those without a box are left out.
   * @param now When the frame was taken, in seconds.
   * @returns The faces to show, those known longest first.
   */
  update(faces: readonly Face[], now: number): Track[] {
    const free = new Set(faces.filter(({ box }) => box));
    const tracks = this.#tracks.map((track) => {
      const face = nearest(track.face.box, free);
      if (!face) return track;
      free.delete(face);
      return { ...track, face: blend(track, face, now), seen: now, hits: track.hits + 1 };
    });
    for (const face of free) tracks.push({ id: this.#next++, face, seen: now, hits: 1 });
    this.#tracks = tracks.filter(({ seen }) => now - seen <= KEPT_SECONDS);
    return this.#tracks;
  }
}

/** The share that two boxes have in common of what they cover together. */
export function overlap(a: Box, b: Box): number {
  const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (wide <= 0 || high <= 0) return 0;
  return (wide * high) / (a.width * a.height + b.width * b.height - wide * high);
}

function nearest(box: Box | null, faces: Iterable<Face>): Face | null {
  let best: Face | null = null;
  let most = OVERLAP;
  for (const face of faces) {
    const shared = box && face.box ? overlap(box, face.box) : 0;
    if (shared >= most) [best, most] = [face, shared];
  }
  return best;
}

function blend(track: Track, face: Face, now: number): Face {
  const since = Math.max(0, now - track.seen);
  // At first a plain mean of all that was seen, so that the first estimate has no more weight.
  const values = Math.max(weight(since, VALUE_SECONDS), 1 / (track.hits + 1));
  const attributes = Object.entries(face.attributes).map(([task, value]) => {
    const old = track.face.attributes[task];
    return [task, old ? blendValue(old, value, values) : value] as const;
  });
  return {
    ...face,
    box: blendBox(track.face.box, face.box, weight(since, BOX_SECONDS)),
    attributes: Object.fromEntries(attributes),
  };
}

/** How much a new value counts that comes so many seconds after the old. */
function weight(since: number, over: number): number {
  return 1 - Math.exp(-since / over);
}

function mix(old: number, value: number, share: number): number {
  return old + (value - old) * share;
}

function blendBox(old: Box | null, box: Box | null, share: number): Box | null {
  if (!old || !box) return box;
  return {
    x: mix(old.x, box.x, share),
    y: mix(old.y, box.y, share),
    width: mix(old.width, box.width, share),
    height: mix(old.height, box.height, share),
  };
}

function blendValue(old: Attribute, value: Attribute, share: number): Attribute {
  if (old.kind === "age" && value.kind === "age") return blendAge(old, value, share);
  if (old.kind === "classification" && value.kind === "classification") {
    return blendClass(old, value, share);
  }
  if (old.kind === "regression" && value.kind === "regression") {
    return { ...value, value: mix(old.value, value.value, share) };
  }
  return value;
}

function blendAge(old: Age, value: Age, share: number): Age {
  const years = mix(old.years, value.years, share);
  return {
    ...value,
    years,
    low: mix(old.low, value.low, share),
    high: mix(old.high, value.high, share),
    group: groupOf(years),
  };
}

function blendClass(old: ClassValue, value: ClassValue, share: number): ClassValue {
  const probabilities = Object.fromEntries(
    Object.entries(value.probabilities).map(([label, probability]) => [
      label,
      mix(old.probabilities[label] ?? probability, probability, share),
    ]),
  );
  const of = (label: string) => probabilities[label] ?? 0;
  const best = Object.keys(probabilities).reduce((a, b) => (of(b) > of(a) ? b : a), old.label);
  const label = of(best) > of(old.label) + LEAD ? best : old.label;
  return { ...value, label, probability: of(label), probabilities };
}
