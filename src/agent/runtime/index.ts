/** The door of the runtime: the contract, the fake. The real one is opened by `createRuntime`. */

export {
  createFakeRuntime,
  type FakeExecResult,
  FakeHost,
  type FakeProgram,
  type FakeRuntime,
  type FakeRuntimeOptions,
} from './fake-runtime.ts';
export * from './runtime.ts';
