/**
 * Amounts that are a count or a share of a whole: `3`, `25%`.
 * Source: Kubernetes 1.36, pkg/apis/apps/validation, as behaviour.
 */
import { notNegativeWhy, type Problems, wrong } from './problems.ts';

export type Share = number | string;

const percentPattern = /^\d+%$/;

/** The number in it, of whichever unit; 0 for what is neither. */
export function shareNumber(share: Share | undefined): number {
  if (typeof share === 'number') return share;
  return percentPattern.test(share ?? '') ? Number.parseInt(share ?? '', 10) : 0;
}

export function validateShare(problems: Problems, field: string, share: Share): void {
  if (typeof share === 'number') {
    if (share < 0) problems.push(wrong(field, share, notNegativeWhy));
  } else if (!percentPattern.test(share))
    problems.push(
      wrong(
        field,
        share,
        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      ),
    );
}

export function validateAtMostAll(problems: Problems, field: string, share: Share): void {
  if (typeof share === 'string' && shareNumber(share) > 100)
    problems.push(wrong(field, share, 'must not be greater than 100%'));
}
