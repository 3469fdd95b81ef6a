import { describe, expect, it } from "vitest";
import { ownAddress, readAddress, streamAddress } from "../../src/api/address";

describe("readAddress", () => {
  it.each([
    ["", ""],
    ["  ", ""],
    ["192.168.1.20:8000", "http://192.168.1.20:8000"],
    ["https://faces.example/", "https://faces.example"],
    ["https://faces.example/mien/?a#b", "https://faces.example/mien"],
    ["HTTP://LOCALHOST:8000", "http://localhost:8000"],
    ["http://[::1]:8000", "http://[::1]:8000"],
  ])("reads %j as %j", (typed, address) => {
    expect(readAddress(typed)).toBe(address);
  });

  it.each(["http://", "ftp://a", "javascript://a/%0aalert(1)", "http://me:word@a", "a b"])(
    "takes %j for no address",
    (typed) => {
      expect(readAddress(typed)).toBeNull();
    },
  );
});

describe("ownAddress", () => {
  it.each([
    ["http://127.0.0.1:8000/", "http://127.0.0.1:8000"],
    ["https://faces.example/mien/index.html?a#/live", "https://faces.example/mien"],
  ])("of a page at %s is %s", (href, address) => {
    expect(ownAddress({ href } as Location)).toBe(address);
  });
});

describe("streamAddress", () => {
  it("keeps the stream as secure as the service", () => {
    expect(streamAddress("http://a:1")).toBe("ws://a:1/v1/stream");
    expect(streamAddress("https://a/b")).toBe("wss://a/b/v1/stream");
  });
});
