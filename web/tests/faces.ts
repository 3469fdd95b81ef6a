/** Faces for tests. */
import type { Age, Box, ClassValue, Face, Picture } from "../src/api/types";

export const BOX: Box = { x: 10, y: 20, width: 40, height: 50 };

export function age(years: number, group = "youth"): Age {
  return { kind: "age", years, low: years - 7, high: years + 8, level: 0.9, group };
}

export function gender(female: number): ClassValue {
  const label = female > 0.5 ? "female" : "male";
  const probabilities = { male: 1 - female, female };
  return { kind: "classification", label, probability: probabilities[label], probabilities };
}

export function face(attributes: Face["attributes"], box: Box | null = BOX): Face {
  return { box, score: 0.9, landmarks: [], attributes };
}

export function picture(...faces: Face[]): Picture {
  const plain = faces.map((one) => ({ ...one, landmarks: [] }));
  return { width: 640, height: 480, faces: plain, error: null };
}
