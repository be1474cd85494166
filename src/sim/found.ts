/**
 * Seeds that have found bugs, kept for ever: each is run with every test. What they found is mended; the sentence says what it was.
 * A seed is another history when `generate.ts` changes: what a bug taught is therefore kept as a test beside the mended code, too.
 */

export interface FoundBug {
  readonly seeds: readonly number[];
  /** How long users act and faults happen, when it is not by the seed. */
  readonly seconds?: number;
  /** Found in worlds with every kind of workload; default: of those, Deployments alone. */
  readonly everyKind?: true;
  readonly sentence: string;
}

export const found: readonly FoundBug[] = [
  { seeds: [9, 13], sentence: 'A node stayed Unknown until its next regular status, five minutes later.' },
  {
    seeds: [2, 44],
    sentence:
      'Pods of a node that had been silent stayed not ready: only the node controller had said something of them.',
  },
  {
    seeds: [54],
    sentence: 'A status given up after 30 s arrived after its successor, and a failed pod ran again.',
  },
  {
    seeds: [16, 38],
    sentence: 'A call to the machine that failed after it had worked was taken for not made.',
  },
  {
    seeds: [20, 24, 29, 30, 31, 48],
    sentence:
      'The node controller and a hollow node wrote the readiness of pods against each other as fast as they could, until a lease was renewed.',
  },
  {
    seeds: [78, 88, 106],
    seconds: 60,
    sentence: 'Sandboxes and roots that a failed call had made were left on the machine.',
  },
  {
    seeds: [777_464_665, 777_464_998],
    sentence: 'A Recreate that was paused while its old pods ended began new ones beside them.',
  },
  {
    seeds: [777_465_333, 777_465_526],
    sentence: 'A hollow pod measured its life on the wall, and ran on when that clock was set back.',
  },
  {
    seeds: [777_465_505],
    sentence:
      'A binding that the network repeated was answered with a conflict; the scheduler took its pod for unbound, and put one there that may not be beside it.',
  },
  {
    seeds: [777_465_103],
    sentence: 'A machine that was restarted twice while the API did not answer counted one restart for two.',
  },
  {
    seeds: [86],
    sentence: 'Why a pod waits was not written when the API was away, and only told five minutes later.',
  },
  {
    seeds: [47, 53, 60],
    everyKind: true,
    sentence: 'A suspended Job could not be resumed: that it began anew was refused by the API.',
  },
  {
    seeds: [7],
    everyKind: true,
    sentence:
      'What had been adopted a moment before its owner was deleted with the policy Orphan was not known to the collector, and deleted as garbage.',
  },
  {
    seeds: [144],
    everyKind: true,
    sentence: "A Job whose controller's clock was set back never ended: it would have ended before it began.",
  },
  {
    seeds: [185],
    everyKind: true,
    sentence:
      'Pods that a suspended Job had given up counted as failed; with clocks that differ, it waited for ever for their back-off to end.',
  },
];
