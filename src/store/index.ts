/** The door of `store`: the revisioned object log, in memory and in SQLite. */
export { defaultLimits, type HistoryLimits } from './history.ts';
export { createMemoryStore } from './io/memory-store.ts';
export { type Restored, restoreSnapshot } from './io/restore.ts';
export { openSqliteStore, type SqliteStoreOptions } from './io/sqlite-store.ts';
export * from './store.ts';
export {
  openThreadStore,
  type StoreThread,
  type ThreadListener,
  type ThreadStoreOptions,
} from './thread-store.ts';
