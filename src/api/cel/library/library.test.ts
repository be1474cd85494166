import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcome } from '../test-expressions.ts';

function holds(table: readonly (readonly [source: string, wanted: string])[]): void {
  for (const [source, wanted] of table) assert.equal(outcome(source), wanted, source);
}

test('conversions read and write texts', () => {
  holds([
    ['int("-12") + int(3u) + int(2.9)', '-7'],
    ['int("1x")', 'error: strconv.ParseInt: parsing "1x": invalid syntax'],
    ['uint("7")', '7'],
    ['double("1.5") + double(1)', '2.5'],
    ['bool("true") && !bool("0")', 'true'],
    ['string(true) + string(5) + string(7u) + string(1.5) + string(b"a")', '"true571.5a"'],
    ['string(1e21) + " " + string(0.00001)', '"1e+21 1e-05"'],
    [
      'type(1) == int && type("") == string && type([]) == list && type({}) == map && type(null) == null_type',
      'true',
    ],
    ['type(1.0) == double && type(1u) == uint && type(type(1)) == type', 'true'],
    ['type(timestamp("2024-01-01T00:00:00Z")) == google.protobuf.Timestamp', 'true'],
  ]);
});

test('timestamps and durations are read, written and taken apart', () => {
  holds([
    ['timestamp("2024-02-29T12:34:56.789Z")', '2024-02-29T12:34:56.789Z'],
    ['timestamp("2024-02-29T23:30:00-02:00")', '2024-03-01T01:30:00Z'],
    ['timestamp("2023-02-29T00:00:00Z")', 'ERROR: <input>:1:11: invalid timestamp argument'],
    ['timestamp("2024-03-01T00:00:00Z") - timestamp("2024-02-28T00:00:00Z") == duration("48h")', 'true'],
    [
      'string(timestamp("2024-01-01T00:00:00Z") + duration("1h30m0.5s"))',
      '"2024-01-01T01:30:00.500Z"'.replace('500', '5'),
    ],
    ['string(duration("1h") - duration("1.5s"))', '"3598.5s"'],
    ['duration("-90m").getHours()', '-1'],
    ['duration("1500ms").getMilliseconds()', '500'],
    ['timestamp("2024-12-31T23:59:59Z").getDayOfYear()', '365'],
    ['timestamp("2024-12-31T23:59:59Z").getFullYear("+00:30")', '2025'],
    ['timestamp("2024-07-01T12:00:00Z").getHours("Europe/Berlin")', '14'],
    ['timestamp("2024-07-01T12:00:00Z").getHours("Nowhere/City")', 'error: unknown time zone Nowhere/City'],
    [
      '[timestamp("2024-07-07T12:00:00Z")].map(t, [t.getDayOfWeek(), t.getMonth(), t.getDate(), t.getDayOfMonth()])',
      '[[0,6,7,6]]',
    ],
    ['timestamp("9999-12-31T23:59:59Z") + duration("1s")', 'error: timestamp overflow'],
    ['int(timestamp(1700000000))', '1700000000'],
    ['timestamp("2024-01-01T00:00:00Z") < timestamp("2024-01-01T00:00:01Z")', 'true'],
  ]);
});

