/** The engine's worker: opens the networks once, then reads one picture after the other. */

import { chosenTasks } from "./card";
import { pixelsOf } from "./decoding";
import { Detector } from "./detector";
import { asEngineError, type Trouble } from "./errors";
import type { Frame, Reading, Reply, Request } from "./messages";
import { Model } from "./model";
import { Reader } from "./reader";
import { openNetwork, prepareRuntime, threads } from "./runtime";
import { Service } from "./service";

let reader: Reader | undefined;

self.addEventListener("message", ({ data }: MessageEvent<Request>) => {
  const work = data.type === "open" ? open(data) : read(data.frame);
  const kind: Trouble = data.type === "open" ? "browser" : "picture";
  void work.catch((error: unknown) => failed(error, kind)).then(reply);
});

async function open(request: Extract<Request, { type: "open" }>): Promise<Reply> {
  const { base, model: name, options, files } = request;
  prepareRuntime(files);
  const service = new Service(base, options.key);
  const summary = await service.summary(name);
  const tasks = chosenTasks(summary.card.tasks, options.tasks);
  const [detectorFile, modelFile] = await Promise.all([
    service.detectorFile(),
    service.modelFile(summary),
  ]);
  // One after the other: the runtime may be started only once at a time.
  const detector = new Detector(await openNetwork(detectorFile, "The face detector"));
  const network = await openNetwork(modelFile, `The model "${name}"`);
  reader = new Reader(detector, new Model(network, summary, tasks), options);
  await reader.warmUp();
  return { type: "opened", threads: threads() };
}

async function read(frame: Frame): Promise<Reply> {
  const pixels = await pixelsOf(frame);
  const faces = (await reader?.read(pixels)) ?? [];
  const reading: Reading = { width: pixels.width, height: pixels.height, faces };
  return { type: "reading", reading };
}

function failed(error: unknown, kind: Trouble): Reply {
  const { kind: found, message } = asEngineError(error, kind);
  return { type: "failure", kind: found, message };
}

function reply(message: Reply): void {
  self.postMessage(message);
}
