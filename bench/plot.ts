/**
 * Line plots as small SVG files: both axes logarithmic, since growth is what they show. Pure. Lines carry their names at their ends; the picture suits a light and
 * a dark page.
 */

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** A peer: drawn broken. */
  readonly isPeer?: boolean;
  /** What we hold ourselves to, at some points: drawn as short bars. */
  readonly goals?: readonly (readonly [x: number, y: number])[];
}

/** What others have published, wherever on the axis. */
export interface Reference {
  readonly name: string;
  readonly y: number;
}

export interface Plot {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly title: string;
  /** What is measured, and how. */
  readonly note?: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
  readonly references?: readonly Reference[];
}

const width = 860;
const height = 500;
const frame = { left: 72, right: 196, top: 72, bottom: 58 };
const right = width - frame.right;
const bottom = height - frame.bottom;
/** Between two names at the right. */
const lineHeight = 17;

/** Told apart also by those who see fewer colours (Okabe and Ito); the second is for dark pages. */
const colours: readonly (readonly [light: string, dark: string])[] = [
  ['#0072b2', '#56b4e9'],
  ['#d55e00', '#ff8c42'],
  ['#007a5a', '#2fd6a8'],
  ['#a5437f', '#e69ac8'],
  ['#8a6d00', '#f0d54a'],
  ['#5b5b5b', '#b5b5b5'],
];

interface Axis {
  readonly low: number;
  readonly high: number;
  at(value: number): number;
}

/** From one of 1, 2, 5 times a power of ten to another. */
function axisOf(values: readonly number[], from: number, to: number): Axis {
  const low = rounded(values.length === 0 ? 1 : Math.min(...values), -1);
  const most = rounded(values.length === 0 ? 1 : Math.max(...values), 1);
  const high = most > low ? most : low * 10;
  const span = Math.log10(high / low);
  return { low, high, at: (value) => from + ((to - from) * Math.log10(value / low)) / span };
}

function rounded(value: number, way: 1 | -1): number {
  const power = Math.floor(Math.log10(value));
  const steps = [1, 2, 5, 10].map((step) => step * 10 ** power);
  const near = (step: number): boolean => Math.abs(step / value - 1) < 1e-9;
  const found =
    way < 0
      ? steps.findLast((step) => step <= value || near(step))
      : steps.find((step) => step >= value || near(step));
  return found ?? value;
}

/** Each with whether it is a power of ten, and whether it has a number. */
function ticksOf({
  low,
  high,
}: Axis): readonly { readonly value: number; readonly isMajor: boolean; readonly isTold: boolean }[] {
  const isShort = high / low <= 1000;
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (let digit = 1; digit < 10; digit++) {
      const value = digit * 10 ** power;
      if (value < low * 0.999 || value > high * 1.001) continue;
      const isMajor = digit === 1;
      ticks.push({ value, isMajor, isTold: isMajor || (isShort && (digit === 2 || digit === 5)) });
    }
  return ticks;
}

