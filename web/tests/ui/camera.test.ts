import { describe, expect, it } from "vitest";
import { troubleOf } from "../../src/ui/camera";

describe("troubleOf", () => {
  it.each([
    ["NotAllowedError", "denied"],
    ["NotFoundError", "absent"],
    ["NotReadableError", "busy"],
    ["InsecureError", "insecure"],
    ["toString", "failed"],
  ])("of a %s is %s", (name, trouble) => {
    expect(troubleOf(Object.assign(new Error("no"), { name }))).toBe(trouble);
  });

  it("of what is no error is that it failed", () => {
    expect(troubleOf("no")).toBe("failed");
  });
});
