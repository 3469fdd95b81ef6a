/**
 * Reads faces in this browser: no picture leaves the machine.
 *
 * The same detector, crops and model files as the service's, run in a worker.
 */

import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import mjs from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";

import { EngineError } from "./errors";
import type { Frame, OpenOptions, Reading, Reply, Request } from "./messages";
import { Newest } from "./newest";

export { EngineError, type Trouble } from "./errors";
export type { AgeValue } from "./ages";
export type { AttributeValue, ClassValue, NumberValue } from "./attributes";
export type { OpenOptions, Reading } from "./messages";
export type { FaceResult } from "./reader";

/** What can be read: a video gives the frame that it shows when its turn comes. */
export type Source = Frame | HTMLVideoElement;

export interface TimedReading extends Reading {
  /** From the moment that the picture was taken up for reading to its result. */
  readonly milliseconds: number;
}

export class Engine {
  private readonly frames = new Newest<Source, TimedReading>(
    (source) => this.readNow(source),
    (source) => {
      if (source instanceof ImageBitmap) source.close();
    },
  );
  private closed = false;
  private abort: (error: EngineError) => void = () => undefined;

  private constructor(
    private readonly worker: Worker,
    /** Threads that a network uses: 1 unless the page is cross-origin isolated. */
    readonly threads: number,
  ) {}

  /**
   * Fetch the networks from a service, and make them ready.
   *
   * @param baseUrl The service's address; relative to the page's, so "" is the page's own service.
   * @param modelName Name of a model that reads faces.
   * @param options What to read.
   * @throws EngineError The service cannot be reached, has no such model or task, asks for a key,
   *   or this browser cannot run the networks.
   * @example
   * const engine = await Engine.open("", "face", { tasks: ["age"], maxFaces: 5 });
   * const reading = await engine.read(video);
   */
  static async open(
    baseUrl: string,
    modelName: string,
    options: OpenOptions = {},
  ): Promise<Engine> {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const here = document.baseURI;
    const files = { wasm: new URL(wasm, here).href, mjs: new URL(mjs, here).href };
    try {
      const base = new URL(baseUrl, here).href;
      const reply = await ask(worker, { type: "open", base, model: modelName, options, files });
      if (reply.type === "opened") return new Engine(worker, reply.threads);
      throw new Error(`the worker answered ${reply.type}`);
    } catch (error) {
      worker.terminate();
      throw error;
    }
  }

  /**
   * Read the faces of a picture, the largest first.
   *
   * One picture is read at a time. Of those that wait meanwhile, only the newest is kept.
   *
   * @param source A picture. An ImageBitmap is taken over, and closed.
   * @returns The reading; null if a newer picture came before this one's turn.
   * @throws EngineError The picture cannot be read, a network fails, or the engine is closed.
   */
  read(source: Source): Promise<TimedReading | null> {
    if (this.closed) return Promise.reject(closedError());
    return this.frames.put(source);
  }

  /** Stop at once and free the memory. Readings under way are refused. */
  close(): void {
    this.closed = true;
    this.frames.discard();
    this.worker.terminate();
    this.abort(closedError());
  }

  private async readNow(source: Source): Promise<TimedReading> {
    const start = performance.now();
    const frame = source instanceof HTMLVideoElement ? await shown(source) : source;
    if (this.closed) throw closedError();
    const answer = ask(this.worker, { type: "read", frame });
    const stopped = new Promise<never>((_, reject) => (this.abort = reject));
    const reply = await Promise.race([answer, stopped]);
    if (reply.type !== "reading") throw new Error(`the worker answered ${reply.type}`);
    return { ...reply.reading, milliseconds: performance.now() - start };
  }
}

async function shown(video: HTMLVideoElement): Promise<ImageBitmap> {
  return createImageBitmap(video).catch(() => {
    throw new EngineError("picture", "The video shows no picture yet. Wait until it plays.");
  });
}

/** Send a request and return the worker's reply; the worker answers one after the other. */
function ask(worker: Worker, request: Request): Promise<Reply> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      if (data.type === "failure") reject(new EngineError(data.kind, data.message));
      else resolve(data);
    };
    worker.onerror = () =>
      reject(
        new EngineError(
          "browser",
          "The engine's worker stopped. Load the page again, or let the server read the pictures.",
        ),
      );
    const owned = request.type === "read" && request.frame instanceof ImageBitmap;
    worker.postMessage(request, owned ? [request.frame] : []);
  });
}

function closedError(): EngineError {
  return new EngineError("closed", "The engine was closed. Open it again to read pictures.");
}
