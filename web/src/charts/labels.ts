/** Which slots get a label below the axis, so that labels do not run into each other. */
import type { ChartSlot } from "./chart";

const LETTER = 7.5;
const GAP = 8;

export function labelled(slots: readonly ChartSlot[], width: number): string[] {
  const longest = Math.max(0, ...slots.map(({ short }) => short.length)) * LETTER + GAP;
  const each = Math.max(1, Math.ceil((longest * slots.length) / Math.max(1, width)));
  return slots.filter((_, n) => n % each === 0).map(({ key }) => key);
}
