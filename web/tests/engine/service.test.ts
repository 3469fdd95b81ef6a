import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Service } from "../../src/engine/service";

const SUMMARY = {
  name: "face",
  kind: "face",
  bytes: 4,
  file: "/v1/models/face/file",
  card: { input: { size: 96, landmarks: Array(5).fill([0, 0]) }, tasks: [] },
};
const KEY = "a key";

let server: Server;
let base: string;

beforeAll(async () => {
  const answers: Record<string, string> = {
    "/below/v1/models/face": JSON.stringify(SUMMARY),
    "/below/v1/models/face/file": "file",
    "/below/v1/models/cut": JSON.stringify({ ...SUMMARY, name: "cut" }),
    "/below/v1/models/cut/file": "fi",
    "/below/v1/models/page": "<!doctype html>",
    "/below/v1/detector/file": "yunet",
  };
  server = createServer((request, response) => {
    const known = request.headers.authorization === `Bearer ${KEY}`;
    const answer = answers[request.url ?? ""];
    response.statusCode = known ? (answer === undefined ? 404 : 200) : 401;
    response.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/below`;
});

afterAll(() => void server.close());

describe("Service", () => {
  it("fetches a model's card and file, and the detector, below the service's address", async () => {
    const service = new Service(base, KEY);
    const summary = await service.summary("face");
    expect(summary).toEqual(SUMMARY);
    expect(new TextDecoder().decode(await service.modelFile(summary))).toBe("file");
    expect(new TextDecoder().decode(await service.detectorFile())).toBe("yunet");
  });

  it.each([
    ["key", undefined, "face", /API key/],
    ["key", "another", "face", /API key/],
    ["missing", KEY, "absent", /"absent"/],
    ["service", KEY, "page", /no model card/],
  ])("says what is wrong: %s", async (kind, key, name, message) => {
    const failing = new Service(base, key).summary(name);
    await expect(failing).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  it("refuses a file that is not whole", async () => {
    const service = new Service(base, KEY);
    const failing = service.modelFile(await service.summary("cut"));
    await expect(failing).rejects.toMatchObject({ kind: "service" });
  });

  it("says that nobody answers", async () => {
    const failing = new Service("http://127.0.0.1:9/").detectorFile();
    await expect(failing).rejects.toMatchObject({
      kind: "service",
      message: expect.stringMatching(/cannot be reached/),
    });
  });
});
