/**
 * The formats of texts that Kubernetes checks in custom resources; others say nothing.
 * Source: Kubernetes' documentation of custom resources (validation); k8s.io/kube-openapi strfmt, as behaviour.
 */

const hostname =
  /^([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,62}[a-zA-Z0-9_])?)(\.[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,62}[a-zA-Z0-9_])?)*\.?$/;
const email = /^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:"]+$/;
const uuid = (version: string): RegExp =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i');
const byte = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const duration = /^[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$|^[+-]?0$/;
const longDuration =
  /^(\d+(\.\d+)?)\s?(ns|nanos?|nanoseconds?|µs|us|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)$/i;
const dateTime = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
const shortName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const checks: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  uri: (text) => /^[a-z][-+.a-z0-9]*:\S+$/i.test(text) || /^\/\S*$/.test(text),
  email: (text) => email.test(text),
  hostname: (text) => text.length <= 255 && hostname.test(text),
  ipv4: isV4,
  ipv6: isV6,
  cidr: isCidr,
  mac: (text) =>
    /^([0-9a-f]{2}([:-]))([0-9a-f]{2}\2){4}([0-9a-f]{2}|([0-9a-f]{2}\2){3}[0-9a-f]{2})$|^([0-9a-f]{4}\.){2,3}[0-9a-f]{4}$/i.test(
      text,
    ),
  uuid: (text) => uuid('[0-9a-f]').test(text),
  uuid3: (text) => uuid('3').test(text),
  uuid4: (text) => uuid('4').test(text),
  uuid5: (text) => uuid('5').test(text),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCard,
  ssn: (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  hexcolor: (text) => /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.test(text),
  rgbcolor: isRgb,
  byte: (text) => byte.test(text),
  password: () => true,
  date: isDate,
  duration: (text) => duration.test(text) || longDuration.test(text),
  datetime: isDateTime,
  k8sshortname: (text) => shortName.test(text),
  k8slongname: (text) => text.length <= 253 && text.split('.').every((label) => shortName.test(label)),
};

/** undefined: a format that says nothing. */
export function formatCheck(format: string | undefined): ((text: string) => boolean) | undefined {
  if (format === undefined || format === '') return undefined;
  const name = format.replaceAll('-', '');
  return Object.hasOwn(checks, name) ? checks[name] : undefined;
}

function isV4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

function isV6(text: string): boolean {
  const last = text.lastIndexOf(':');
  const tail = text.slice(last + 1);
  // An IPv4 address may stand at the end, in the place of two groups.
  const plain = tail.includes('.') ? (isV4(tail) ? `${text.slice(0, last + 1)}0:0` : '') : text;
  const halves = plain.split('::');
  if (last < 0 || plain === '' || halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? groups.length < 8 : groups.length === 8;
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(bits)) return false;
  return (isV4(address) && Number(bits) <= 32) || (isV6(address) && Number(bits) <= 128);
}

function digitsOf(text: string): string {
  return text.replace(/[- ]/g, '');
}

function isIsbn10(text: string): boolean {
  const digits = digitsOf(text);
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = [...digits].reduce(
    (all, digit, index) => all + (10 - index) * (digit === 'X' ? 10 : Number(digit)),
    0,
  );
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = digitsOf(text);
  if (!/^\d{13}$/.test(digits)) return false;
  return (
    [...digits].reduce((all, digit, index) => all + (index % 2 === 0 ? 1 : 3) * Number(digit), 0) % 10 === 0
  );
}

/** The check digit of Luhn. */
function isCard(text: string): boolean {
  const digits = digitsOf(text);
  if (!/^\d{13,19}$/.test(digits)) return false;
  const sum = [...digits].reverse().reduce((all, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
    return all + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

function isRgb(text: string): boolean {
  const found = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(text);
  return found?.slice(1).every((part) => Number(part) <= 255) === true;
}

function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day <= (lengths[month - 1] ?? 0);
}

function isDate(text: string): boolean {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  return found !== null && isDay(Number(found[1]), Number(found[2]), Number(found[3]));
}

function isDateTime(text: string): boolean {
  const found = dateTime.exec(text);
  if (found === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number);
  return isDay(year, month, day) && hour <= 23 && minute <= 59 && second <= 59;
}
