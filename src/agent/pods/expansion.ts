/** `$(NAME)` in commands, arguments and environment values; `$$` is a plain `$`; what is unknown stays. As Kubernetes defines it. */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  if (!text.includes('$')) return text;
  return text.replace(/\$(\$|\(([^()]*)\))/g, (whole, inner: string, name: string | undefined) => {
    if (inner === '$') return '$';
    return lookup(name ?? '') ?? whole;
  });
}
