import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device } from '../../types/resource.v1.ts';
import { compileDeviceSelector } from './selector.ts';

const device: Device = {
  name: 'gpu-0',
  attributes: {
    model: { string: 'a100' },
    index: { int: 3 },
    'other.example.com/version': { version: '1.10.0' },
    ready: { bool: true },
  },
  capacity: { memory: { value: '40Gi' } },
};

test('compileDeviceSelector() chooses devices by what they have', () => {
  for (const [expression, wanted] of [
    ['device.driver == "gpu.example.com"', true],
    [
      'device.attributes["gpu.example.com"].model == "a100" && device.attributes["gpu.example.com"].index > 2',
      true,
    ],
    ['device.attributes["gpu.example.com"].ready', true],
    ['device.attributes["other.example.com"].version.isGreaterThan(semver("1.9.0"))', true],
    ['device.capacity["gpu.example.com"].memory.compareTo(quantity("40Gi")) == 0', true],
    ['cel.bind(own, device.attributes["gpu.example.com"], has(own.model) && own.model == "h100")', false],
    ['has(device.attributes["nobody.example.com"].x)', false],
    ['device.attributes["nobody.example.com"].x == 1', 'no such key: x'],
    ['device.attributes["gpu.example.com"].model', 'CEL expression must return bool'],
  ] as const) {
    const compiled = compileDeviceSelector(expression);
    assert.ok('selection' in compiled, expression);
    if (typeof wanted === 'boolean')
      assert.equal(compiled.selection.matches('gpu.example.com', device), wanted, expression);
    else assert.throws(() => compiled.selection.matches('gpu.example.com', device), { message: wanted });
  }
});

test('compileDeviceSelector() refuses what is no condition, and what may cost too much', () => {
  for (const [expression, wanted] of [
    ['1', /^must evaluate to bool or the unknown type, not int$/],
    ['device.nope', /^compilation failed: ERROR: <input>:1:7: undefined field 'nope'/],
    [
      'device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, device.attributes.all(d, a == b && c == d))))',
      /^too complex, exceeds cost limit$/,
    ],
  ] as const) {
    const compiled = compileDeviceSelector(expression);
    assert.ok('text' in compiled, expression);
    assert.match(compiled.text, wanted);
  }
});
