/**
 * Links in a page that comes through a proxy, so that they lead back through it: `href="/a"` becomes `href="/api/…/proxy/a"`. Pure.
 *
 *   pieces of HTML ─▶ push() ─▶ pieces of HTML        text, comments and scripts as they are; tags whole, one at a time
 *
 * Only what begins at the root of the same server is changed; places elsewhere, and relative ones, are right as they are.
 * Source: Kubernetes' proxy of pods and services, as behaviour; HTML Living Standard, "Attributes" (those that are URLs).
 */

/** By element. */
const links: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
};

/** What is inside them is no HTML. */
const rawElements: ReadonlySet<string> = new Set(['script', 'style', 'textarea', 'title', 'iframe', 'xmp']);
/** A tag that is longer is none. */
const tagLengthMax = 64 * 1024;

export interface LinkPlace {
  /** Where the proxy serves this server: `/api/v1/namespaces/NS/pods/NAME/proxy`. */
  readonly prefix: string;
  /** `host:port` under which the page may speak of its own server. */
  readonly hosts: readonly string[];
}

/** A place, as it is reached through the proxy. */
export function behindPrefix(place: string, { prefix, hosts }: LinkPlace): string {
  const [, host, path = ''] = /^(?:(?:https?:)?\/\/([^/?#]*))?(.*)$/is.exec(place.trim()) ?? [];
  if (host !== undefined && !hosts.includes(host)) return place;
  const isAtRoot = path.startsWith('/') || (host !== undefined && path === '');
  if (!isAtRoot || path === prefix || path.startsWith(`${prefix}/`)) return place;
  return `${prefix}${path === '' ? '/' : path}`;
}

export class LinkRewriter {
  readonly #place: LinkPlace;
  #rest = '';
  /** What ends what we are in; undefined: text. */
  #until: string | undefined;

  constructor(place: LinkPlace) {
    this.#place = place;
  }

  /** What can be said so far. */
  push(piece: string): string {
    this.#rest += piece;
    let done = '';
    for (;;) {
      const step = this.#until === undefined ? this.#nextTag() : this.#nextEnd(this.#until);
      if (step === undefined) return done;
      done += step;
    }
  }

  /** The page has ended. */
  end(): string {
    const rest = this.#rest;
    this.#rest = '';
    return rest;
  }

  /** Up to and with the next tag or the beginning of a comment; undefined: more is needed. */
  #nextTag(): string | undefined {
    const rest = this.#rest;
    if (rest === '') return undefined;
    const start = rest.search(/<(?:[a-z]|!--)/i);
    if (start < 0) {
      // A tag may begin in the last characters.
      const keep = /<!?-?$/.exec(rest)?.[0].length ?? 0;
      return this.#take(rest.length - keep);
    }
    if (start > 0) return this.#take(start);
    if (rest.startsWith('<!--')) {
      this.#until = '-->';
      return this.#take(4);
    }
    const end = tagEnd(rest);
    if (end === undefined) return rest.length > tagLengthMax ? this.#take(1) : undefined;
    const tag = this.#take(end) ?? '';
    const name = /^<([^\s/>]+)/.exec(tag)?.[1]?.toLowerCase() ?? '';
    if (rawElements.has(name) && !tag.endsWith('/>')) this.#until = `</${name}`;
    const wanted = links[name];
    return wanted === undefined ? tag : rewrittenTag(tag, wanted, this.#place);
  }

  #nextEnd(until: string): string | undefined {
    const at = this.#rest.toLowerCase().indexOf(until);
    if (at < 0) return this.#take(this.#rest.length - until.length + 1);
    this.#until = undefined;
    return this.#take(at + until.length);
  }

  /** undefined: there is nothing to take. */
  #take(length: number): string | undefined {
    if (length <= 0) return undefined;
    const taken = this.#rest.slice(0, length);
    this.#rest = this.#rest.slice(length);
    return taken;
  }
}

/** Where the tag that begins the text ends; a `>` in quotes ends nothing. */
function tagEnd(text: string): number | undefined {
  let quote = '';
  for (let at = 1; at < text.length && at <= tagLengthMax; at++) {
    const letter = text[at] as string;
    if (quote !== '') quote = letter === quote ? '' : quote;
    else if (letter === '>') return at + 1;
    else if ((letter === '"' || letter === "'") && /=\s*$/.test(text.slice(Math.max(0, at - 16), at)))
      quote = letter;
  }
  return undefined;
}

function rewrittenTag(tag: string, wanted: readonly string[], place: LinkPlace): string {
  return tag.replace(
    /([\s/"'])([a-z]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/gi,
    (whole, before: string, name: string, equals: string, value: string) => {
      if (!wanted.includes(name.toLowerCase())) return whole;
      const quote = value.startsWith('"') || value.startsWith("'") ? (value[0] as string) : '';
      const bare = quote === '' ? value : value.slice(1, -1);
      const to = behindPrefix(bare, place);
      return to === bare ? whole : `${before}${name}${equals}${quote}${to}${quote}`;
    },
  );
}
