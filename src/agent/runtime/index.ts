/** The door of the runtime: the contract, the real one, the fake. */
export {
  createFakeRuntime,
  type FakeExecResult,
  FakeHost,
  type FakeProgram,
  type FakeRuntime,
  type FakeRuntimeOptions,
} from './fake-runtime.ts';
export { createRuntime, type RuntimeOptions } from './io/conmon-runtime.ts';
export * from './runtime.ts';
