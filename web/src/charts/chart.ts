/** What a chart shows. */
import type { Figure } from "./figures";

export type Tone = "raw" | "corrected" | "passed";

export interface ChartSlot {
  key: string;
  /** For the axis. */
  short: string;
  /** In full, for the table. */
  long: string;
}

export interface Series {
  name: string;
  /** How it is drawn; no two of a chart have the same. */
  tone: Tone;
  /** One for each slot. */
  figures: readonly Figure[];
}

export interface ChartData {
  /** What a slot is: "Hour", "Age group". */
  slot: string;
  slots: readonly ChartSlot[];
  series: readonly Series[];
}

/** Whether anything in it is hidden, or shown in part only. */
export function hides({ series }: ChartData): { whole: boolean; part: boolean } {
  const figures = series.flatMap((one) => one.figures).filter(({ hidden }) => hidden);
  return {
    whole: figures.some(({ value }) => value === null),
    part: figures.some(({ value }) => value !== null),
  };
}
