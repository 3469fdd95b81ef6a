import { describe, expect, it } from "vitest";
import { Failure, asFailure, failureOf } from "../../src/api/failure";

describe("failureOf", () => {
  it.each([
    [401, "unauthorised"],
    [413, "too-large"],
    [422, "unreadable"],
    [429, "busy"],
    [503, "busy"],
    [500, "broken"],
    [418, "refused"],
  ])("of the status %d is of the kind %s", (status, kind) => {
    expect(failureOf(status, undefined)).toMatchObject({ kind, message: "" });
  });

  it("keeps what the service said", () => {
    expect(failureOf(422, { detail: "no picture" }).message).toBe("no picture");
    expect(failureOf(422, { detail: 7 }).message).toBe("");
    expect(failureOf(422, "<html>").message).toBe("");
  });
});

describe("asFailure", () => {
  it("takes what fetch throws for a server that is out of reach", () => {
    expect(asFailure(new TypeError("Failed to fetch")).kind).toBe("unreachable");
  });

  it("keeps a failure, and the words of other errors", () => {
    const failure = new Failure("busy");
    expect(asFailure(failure)).toBe(failure);
    expect(asFailure(new Error("odd"))).toMatchObject({ kind: "broken", message: "odd" });
    expect(asFailure("odd")).toMatchObject({ kind: "broken", message: "odd" });
  });
});
