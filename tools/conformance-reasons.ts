/** Why nothing of ours covers a conformance test yet: the first pattern that fits its name. */
export const notYet: readonly (readonly [RegExp, string])[] = [
  [/\[sig-apps\] CronJob should (?!support)/, 'no controller of CronJobs yet'],
  [
    /\[sig-apps\] (Daemon set|StatefulSet|Job|ReplicationController|DisruptionController)/,
    'no controller of this kind yet',
  ],
];
