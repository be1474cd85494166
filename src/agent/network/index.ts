/** The door of the pod network: the contract, the real one, the fake. */
export { createFakePodNetwork, type FakePodNetwork, type FakePodNetworkOptions } from './fake-network.ts';
export { createPodNetwork, type PodNetworkOptions } from './io/bridge-network.ts';
export * from './network.ts';
