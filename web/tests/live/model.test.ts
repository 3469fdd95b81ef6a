import { describe, expect, it } from "vitest";
import type { Model } from "../../src/api/types";
import { liveModel } from "../../src/live/model";

const model = (name: string, kind: Model["kind"], small: string | null = null) =>
  ({ name, kind, small }) as Model;

describe("liveModel", () => {
  const pets = model("pets", "picture");
  const face = model("face", "face", "face-small");
  const small = model("face-small", "face");
  const other = model("other", "face");

  it("takes the first model of faces", () => {
    expect(liveModel([pets, other, face, small], "browser")).toBe(other);
    expect(liveModel([pets], "browser")).toBeUndefined();
  });

  it("takes the smaller one in the browser, and the whole one on the server", () => {
    expect(liveModel([pets, face, small], "browser")).toBe(small);
    expect(liveModel([pets, face, small], "server")).toBe(face);
  });

  it("does without a smaller one that is not listed", () => {
    expect(liveModel([pets, face], "browser")).toBe(face);
  });
});
