/** Line plots as small SVG files: both axes logarithmic, since growth is what they show. Pure. */

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** A peer: drawn broken. */
  readonly isPeer?: boolean;
}

export interface Plot {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
}

const width = 720;
const height = 420;
const frame = { left: 80, right: 190, top: 40, bottom: 50 };
const colours = ['#1b6ca8', '#c0392b', '#2e8b57', '#8e44ad', '#d68910', '#34495e', '#16a085'];

/** Powers of ten around the values. */
function decades(values: readonly number[]): readonly [number, number] {
  const known = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(...known)));
  const high = Math.ceil(Math.log10(Math.max(...known)));
  return [low, high > low ? high : low + 1];
}

const numberText = (value: number): string =>
  value >= 1e6 ? `${value / 1e6}M` : value >= 1e3 ? `${value / 1e3}k` : String(value);

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export function svgOf({ title, x, y, lines }: Plot): string {
  const points = lines.flatMap((line) => line.points);
  const [left, right] = decades(points.map(([at]) => at));
  const [low, high] = decades(points.map(([, value]) => value));
  const inner = { width: width - frame.left - frame.right, height: height - frame.top - frame.bottom };
  const atX = (value: number): number =>
    frame.left + (inner.width * (Math.log10(value) - left)) / (right - left);
  const atY = (value: number): number =>
    frame.top + inner.height - (inner.height * (Math.log10(value) - low)) / (high - low);
  const parts: string[] = [];
  for (let power = left; power <= right; power++) {
    const at = atX(10 ** power).toFixed(1);
    parts.push(
      `<path class="grid" d="M${at} ${frame.top}V${frame.top + inner.height}"/>`,
      `<text x="${at}" y="${frame.top + inner.height + 18}" text-anchor="middle">${numberText(10 ** power)}</text>`,
    );
  }
  for (let power = low; power <= high; power++) {
    const at = atY(10 ** power).toFixed(1);
    parts.push(
      `<path class="grid" d="M${frame.left} ${at}H${frame.left + inner.width}"/>`,
      `<text x="${frame.left - 8}" y="${Number(at) + 4}" text-anchor="end">${numberText(10 ** power)}</text>`,
    );
  }
  for (const [number, { name, points: own, isPeer }] of lines.entries()) {
    const colour = colours[number % colours.length];
    const path = own.map(([at, value]) => `${atX(at).toFixed(1)} ${atY(value).toFixed(1)}`).join('L');
    const dash = isPeer === true ? ' stroke-dasharray="5 4"' : '';
    const legend = frame.top + 14 + 20 * number;
    const start = frame.left + inner.width + 14;
    parts.push(
      `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`,
      ...own.map(
        ([at, value]) =>
          `<circle cx="${atX(at).toFixed(1)}" cy="${atY(value).toFixed(1)}" r="3" fill="${colour}"/>`,
      ),
      `<path d="M${start} ${legend - 4}h20" stroke="${colour}" stroke-width="2"${dash}/>`,
      `<text x="${start + 26}" y="${legend}">${escaped(name)}</text>`,
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>text{font:12px sans-serif;fill:#222}.grid{stroke:#ddd}.title{font-size:15px;font-weight:bold}</style>
<rect width="${width}" height="${height}" fill="#fff"/>
<text class="title" x="${frame.left}" y="24">${escaped(title)}</text>
${parts.join('\n')}
<text x="${frame.left + inner.width / 2}" y="${height - 10}" text-anchor="middle">${escaped(x)}</text>
<text transform="translate(18 ${frame.top + inner.height / 2}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>
</svg>
`;
}
