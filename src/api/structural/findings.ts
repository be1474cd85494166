/** What validation finds on its walk: problems with their paths, which are spelt only when there is something to tell. */
import type { FieldProblem } from '../kind.ts';

export class Findings {
  readonly problems: FieldProblem[] = [];
  /** Places looked at: of several failed alternatives the one that came farthest is told of. */
  visits = 0;
  readonly #path: (string | number | { readonly key: string })[] = [];

  enter(step: string | number): void {
    this.#path.push(step);
  }

  /** Of a map: `labels[a]`. */
  enterKey(key: string): void {
    this.#path.push({ key });
  }

  leave(): void {
    this.#path.pop();
  }

  /** `spec.list[0].name`; '' for the root. */
  get path(): string {
    let text = '';
    for (const step of this.#path)
      if (typeof step === 'string') text += text === '' ? step : `.${step}`;
      else text += `[${typeof step === 'number' ? step : step.key}]`;
    return text;
  }

  get field(): string {
    return this.path || '<nil>';
  }

  add(reason: string, message: string, field = this.field): void {
    this.problems.push({ reason, field, message });
  }

  invalid(value: unknown, why: string): void {
    this.add('FieldValueInvalid', `Invalid value: ${JSON.stringify(value)}: ${why}`);
  }

  /** What goes wrong in several places at once: Kubernetes tells it of no field, and names the path in the text. */
  composite(why: string): void {
    this.add('FieldValueInvalid', `Invalid value: "": ${JSON.stringify(this.path)} ${why}`, '<nil>');
  }

  duplicate(value: unknown): void {
    this.add('FieldValueDuplicate', `Duplicate value: ${JSON.stringify(value)}`);
  }
}
