/** A part of the cloud that runs until it is told to stop. */
export interface Running {
  /** Idempotent. What containers do is not touched. */
  stop(): Promise<void>;
}
