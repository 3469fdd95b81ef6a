import { expect, it } from "vitest";

import { Newest } from "../../src/engine/newest";

/** A handler whose work ends when told. */
function manual() {
  const ends: (() => void)[] = [];
  const handled: number[] = [];
  const dropped: number[] = [];
  const newest = new Newest<number, string>(
    (item) => {
      handled.push(item);
      return new Promise((resolve) => ends.push(() => resolve(`read ${item}`)));
    },
    (item) => dropped.push(item),
  );
  return { newest, handled, dropped, end: () => ends.shift()!() };
}

it("handles one at a time, and of those that wait only the newest", async () => {
  const { newest, handled, dropped, end } = manual();
  const results = [1, 2, 3, 4].map((item) => newest.put(item));
  expect(handled).toEqual([1]);
  end();
  expect(await Promise.all(results.slice(0, 3))).toEqual(["read 1", null, null]);
  expect(handled).toEqual([1, 4]);
  end();
  expect(await results[3]).toBe("read 4");
  expect(dropped).toEqual([2, 3]);
});

it("goes on after one that failed", async () => {
  const newest = new Newest<number, number>(
    (item) => (item === 1 ? Promise.reject(new Error("no picture")) : Promise.resolve(item)),
    () => undefined,
  );
  await expect(newest.put(1)).rejects.toThrow("no picture");
  expect(await newest.put(2)).toBe(2);
});

it("drops what waits", async () => {
  const { newest, handled, end } = manual();
  const results = [newest.put(1), newest.put(2)];
  newest.discard();
  end();
  expect(await Promise.all(results)).toEqual(["read 1", null]);
  expect(handled).toEqual([1]);
});
