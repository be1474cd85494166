/** What the process itself uses, under the names that every Prometheus client library gives it. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Metrics } from '../../lib/index.ts';

export function exportProcess(metrics: Metrics): void {
  const startSeconds = Date.now() / 1000 - process.uptime();
  const one = (type: 'counter' | 'gauge', name: string, help: string, read: () => number): void =>
    metrics.collect(type, { name, help }, () => {
      const value = read();
      return Number.isNaN(value) ? [] : [[[], value]];
    });
  one('counter', 'process_cpu_seconds_total', 'User and system CPU time spent.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  one('gauge', 'process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  one('gauge', 'process_virtual_memory_bytes', 'Virtual memory.', virtualBytes);
  one('gauge', 'process_start_time_seconds', 'When it started, since the epoch.', () => startSeconds);
  one('gauge', 'process_open_fds', 'Open file descriptors.', () => countOf('/proc/self/fd'));
  one('gauge', 'process_max_fds', 'How many it may open.', descriptorsMax);
  one('gauge', 'nodejs_heap_size_used_bytes', 'Memory of objects.', () => process.memoryUsage().heapUsed);
  one(
    'gauge',
    'nodejs_eventloop_utilization',
    'Part of the time that the event loop was busy, since the start.',
    () => performance.eventLoopUtilization().utilization,
  );
}

function countOf(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return Number.NaN;
  }
}

function virtualBytes(): number {
  const pages = /^(\d+)/.exec(textOf('/proc/self/statm'))?.[1];
  return pages === undefined ? Number.NaN : Number(pages) * 4096;
}

function descriptorsMax(): number {
  const found = /^Max open files\s+(\d+)/m.exec(textOf('/proc/self/limits'))?.[1];
  return found === undefined ? Number.NaN : Number(found);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
