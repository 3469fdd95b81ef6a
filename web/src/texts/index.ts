/** The dictionaries, and the words for what a model names. */
import { type Texts, type Word, en } from "./en";
import { vi } from "./vi";

export type { Texts } from "./en";

export const dictionaries = { en, vi };
export type Language = keyof typeof dictionaries;
export const LANGUAGES = Object.keys(dictionaries) as Language[];

/** The language to begin with: the first that the reader prefers and the page knows. */
export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const language = LANGUAGES.find((known) => tag.toLowerCase().split("-")[0] === known);
    if (language) return language;
  }
  return "en";
}

/** A label or task of a model in the reader's language; as it stands where it is not known. */
export function word(texts: Texts, name: string): string {
  return Object.hasOwn(texts.words, name) ? texts.words[name as Word] : name;
}

/** The same with a capital letter. */
export function titled(texts: Texts, name: string): string {
  const found = word(texts, name);
  return found.charAt(0).toLocaleUpperCase() + found.slice(1);
}
