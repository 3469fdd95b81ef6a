/** Moments in words. */
import type { Language } from "../texts";
import { dateIn } from "./period";

/** The time of day, to the second. */
export function timeText(moment: string, language: Language, zone: string): string {
  return new Date(moment).toLocaleTimeString(language, { timeZone: zone, hourCycle: "h23" });
}

/** Today a time, else a date and a time. */
export function sinceText(
  moment: string,
  language: Language,
  zone: string,
  now: Date = new Date(),
): string {
  const date = new Date(moment);
  const today = dateIn(zone, date) === dateIn(zone, now);
  return date.toLocaleString(language, {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...(today ? {} : { day: "numeric", month: "short" }),
  });
}

export function dayText(moment: string, language: Language, zone: string): string {
  return new Date(moment).toLocaleDateString(language, {
    timeZone: zone,
    day: "numeric",
    month: "short",
    year: "numeric",
  });
}
