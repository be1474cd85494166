/** The printed columns of a custom resource: values found by paths, in the form of their type. Source: Kubernetes' "additional printer columns". */
import {
  ageColumn,
  type Column,
  type CustomResourceColumnDefinition,
  humanDuration,
  nameColumn,
} from '../../api/index.ts';
import { compilePath, type PathReader } from './json-path.ts';

type Cell = string | number | boolean | null;

/** Where none are defined: the age. A path that cannot be read leaves its column empty. */
export function columnsOf(
  definitions: readonly CustomResourceColumnDefinition[] | undefined,
): readonly Column[] {
  if (definitions === undefined || definitions.length === 0) return [nameColumn, ageColumn];
  return [nameColumn, ...definitions.map(columnOf)];
}

function columnOf(definition: CustomResourceColumnDefinition): Column {
  const { name, type, format, description, priority = 0, jsonPath } = definition;
  const read = readerOf(jsonPath);
  return {
    name,
    type: type as Column['type'],
    ...(format === undefined ? {} : { format }),
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority,
    cell: (object: unknown, nowMs: number) => {
      const [value] = read(object);
      return value === undefined ? null : cellOf(value, type, nowMs);
    },
  };
}

function readerOf(path: string): PathReader {
  try {
    return compilePath(path);
  } catch {
    return () => [];
  }
}

function cellOf(value: unknown, type: string, nowMs: number): Cell {
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? ageCell(value, nowMs) : null;
    default:
      return typeof value === 'object' && value !== null ? JSON.stringify(value) : textOf(value);
  }
}

const textOf = (value: unknown): string => (value === null ? '<nil>' : String(value));

function ageCell(text: string, nowMs: number): string {
  if (text === '') return '<unknown>';
  const ms = /^\d{4}-\d{2}-\d{2}T/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? '<invalid>' : humanDuration(nowMs - ms);
}
