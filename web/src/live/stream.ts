/** The service's stream: frames go out as JPEG, one at a time, and results come back. */
import { Failure, failureOf } from "../api/failure";
import { streamAddress } from "../api/address";
import type { Server } from "../api/service";
import type { StreamProblem, StreamReady, StreamResult, StreamStart } from "../api/types";
import { grab } from "../ui/grab";
import type { FrameReader, FrameReading } from "./reader";

type Answer = StreamReady | StreamResult | StreamProblem;

const LONGEST_SIDE = 640;
const QUALITY = 0.85;

export class StreamReader implements FrameReader {
  readonly #socket: WebSocket;
  #waiting: Deferred<Answer> | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      this.#waiting?.resolve(JSON.parse(data) as Answer);
    };
    socket.onclose = () => this.#waiting?.reject(new Failure("unreachable"));
  }

  /** Connect and say what is to be read. */
  static async open(server: Server, tasks: string[] | undefined): Promise<StreamReader> {
    const socket = new WebSocket(streamAddress(server.url));
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Failure("unreachable"));
    });
    const reader = new StreamReader(socket);
    const start: StreamStart = {
      type: "start",
      key: server.key || null,
      model: null,
      tasks: tasks ?? null,
      min_face: 0,
      max_faces: null,
    };
    const answer = await reader.#ask(JSON.stringify(start));
    if (answer.type === "problem") throw failureOf(answer.status, answer);
    return reader;
  }

  async read(video: HTMLVideoElement): Promise<FrameReading | null> {
    const since = performance.now();
    const frame = await grab(video, { quality: QUALITY, longest: LONGEST_SIDE });
    if (!frame) return null;
    const answer = await this.#ask(frame);
    if (answer.type === "problem") {
      // A full queue passes; the next frame may get through.
      if (answer.status === 503) return null;
      throw failureOf(answer.status, answer);
    }
    if (answer.type === "ready") return null;
    const { width, height, faces } = answer;
    return { width, height, faces, latency: performance.now() - since };
  }

  close(): void {
    this.#socket.close();
  }

  #ask(message: string | Blob): Promise<Answer> {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Failure("unreachable"));
    }
    this.#waiting = deferred();
    this.#socket.send(message);
    return this.#waiting.promise;
  }
}

interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: Error) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: Error) => void = () => undefined;
  const promise = new Promise<T>((fulfil, refuse) => {
    [resolve, reject] = [fulfil, refuse];
  });
  return { promise, resolve, reject };
}
