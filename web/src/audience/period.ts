/** Days and hours as the store's time zone has them. */
import type { Days } from "../api/watch";
import type { AudienceRow } from "../api/types";

export const PERIODS = ["today", "yesterday", "week", "month", "custom"] as const;
export type Period = (typeof PERIODS)[number];
export const STEPS = ["hour", "day", "week"] as const;
export type Step = (typeof STEPS)[number];

const DAY = 86_400_000;
const HOUR = 3_600_000;
// More bars than that cannot be told apart.
const LONGEST_BY_HOUR = 3;
const LONGEST_BY_DAY = 92;

/** The local date of a moment, as 2026-03-02. */
export function dateIn(zone: string, moment: Date): string {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).formatToParts(moment);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY).toISOString().slice(0, 10);
}

/** How many days a period has; 0 where it ends before it begins or is none. */
export function lengthOf({ from, to }: Days): number {
  const days = (Date.parse(to) - Date.parse(from)) / DAY + 1;
  return Number.isFinite(days) ? Math.max(0, days) : 0;
}

/** The days of a period that has a name. */
export function daysOf(period: Period, today: string, custom: Days): Days {
  switch (period) {
    case "today":
      return { from: today, to: today };
    case "yesterday":
      return { from: addDays(today, -1), to: addDays(today, -1) };
    case "week":
      return { from: addDays(today, -6), to: today };
    case "month":
      return { from: addDays(today, -27), to: today };
    case "custom":
      return custom;
  }
}

/** The period of the same length that ends where another begins. */
export function before(days: Days): Days {
  return { from: addDays(days.from, -lengthOf(days)), to: addDays(days.from, -1) };
}

/** The steps that a period may be parted by; the first is the usual one. */
export function stepsOf(days: Days): Step[] {
  const length = lengthOf(days);
  if (length <= 1) return ["hour"];
  const fitting: Step[] = [];
  if (length <= LONGEST_BY_DAY) fitting.push("day");
  if (length > 7) fitting.push("week");
  if (length <= LONGEST_BY_HOUR) fitting.push("hour");
  return fitting;
}

export interface Slot {
  /** Its first moment (hours), or its first local date. */
  key: string;
  start: Date;
}

/** What the row of a moment is looked up by. */
export function keyOf(start: string, step: Step, zone: string): string {
  const moment = new Date(start);
  return step === "hour" ? moment.toISOString() : dateIn(zone, moment);
}

/**
 * All hours, days or weeks of a period, also those without a row.
 *
 * Hours go from the first to the last that has one: a shop's night is no gap in its day.
 */
export function slotsOf(step: Step, days: Days, rows: readonly AudienceRow[], zone: string): Slot[] {
  if (step === "hour") return hoursOf(rows);
  const slots: Slot[] = [];
  const width = step === "week" ? 7 : 1;
  let date = step === "week" ? monday(days.from) : days.from;
  for (; date <= days.to; date = addDays(date, width)) {
    // Noon has the same date in all zones that are at most eleven hours away.
    slots.push({ key: date, start: noonIn(zone, date) });
  }
  return slots;
}

function hoursOf(rows: readonly AudienceRow[]): Slot[] {
  const moments = rows.flatMap(({ start }) => (start ? [Date.parse(start)] : []));
  if (moments.length === 0) return [];
  const [first, last] = [Math.min(...moments), Math.max(...moments)];
  const slots: Slot[] = [];
  for (let moment = first; moment <= last; moment += HOUR) {
    const start = new Date(moment);
    slots.push({ key: start.toISOString(), start });
  }
  return slots;
}

function monday(date: string): string {
  const weekday = (new Date(date).getUTCDay() + 6) % 7;
  return addDays(date, -weekday);
}

/** A moment of a date that has that date in the zone. */
function noonIn(zone: string, date: string): Date {
  const noon = Date.parse(date) + 12 * HOUR;
  return (
    [0, -12 * HOUR, 12 * HOUR]
      .map((shift) => new Date(noon + shift))
      .find((moment) => dateIn(zone, moment) === date) ?? new Date(noon)
  );
}