function numberText(value: number): string {
  const short = (amount: number, unit: string): string => `${Number(amount.toPrecision(3))}${unit}`;
  if (value >= 1e6) return short(value / 1e6, 'M');
  return value >= 1e3 ? short(value / 1e3, 'k') : short(value, '');
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const near = (value: number): string => value.toFixed(1);

function gridOf(x: Axis, y: Axis): readonly string[] {
  const parts: string[] = [];
  for (const { value, isMajor, isTold } of ticksOf(x)) {
    const at = near(x.at(value));
    parts.push(`<path class="grid${isMajor ? '' : ' minor'}" d="M${at} ${frame.top}V${bottom}"/>`);
    parts.push(`<path class="axis" d="M${at} ${bottom}v${isTold ? 6 : 3}"/>`);
    if (isTold)
      parts.push(`<text x="${at}" y="${bottom + 20}" text-anchor="middle">${numberText(value)}</text>`);
  }
  for (const { value, isMajor, isTold } of ticksOf(y)) {
    const at = y.at(value);
    parts.push(`<path class="grid${isMajor ? '' : ' minor'}" d="M${frame.left} ${near(at)}H${right}"/>`);
    parts.push(`<path class="axis" d="M${frame.left} ${near(at)}h-${isTold ? 6 : 3}"/>`);
    if (isTold)
      parts.push(
        `<text x="${frame.left - 10}" y="${near(at + 4)}" text-anchor="end">${numberText(value)}</text>`,
      );
  }
  parts.push(`<path class="axis" d="M${frame.left} ${frame.top}V${bottom}H${right}"/>`);
  return parts;
}

/** `isSecond`: a line before has the same goal, which is to be seen too. */
function lineOf(
  { points, isPeer, goals = [] }: Line,
  number: number,
  [x, y]: readonly [Axis, Axis],
  isSecond: (goal: readonly [number, number]) => boolean,
): readonly string[] {
  const at = ([a, b]: readonly [number, number]): string => `${near(x.at(a))} ${near(y.at(b))}`;
  const dash = isPeer === true ? ' stroke-dasharray="6 4"' : '';
  return [
    `<path class="line s${number}" d="M${points.map(at).join('L')}"${dash}/>`,
    ...points.map(
      ([a, b]) => `<circle class="f${number}" cx="${near(x.at(a))}" cy="${near(y.at(b))}" r="3.2"/>`,
    ),
    ...goals.map(
      (goal) => `<path class="goal s${number}" d="M${at(goal)}${isSecond(goal) ? 'h9' : 'm-9 0h18'}"/>`,
    ),
  ];
}

/** Names at the ends of lines, pushed apart where these are close. */
function namesOf(lines: readonly Line[], y: Axis): readonly string[] {
  const ends = lines
    .map(({ name, points }, number) => {
      const [, last] = points.at(-1) ?? [1, y.low];
      return { name, number: number % colours.length, at: y.at(last), value: last };
    })
    .sort((a, b) => a.at - b.at);
  const places: number[] = [];
  for (const { at } of ends)
    places.push(Math.max(at, (places.at(-1) ?? Number.NEGATIVE_INFINITY) + lineHeight));
  // What is pushed below the frame pushes the others up again.
  for (let index = places.length - 1, most = bottom; index >= 0; index--, most -= lineHeight)
    places[index] = Math.min(places[index] as number, most);
  return ends.map(({ name, number, at, value }, index) => {
    const place = places[index] as number;
    return (
      `<path class="lead s${number}" d="M${right + 4} ${near(at)}L${right + 16} ${near(place)}"/>` +
      `<text class="name f${number}" x="${right + 20}" y="${near(place + 4)}">${escaped(name)} · ${numberText(value)}</text>`
    );
  });
}

function referencesOf(references: readonly Reference[], y: Axis): readonly string[] {
  return references.map(({ name, y: value }) => {
    const at = y.at(value);
    return (
      `<path class="reference" d="M${frame.left} ${near(at)}H${right}"/>` +
      `<text class="told" x="${frame.left + 8}" y="${near(at - 5)}">${escaped(`${name}: ${numberText(value)}/s`)}</text>`
    );
  });
}

/** Plain rules, for those who show no more of SVG than that; a page that is dark says so. */
function styleOf(): string {
  const rules = (which: 0 | 1): string =>
    colours
      .map((pair, number) => `.s${number}{stroke:${pair[which]}}.f${number}{fill:${pair[which]}}`)
      .join('');
  return `text{font:12px system-ui,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.note,.told{fill:#59636e}.told{font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:4px}.name{font-weight:600}
.page{fill:#fff}.grid{stroke:#d9dee3}.minor{stroke-opacity:.45}.axis{stroke:#59636e;fill:none}
.line{stroke-width:2;fill:none;stroke-linejoin:round}.lead{stroke-opacity:.6;fill:none}.goal{stroke-width:4;stroke-opacity:.55}
.reference{stroke:#59636e;stroke-dasharray:2 4}
${rules(0)}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.note,.told{fill:#9aa4af}.told{stroke:#0d1117}.page{fill:#0d1117}.grid{stroke:#30363d}.axis,.reference{stroke:#9aa4af}
${rules(1)}}`;
}

/** What has a place on logarithmic axes. */
const isDrawable = ([a, b]: readonly [number, number]): boolean =>
  a > 0 && b > 0 && Number.isFinite(a) && Number.isFinite(b);

function drawable(line: Line): Line {
  return { ...line, points: line.points.filter(isDrawable), goals: (line.goals ?? []).filter(isDrawable) };
}

export function svgOf({ title, note, x, y, lines: given, references = [] }: Plot): string {
  const lines = given.map(drawable).filter((line) => line.points.length > 0);
  const points = lines.flatMap((line) => [...line.points, ...(line.goals ?? [])]);
  const across = axisOf(
    points.map(([at]) => at),
    frame.left,
    right,
  );
  const up = axisOf(
    [...points.map(([, value]) => value), ...references.map((one) => one.y)],
    bottom,
    frame.top,
  );
  const goalsBefore = (number: number): string[] =>
    lines.slice(0, number).flatMap(({ goals = [] }) => goals.map(String));
  const drawn = lines.flatMap((line, number) =>
    lineOf(line, number % colours.length, [across, up], (goal) => goalsBefore(number).includes(String(goal))),
  );
  const hasGoals = lines.some(({ goals = [] }) => goals.length > 0);
  const told = [note, hasGoals ? 'Short bars: what we hold ourselves to.' : undefined];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>${styleOf()}</style>
<rect class="page" width="${width}" height="${height}"/>
<text class="title" x="${frame.left}" y="28">${escaped(title)}</text>
<text class="note" x="${frame.left}" y="48">${escaped(told.filter((one) => one !== undefined).join(' '))}</text>
${gridOf(across, up).join('\n')}
${drawn.join('\n')}
${referencesOf(references, up).join('\n')}
${namesOf(lines, up).join('\n')}
<text x="${(frame.left + right) / 2}" y="${height - 14}" text-anchor="middle">${escaped(x)}</text>
<text transform="translate(20 ${(frame.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>
</svg>
`;
}
