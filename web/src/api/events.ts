/** Server-sent events, read by fetch: the browser's own reader cannot send an API key. */

export interface ServerEvent {
  name: string;
  data: string;
}

/** Parts a stream of text into events; what has not ended yet waits for more. */
export class EventParser {
  #rest = "";
  #name = "";
  #data: string[] = [];

  /** Take more text, and give the events that it completes. */
  take(text: string): ServerEvent[] {
    // A line may end by CR, LF or both; a CR at the very end may be half of both.
    const whole = this.#rest + text;
    const lines = whole.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): ServerEvent[] {
    if (line === "") {
      const event = { name: this.#name || "message", data: this.#data.join("\n") };
      const complete = this.#data.length > 0;
      this.#name = "";
      this.#data = [];
      return complete ? [event] : [];
    }
    const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "event") this.#name = value;
    if (field === "data") this.#data.push(value);
    return [];
  }
}

/** How long to wait before the next attempt, in milliseconds, after so many failed ones. */
export function delayOf(failures: number): number {
  return Math.min(30_000, 1000 * 2 ** Math.min(failures, 10));
}
