/** What differs between two values, told in lines: for refusals of changes to what is fixed. Pure. */
import { sameJson } from '../../lib/index.ts';

const linesMax = 10;

/** `nodeName: "a" → "b"`, for each field of the spec that differs. */
export function changedFields(now: unknown, before: unknown): string[] {
  const lines: string[] = [];
  const visit = (path: string, to: unknown, from: unknown): void => {
    if (sameJson(to, from) || lines.length >= linesMax) return;
    if (typeof to === 'object' && typeof from === 'object' && to !== null && from !== null) {
      for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
        const at = Array.isArray(to) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
        visit(at, (to as Record<string, unknown>)[key], (from as Record<string, unknown>)[key]);
      }
    } else lines.push(`${path}: ${shown(from)} → ${shown(to)}`);
  };
  visit('', now, before);
  return lines;
}

const shown = (value: unknown): string => (value === undefined ? 'nil' : JSON.stringify(value));
