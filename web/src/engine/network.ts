/** What the engine asks of a network, whatever runs it. */

export interface Input {
  readonly name: string;
  readonly data: Float32Array | Uint8Array;
  readonly shape: readonly number[];
}

export interface Network {
  /** Names of the outputs, in the order of the file. */
  readonly outputs: readonly string[];

  /**
   * Run the network.
   *
   * @param input What it takes.
   * @param wanted Names of the outputs to compute.
   * @returns The numbers of each output, in the order of `wanted`.
   */
  run(input: Input, wanted: readonly string[]): Promise<Float32Array[]>;
}
