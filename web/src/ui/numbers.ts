/** Numbers as the reader's language writes them. */
import type { Language } from "../texts";

/** With a fixed number of digits after the point. */
export function decimal(value: number, language: Language, digits: number): string {
  return value.toLocaleString(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** A share in percent. */
export function percent(share: number, language: Language, digits = 0): string {
  return share.toLocaleString(language, {
    style: "percent",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** A whole number. */
export function count(value: number, language: Language): string {
  return value.toLocaleString(language);
}
