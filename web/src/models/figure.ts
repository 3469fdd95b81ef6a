/** A measured figure in the reader's language. */
import type { Language } from "../texts";
import { decimal, percent } from "../ui/numbers";
import { inYears } from "./metrics";

export function shown(name: string, value: number, language: Language): string {
  return inYears(name) ? decimal(value, language, 2) : percent(value, language, 1);
}
