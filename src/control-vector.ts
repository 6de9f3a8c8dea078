/** Directions to add to the residual stream of some layers; see {@link Context.setControlVector}. */
export interface ControlVector {
  /** Shape [layers, embedding length], starting at layer 1. */
  readonly data: Float32Array;
  /** First layer that it applies to. */
  readonly layerStart: number;
  /** Last layer that it applies to, inclusive. */
  readonly layerEnd: number;
}
