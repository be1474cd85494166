/** Paths within a volume or a container: relative, and never out of it. Source: pkg/apis/core/validation, as behaviour. */
import { type Problems, wrong } from '../../validation/problems.ts';

/** `a/b`: relative, without `..`. */
export function validateDescendingPath(problems: Problems, field: string, path: string): void {
  if (path.startsWith('/')) problems.push(wrong(field, path, 'must be a relative path'));
  validateNoBacksteps(problems, field, path);
}

export function validateNoBacksteps(problems: Problems, field: string, path: string): void {
  if (path.split('/').includes('..')) problems.push(wrong(field, path, "must not contain '..'"));
}

/** Names that begin with two dots are for the one who writes the volume. */
export function validateFilePath(problems: Problems, field: string, path: string): void {
  validateDescendingPath(problems, field, path);
  if (path.startsWith('..') && !path.startsWith('../'))
    problems.push(wrong(field, path, "must not start with '..'"));
}

const modeMax = 0o777;

export function validateMode(problems: Problems, field: string, mode: number | undefined): void {
  if (mode !== undefined && (mode < 0 || mode > modeMax))
    problems.push(wrong(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive'));
}