test('texts are searched, cut and joined by characters', () => {
  holds([
    ['"tacocat".charAt(3) + "ab".charAt(2)', '"o"'],
    ['"ab".charAt(3)', 'error: index out of range: 3'],
    ['"hello mellow".indexOf("ello", 2)', '7'],
    ['"hello mellow".lastIndexOf("ello") - "hello mellow".lastIndexOf("ello", 6)', '6'],
    ['"😀bc".indexOf("c")', '2'],
    ['"😀bc".substring(1, 2)', '"b"'],
    ['"abc".substring(2, 1)', 'error: invalid substring range. start: 2, end: 1'],
    ['"TacoCÆt".lowerAscii() + "tacoCæt".upperAscii()', '"tacocÆtTACOCæT"'],
    ['"hello hello".replace("he", "we") + "hello hello".replace("he", "we", 1)', '"wello wellowello hello"'],
    ['"a,b,c".split(",", 2)', '["a","b,c"]'],
    ['"ab".split("")', '["a","b"]'],
    ['["x", "y"].join() + ["x", "y"].join("-")', '"xyx-y"'],
    ['"  a b\\n".trim()', '"a b"'],
    ['"äb".reverse()', '"bä"'],
    ['strings.quote("a\\"b\\n")', String.raw`"\"a\\\"b\\n\""`],
    [
      '"%s is %d of %.2f, %x %X %o %b %e %%".format(["a", 5, 2.0, 255, "hi", 8, true, 1234.5])',
      '"a is 5 of 2.00, ff 6869 10 1 1.234500e+03 %"',
    ],
    ['"%s".format([[1, "a", {"k": true}, null, duration("1s")]])', '"[1, a, {k: true}, null, 1s]"'],
    [
      '"%d".format(["a"])',
      'error: error during formatting: decimal clause can only be used on integers, was given string',
    ],
    ['"%s %s".format(["a"])', 'error: index 1 out of range'],
  ]);
});

test('lists are sorted, summed and searched; sets compared', () => {
  holds([
    ['[1, 2, 2].isSorted() && !["b", "a"].isSorted() && [true].isSorted()', 'true'],
    ['[1, 2].sum() + [].sum()', '3'],
    ['[1.5, 2.5].sum() == 4.0', 'true'],
    ['[duration("1s"), duration("2s")].sum() == duration("3s")', 'true'],
    ['[3, 1].min() + ["a", "b"].max().size()', '2'],
    ['[].min()', 'error: min called on empty list'],
    ['[1, 2, 1].indexOf(1) - [1, 2, 1].lastIndexOf(1) + [1].indexOf(5)', '-3'],
    [
      'sets.contains([1, 2], [2, 2]) && sets.equivalent([1, 2, 2], [2, 1]) && !sets.intersects([1], [2])',
      'true',
    ],
  ]);
});

test('regular expressions are those of RE2', () => {
  holds([
    ['"foobar".matches("^fo+b") && !"a".matches("^[[:digit:]]$") && "é".matches("^\\\\pL$")', 'true'],
    ['"ABC".matches("(?i)^abc$") && "x{".matches("x{$") && matches("a-b", "^[\\\\w-]+$")', 'true'],
    ['"a\\nb".matches("(?s)a.b") && !"a\\nb".matches("a.b") && "ab".matches("\\\\Aab\\\\z")', 'true'],
    ['"abc 123 45".find("[0-9]+") + "x".find("[0-9]")', '"123"'],
    ['"abc 123 45".findAll("[0-9]+")', '["123","45"]'],
    ['"abc 123 45".findAll("[0-9]+", 1)', '["123"]'],
    ['"a".matches("(?=a)")', 'ERROR: <input>:1:13: invalid matches argument'],
    ['"aa".matches("(a)\\\\1")', 'ERROR: <input>:1:14: invalid matches argument'],
    ['"a".matches(["("].join())', 'error: error parsing regexp: missing closing ): `(`'],
  ]);
});

test('URLs are taken apart', () => {
  holds([
    [
      '[url("https://u@example.com:80/a b/c?x=1&x=2&y=%41")].map(u, [u.getScheme(), u.getHost(), u.getHostname(), u.getPort(), u.getEscapedPath()])',
      '[["https","example.com:80","example.com","80","/a%20b/c"]]',
    ],
    ['url("https://a/?x=1&x=2&y=%41").getQuery()', '{"x":["1","2"],"y":["A"]}'],
    ['url("https://[::1]:80/").getHostname()', '"::1"'],
    [
      'isURL("/a/b") && !isURL("a/b") && !isURL("") && isURL("https://a:80") && !isURL("https://a:b/")',
      'true',
    ],
    [
      'url("../x")',
      'error: URL parse error during conversion from string: parse "../x": invalid URI for request',
    ],
    ['url("https://a/b") == url("https://a/b")', 'true'],
  ]);
});

