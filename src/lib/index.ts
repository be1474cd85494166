/** The door of `lib`: clock, chance, errors, log, queue. Imports nothing of ours. */
export * from './backoff.ts';
export * from './clock.ts';
export * from './cron-schedule.ts';
export * from './equal.ts';
export * from './errors.ts';
export * from './flat-text.ts';
export * from './line.ts';
export * from './log.ts';
export * from './metrics.ts';
export * from './queue.ts';
export * from './random.ts';
export * from './supervision.ts';
