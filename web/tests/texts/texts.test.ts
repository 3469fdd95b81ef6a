import { describe, expect, it } from "vitest";
import { dictionaries, preferredLanguage, titled, word } from "../../src/texts";

describe("preferredLanguage", () => {
  it.each([
    [["vi-VN", "en"], "vi"],
    [["fr", "en-GB", "vi"], "en"],
    [["VI"], "vi"],
    [["de"], "en"],
    [[], "en"],
  ])("of %j is %s", (wanted, language) => {
    expect(preferredLanguage(wanted)).toBe(language);
  });
});

describe("word", () => {
  it("translates what it knows, and leaves the rest", () => {
    expect(word(dictionaries.vi, "female")).toBe("nữ");
    expect(word(dictionaries.vi, "toString")).toBe("toString");
    expect(titled(dictionaries.en, "youth")).toBe("Youth");
    expect(titled(dictionaries.en, "")).toBe("");
  });
});

describe("the dictionaries", () => {
  it("give the published results", () => {
    const results = Object.values(dictionaries).map(({ photo }) => photo.result(30, "X"));
    expect(results).toEqual(["Age: 30 Group: X", "Độ tuổi: 30 Nhóm: X"]);
    expect(dictionaries.en.photo.noFace).toBe("Sorry! Can not find any face in this image");
  });

  it("know the same figures", () => {
    expect(Object.keys(dictionaries.vi.metrics)).toEqual(Object.keys(dictionaries.en.metrics));
  });

  it("know the same words for what is stored of a visit", () => {
    const [en, vi] = [dictionaries.en, dictionaries.vi].map(({ audience }) =>
      Object.keys(audience.privacy.words),
    );
    expect(vi).toEqual(en);
  });
});
