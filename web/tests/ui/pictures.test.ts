import { describe, expect, it } from "vitest";
import { sortFiles, stem } from "../../src/ui/pictures";

describe("sortFiles", () => {
  it("takes pictures by type or by name, and names the others", () => {
    const files = [
      new File([], "a", { type: "image/webp" }),
      new File([], "b.TIFF"),
      new File([], "c.pdf", { type: "application/pdf" }),
    ];
    const { pictures, others } = sortFiles(files);
    expect(pictures.map(({ name }) => name)).toEqual(["a", "b.TIFF"]);
    expect(others).toEqual(["c.pdf"]);
  });
});

describe("stem", () => {
  it.each([
    ["a.jpg", "a"],
    ["a.b.jpg", "a.b"],
    [".jpg", ".jpg"],
    ["a", "a"],
  ])("of %j is %j", (name, base) => {
    expect(stem(name)).toBe(base);
  });
});
