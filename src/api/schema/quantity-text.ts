/**
 * The canonical text of a quantity: the one in which the API server keeps and shows it. Exact, for any size.
 *
 *   `1000m` → `1`   `0.5` → `500m`   `1024Mi` → `1Gi`   `0.1Gi` → `107374182400m`   `1e3` → `1e3`
 *
 * Source: the behaviour documented for k8s.io/apimachinery/pkg/api/resource: no fractions, the largest suffix that keeps an
 * integer, the family of suffixes (binary, decimal, exponent) as written, values finer than nano rounded away from zero.
 */

interface Refusal {
  readonly refusal: string;
}

const wrongFormat: Refusal = {
  refusal: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
};
const wrongSuffix: Refusal = { refusal: "unable to parse quantity's suffix" };

const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const nanoPlaces = 9;
const largest = (2n ** 63n - 1n) * 10n ** BigInt(nanoPlaces);

export function canonicalQuantity(text: string): string | Refusal {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*)([-+]?\d*)$/.exec(text);
  if (match === null) return wrongFormat;
  const [, sign = '', whole = '', fraction = '', letters = '', exponentText = ''] = match;
  if (whole === '' && fraction === '') return wrongFormat;
  const binary = binarySuffixes.indexOf(letters);
  const decimal = decimalSuffixes.indexOf(letters);
  const isExponent = (letters === 'e' || letters === 'E') && /\d/.test(exponentText);
  if (!isExponent && (exponentText !== '' || (binary < 0 && decimal < 0))) return wrongSuffix;
  const exponent = isExponent ? Number(exponentText) : binary > 0 ? 0 : (decimal - 3) * 3;
  if (exponent > 1000 || exponent < -1000) return wrongSuffix;

  // In units of 10^-9, rounded up: something asked for is never nothing.
  let units = BigInt(whole + fraction || '0') * (binary > 0 ? 1024n ** BigInt(binary) : 1n);
  const places = nanoPlaces + exponent - fraction.length;
  if (places >= 0) units *= 10n ** BigInt(places);
  else {
    const divisor = 10n ** BigInt(-places);
    units = (units + divisor - 1n) / divisor;
  }
  if (units > largest) units = largest;
  if (units === 0n) return '0';
  const minus = sign === '-' ? '-' : '';
  const one = 10n ** BigInt(nanoPlaces);
  if (binary > 0 && !isExponent && units >= 1024n * one && units % one === 0n) {
    return minus + binaryText(units / one);
  }
  return minus + decimalText(units, isExponent);
}

function binaryText(value: bigint): string {
  let power = 0;
  while (value % 1024n === 0n && power < binarySuffixes.length - 1) {
    value /= 1024n;
    power++;
  }
  return `${value}${binarySuffixes[power]}`;
}

function decimalText(units: bigint, isExponent: boolean): string {
  let exponent = -nanoPlaces;
  while (units % 1000n === 0n && (isExponent || exponent < 18)) {
    units /= 1000n;
    exponent += 3;
  }
  if (isExponent) return exponent === 0 ? `${units}` : `${units}e${exponent}`;
  return `${units}${decimalSuffixes[exponent / 3 + 3]}`;
}
