/** Runs ONNX files by onnxruntime-web, as WebAssembly. */

import * as ort from "onnxruntime-web/wasm";

import { EngineError } from "./errors";
import type { Input, Network } from "./network";

const MOST_THREADS = 4;

/** Where the two files of onnxruntime's WebAssembly lie. */
export interface RuntimeFiles {
  readonly wasm: string;
  readonly mjs: string;
}

/**
 * Prepare the runtime; to be called once, before a file is opened.
 *
 * Threads share memory, which browsers allow only in cross-origin isolated pages.
 */
export function prepareRuntime(files: RuntimeFiles): void {
  const isolated = globalThis.crossOriginIsolated === true;
  ort.env.wasm.wasmPaths = { wasm: files.wasm, mjs: files.mjs };
  ort.env.wasm.numThreads = isolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  ort.env.logLevel = "error";
}

/** Return how many threads a network uses. */
export function threads(): number {
  return ort.env.wasm.numThreads ?? 1;
}

/**
 * Open an ONNX file.
 *
 * @param file Its bytes.
 * @param name What messages call it.
 * @throws EngineError It cannot be run.
 */
export async function openNetwork(file: Uint8Array, name: string): Promise<Network> {
  const session = await ort.InferenceSession.create(file, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  }).catch((error: unknown) => {
    throw failure(`${name} cannot be opened in this browser`, error);
  });
  return {
    outputs: session.outputNames,
    run: (input, wanted) =>
      run(session, input, wanted).catch((error: unknown) => {
        throw failure(`${name} failed`, error);
      }),
  };
}

async function run(
  session: ort.InferenceSession,
  { name, data, shape }: Input,
  wanted: readonly string[],
): Promise<Float32Array[]> {
  const type = data instanceof Uint8Array ? "uint8" : "float32";
  const tensor = new ort.Tensor(type, data, shape);
  const outputs = await session.run({ [name]: tensor }, [...wanted]);
  return wanted.map((output) => outputs[output]!.data as Float32Array);
}

function failure(what: string, error: unknown): EngineError {
  const reason = error instanceof Error ? error.message : String(error);
  return new EngineError(
    "model",
    `${what} (${reason.slice(0, 200)}). Load the page again, or let the server read the pictures.`,
  );
}
