/** `$(NAME)` in texts of a pod's specification. Pure. */
import { CaelumError } from '../../lib/index.ts';

/** `$(NAME)` in commands, arguments and environment values; `$$` is a plain `$`; what is unknown stays. As Kubernetes defines it. */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  if (!text.includes('$')) return text;
  return text.replace(/\$(\$|\(([^()]*)\))/g, (whole, inner: string, name: string | undefined) => {
    if (inner === '$') return '$';
    return lookup(name ?? '') ?? whole;
  });
}

/** As `expand`; but a name that is unknown or empty is a fault: a path must not become another one by it. */
export function expandAll(text: string, values: ReadonlyMap<string, string>): string {
  const missing = new Set<string>();
  const expanded = expand(text, (name) => {
    const value = values.get(name) ?? '';
    if (value === '') missing.add(name);
    return value;
  });
  if (missing.size > 0)
    throw new CaelumError('invalid', `missing value for ${[...missing].sort().join(', ')}`);
  return expanded;
}
