/**
 * Structured log: one line an event, JSON for machines or `key=value` for people. Never pass secrets.
 * The line is built here; where it goes is the sink's affair (`io/` folders, or an array in tests).
 */
import type { Clock } from './clock.ts';
import { explainError } from './errors.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines all carry `fields`. */
  with(fields: LogFields): Log;
}

const rank: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A log that writes one JSON line per event at `level` or above. Errors among the fields are written with their causes. */
export function createLog(options: {
  readonly clock: Clock;
  readonly sink: (line: string) => void;
  readonly level?: LogLevel;
  readonly fields?: LogFields;
}): Log {
  const floor = rank[options.level ?? 'info'];
  const write = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (rank[level] < floor) return;
    const time = new Date(options.clock.nowMs()).toISOString();
    options.sink(JSON.stringify({ time, level, message, ...options.fields, ...fields }, plain));
  };
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    with: (fields) => createLog({ ...options, fields: { ...options.fields, ...fields } }),
  };
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error) return explainError(value);
  if (typeof value === 'bigint') return value.toString();
  return value;
}

export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLog,
};
