/** What was read from a face, in words. */
import type { Age, Attribute, Face } from "../api/types";
import { type Texts, titled, word } from "../texts";
import type { Language } from "../texts";
import { decimal, percent } from "../ui/numbers";

/** The face's age, if its model tells one. */
export function ageOf(face: Face): Age | null {
  return Object.values(face.attributes).find((value) => value.kind === "age") ?? null;
}

/** The words of the blue box. */
export function ageResult(age: Age, texts: Texts): string {
  return texts.photo.result(Math.round(age.years), titled(texts, age.group));
}

/** Lines for beside a face's box: the age with its interval, then each class. */
export function boxLines(face: Face, texts: Texts, language: Language): string[] {
  return Object.values(face.attributes).map((value) => lineOf(value, texts, language));
}

function lineOf(value: Attribute, texts: Texts, language: Language): string {
  switch (value.kind) {
    case "age": {
      const interval = `${Math.round(value.low)}–${Math.round(value.high)}`;
      return `${texts.face.years(String(Math.round(value.years)))} (${interval})`;
    }
    case "classification":
      return `${word(texts, value.label)} ${percent(value.probability, language)}`;
    case "regression":
      return `${decimal(value.value, language, 1)} ${value.unit}`.trim();
  }
}
