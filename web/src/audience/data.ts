/** Charts out of rows: one slot for each age group, hour, day or week. */
import type { AudienceRow } from "../api/types";
import type { Days } from "../api/watch";
import type { ChartData, ChartSlot, Series, Tone } from "../charts/chart";
import { type Figure, type Kind, NONE, figureOf } from "../charts/figures";
import { type Language, type Texts, titled } from "../texts";
import { type Place } from "./places";
import { type Slot, type Step, keyOf, slotsOf } from "./period";

/** In which words a chart is written. */
export interface Reader {
  texts: Texts;
  language: Language;
  zone: string;
}

const TONES = { visits: "raw", corrected: "corrected", passed: "passed" } as const;

/** The rows of one place, or all where they are not parted by place. */
export function rowsOf(rows: readonly AudienceRow[], place: Place | null): AudienceRow[] {
  return rows.filter(
    ({ camera, area }) => !place || (camera === place.camera && area === place.area),
  );
}

/** Age groups: as read and corrected side by side, and who passed where a tally tells. */
export function agesData(
  rows: readonly AudienceRow[],
  groups: readonly string[],
  { texts }: Reader,
): ChartData {
  const found = groups.map((group) => rows.find(({ age }) => age === group));
  const slots = groups.map((group) => {
    const name = titled(texts, group);
    return { key: group, short: name, long: name };
  });
  const kinds: Kind[] = ["visits", "corrected", "passed"];
  return { slot: texts.audience.charts.slot.age, slots, series: seriesOf(found, kinds, texts) };
}

/** Visits over time: of one age group as read and corrected, of all as they are. */
export function timeData(
  rows: readonly AudienceRow[],
  { step, days, group }: { step: Step; days: Days; group: string },
  reader: Reader,
): ChartData {
  const { texts, zone } = reader;
  const slots = slotsOf(step, days, rows, zone);
  const byKey = new Map(
    rows.flatMap((row) =>
      row.start && (!group || row.age === group) ? [[keyOf(row.start, step, zone), row]] : [],
    ),
  );
  const found = slots.map(({ key }) => byKey.get(key));
  const kinds: Kind[] = group ? ["visits", "corrected", "passed"] : ["visits", "passed"];
  return {
    slot: texts.audience.charts.slot[step],
    slots: slots.map((slot) => slotWords(slot, step, days, reader)),
    series: seriesOf(found, kinds, texts),
  };
}

function seriesOf(
  rows: readonly (AudienceRow | undefined)[],
  kinds: readonly Kind[],
  texts: Texts,
): Series[] {
  const { raw, corrected, passed } = texts.audience.charts;
  const names = { visits: raw, corrected, passed };
  return kinds.flatMap((kind) => {
    // Without an age group there is nothing to correct, and without a tally nobody knows who passed.
    if (kind !== "visits" && rows.every((row) => !row?.[kind])) return [];
    const figures = rows.map((row) => figureOf(row, kind));
    return [{ name: names[kind], tone: TONES[kind], figures }];
  });
}

function slotWords(slot: Slot, step: Step, days: Days, reader: Reader): ChartSlot {
  const { texts, language, zone } = reader;
  const format = (options: Intl.DateTimeFormatOptions) =>
    slot.start.toLocaleString(language, { timeZone: zone, ...options });
  const date = format({ weekday: "short", day: "numeric", month: "short" });
  if (step === "hour") {
    const time = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const oneDay = days.from === days.to;
    return { key: slot.key, short: time, long: oneDay ? time : `${date}, ${time}` };
  }
  const short = format({ day: "numeric", month: "numeric" });
  return { key: slot.key, short, long: step === "week" ? texts.audience.charts.weekOf(date) : date };
}

/** Two charts as one, with one of the series of each. */
export function beside(
  here: ChartData,
  there: ChartData,
  names: readonly [string, string],
  tone: Tone,
): ChartData {
  const known = new Set(here.slots.map(({ key }) => key));
  const others = there.slots.filter(({ key }) => !known.has(key));
  const slots = others.length
    ? [...here.slots, ...others].sort((a, b) => (a.key < b.key ? -1 : 1))
    : here.slots;
  const figures = (data: ChartData): Figure[] => {
    const found = data.series.find((one) => one.tone === tone)?.figures ?? [];
    const byKey = new Map(data.slots.map(({ key }, n) => [key, found[n]]));
    return slots.map(({ key }) => byKey.get(key) ?? NONE);
  };
  return {
    slot: here.slot,
    slots,
    series: [
      { name: names[0], tone: "corrected", figures: figures(here) },
      { name: names[1], tone: "raw", figures: figures(there) },
    ],
  };
}

/**
 * The same with slots that other days have, too: the time of day, or which day or week it is.
 *
 * @param numbered What the n-th day or week is called; null for hours of one day.
 */
export function comparable(data: ChartData, numbered: ((n: number) => string) | null): ChartData {
  const slots = data.slots.map(({ short, long }, n, all) => {
    if (!numbered) {
      // Where the clocks go back an hour comes twice.
      const again = all.slice(0, n).filter((slot) => slot.short === short).length;
      return { key: again ? `${short} ${again}` : short, short, long };
    }
    const number = String(n + 1);
    return { key: number.padStart(4, "0"), short: number, long: numbered(n + 1) };
  });
  return { ...data, slots };
}
