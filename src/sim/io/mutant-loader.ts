/** Plants a fault in this thread: files that are loaded from now on have it. */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Mutant, planted } from '../mutants.ts';

export const sourceOf = ({ file }: Mutant): URL => new URL(`../../${file}`, import.meta.url);

/** What the product is loaded for comes after this, by `import()`. */
export function plant(mutant: Mutant): void {
  const target = sourceOf(mutant).href;
  registerHooks({
    load(url, context, next) {
      if (url !== target) return next(url, context);
      const source = planted(mutant, readFileSync(fileURLToPath(url), 'utf8'));
      return { format: 'module-typescript', source, shortCircuit: true };
    },
  });
}