test('quantities are compared and added exactly', () => {
  holds([
    ['isQuantity("1.3Gi") && isQuantity("50m") && !isQuantity("2Mit") && !isQuantity("")', 'true'],
    ['quantity("200k") == quantity("0.2M") && quantity("1Ki").isGreaterThan(quantity("1k"))', 'true'],
    ['quantity("50k").add(quantity("20k")).sub(20000).asInteger()', '50000'],
    ['quantity("50.5").isInteger()', 'false'],
    ['quantity("50.5").asInteger()', 'error: cannot convert value to integer'],
    ['quantity("50.5").asApproximateFloat()', '50.5'],
    ['quantity("-1").sign() + quantity("2").compareTo(quantity("1"))', '0'],
    [
      'quantity("x")',
      "error: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ]);
});

test('addresses and ranges are told apart', () => {
  holds([
    [
      'isIP("10.0.0.1") && isIP("::1") && !isIP("10.0.0.01") && !isIP("::ffff:1.2.3.4") && !isIP("a")',
      'true',
    ],
    [
      'ip.isCanonical("2001:db8::abcd") && !ip.isCanonical("2001:DB8::ABCD") && !ip.isCanonical("2001:db8:0:0:0:0:0:abcd")',
      'true',
    ],
    ['string(ip("2001:db8:0:1:0:0:0:1"))', '"2001:db8:0:1::1"'],
    ['ip("::1") == ip("0:0::1") && ip("10.0.0.1").family() == 4', 'true'],
    [
      'ip("127.0.0.1").isLoopback() && ip("fe80::1").isLinkLocalUnicast() && ip("224.0.0.1").isLinkLocalMulticast() && ip("::").isUnspecified()',
      'true',
    ],
    ['ip("8.8.8.8").isGlobalUnicast() && !ip("255.255.255.255").isGlobalUnicast()', 'true'],
    ['cidr("10.1.0.0/16").containsIP("10.1.2.3") && !cidr("10.1.0.0/16").containsIP(ip("10.2.0.0"))', 'true'],
    [
      'cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16") && !cidr("10.1.0.0/16").containsCIDR(cidr("10.0.0.0/8"))',
      'true',
    ],
    ['string(cidr("10.1.2.3/16").masked()) + string(cidr("10.1.2.3/16").ip())', '"10.1.0.0/1610.1.2.3"'],
    ['cidr("::1/128").prefixLength()', '128'],
    ['isCIDR("10.0.0.0/33")', 'false'],
    ['type(ip("::1")) == net.IP', 'true'],
  ]);
});

test('semantic versions are ordered', () => {
  holds([
    ['isSemver("1.2.3") && !isSemver("1.2") && isSemver("v1.2", true) && !isSemver("01.0.0")', 'true'],
    [
      'semver("1.0.0-rc.2").isLessThan(semver("1.0.0-rc.10")) && semver("1.0.0-rc.1").isLessThan(semver("1.0.0"))',
      'true',
    ],
    ['semver("v01.2", true).compareTo(semver("1.2.0"))', '0'],
    ['semver("1.2.3+b") == semver("1.2.3") && semver("1.2.3").minor() == 2', 'true'],
  ]);
});

test('named formats tell what is wrong', () => {
  holds([
    ['format.dns1123Label().validate("my-name")', 'none'],
    ['format.dns1123LabelPrefix().validate("my-name-")', 'none'],
    ['format.dns1123Label().validate("My").value().size()', '1'],
    ['format.named("labelValue").value().validate("a b").hasValue()', 'true'],
    ['format.named("nope").hasValue()', 'false'],
    [
      '["uuid", "date", "datetime", "byte", "uri"].all(f, format.named(f).value().validate("!").hasValue())',
      'true',
    ],
    [
      'format.uuid().validate("123e4567-e89b-12d3-a456-426614174000").hasValue() || format.date().validate("2024-02-29").hasValue()',
      'false',
    ],
  ]);
});
