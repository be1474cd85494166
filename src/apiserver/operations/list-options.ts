/**
 * What a list or a watch may ask for together. Pure.
 * Source: k8s.io/apimachinery/pkg/apis/meta/internalversion/validation, as behaviour and wording.
 */
import { invalid } from '../../api/index.ts';
import type { ErrorCause } from '../../lib/index.ts';

export interface ListOptionTexts {
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
  readonly continue?: string | undefined;
  readonly sendInitialEvents?: boolean | undefined;
}

const at = 'resourceVersionMatch';

/** Throws `invalid`. */
export function checkListOptions(options: ListOptionTexts): void {
  const { resourceVersion = '', resourceVersionMatch: match = '', sendInitialEvents } = options;
  const problems: ErrorCause[] = [];
  if (match !== '') {
    if (resourceVersion === '')
      problems.push(forbidden(at, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (isContinued(options)) problems.push(forbiddenWithContinue);
    if (match !== 'Exact' && match !== 'NotOlderThan')
      problems.push(unsupported(match, '"Exact", "NotOlderThan", ""'));
    if (match === 'Exact' && resourceVersion === '0')
      problems.push(forbidden(at, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (sendInitialEvents !== undefined)
    problems.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  refuse(problems);
}

/** Throws `invalid`. */
export function checkWatchOptions(options: ListOptionTexts): void {
  const { resourceVersionMatch: match = '', sendInitialEvents } = options;
  const problems: ErrorCause[] = [];
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan')
    problems.push(forbidden(at, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  if (match !== '') {
    if (sendInitialEvents === undefined)
      problems.push(
        forbidden(at, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
      );
    if (match !== 'NotOlderThan') problems.push(unsupported(match, '"NotOlderThan"'));
    if (isContinued(options)) problems.push(forbiddenWithContinue);
  }
  refuse(problems);
}

const isContinued = (options: ListOptionTexts): boolean => (options.continue ?? '') !== '';

const forbidden = (field: string, why: string): ErrorCause => ({
  reason: 'FieldValueForbidden',
  field,
  message: `Forbidden: ${why}`,
});
const forbiddenWithContinue = forbidden(at, 'resourceVersionMatch is forbidden when continue is provided');
const unsupported = (match: string, supported: string): ErrorCause => ({
  reason: 'FieldValueNotSupported',
  field: at,
  message: `Unsupported value: ${JSON.stringify(match)}: supported values: ${supported}`,
});

function refuse(problems: readonly ErrorCause[]): void {
  if (problems.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', problems);
}
