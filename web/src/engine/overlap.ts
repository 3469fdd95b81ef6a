/** Non-maximum suppression: of boxes that overlap, the one with the best score stays. */

export interface Scored {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly score: number;
}

/**
 * Return the boxes that stay, the best first, as OpenCV's `NMSBoxes` chooses them.
 *
 * @param boxes The candidates; of equal scores the earlier one comes first.
 * @param limit Two boxes may share this part of the area that they cover together.
 * @param most Only so many of the best are looked at.
 */
export function suppressed<Box extends Scored>(
  boxes: readonly Box[],
  limit: number,
  most: number,
): Box[] {
  const best = [...boxes].sort((one, other) => other.score - one.score).slice(0, most);
  const kept: Box[] = [];
  for (const box of best) {
    if (kept.every((other) => overlap(box, other) <= limit)) kept.push(box);
  }
  return kept;
}

/** Return what two boxes share, relative to what they cover together: 0 to 1. */
export function overlap(one: Scored, other: Scored): number {
  const areas = one.width * one.height + other.width * other.height;
  if (areas <= Number.EPSILON) return 1;
  const width = shared(one.x, one.width, other.x, other.width);
  const both = width * shared(one.y, one.height, other.y, other.height);
  return both / (areas - both);
}

function shared(start: number, length: number, otherStart: number, otherLength: number): number {
  const end = Math.min(start + length, otherStart + otherLength);
  return Math.max(0, end - Math.max(start, otherStart));
}
