/** The door of the pod network: the contract, the fake. */

export { createFakePodNetwork, type FakePodNetwork, type FakePodNetworkOptions } from './fake-network.ts';
export * from './network.ts';
