/**
 * `caelum scheduling-profiles FILE`: what a KubeSchedulerConfiguration, written for kube-scheduler, is here: SchedulingProfiles to apply, and as comments what
 * of it is not heeded.
 */
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { CaelumError, explainError } from '../../lib/index.ts';
import { type Understood, understandConfiguration } from '../../scheduler/index.ts';
import { outputOption, print, printJson, type RunnableCommand } from '../command.ts';

export const schedulingProfiles: RunnableCommand = {
  name: 'scheduling-profiles',
  summary:
    'SchedulingProfiles that say what a KubeSchedulerConfiguration says, and what of it is not heeded.',
  words: 'FILE',
  wordCount: { min: 1, max: 1 },
  options: [outputOption],
  notes: 'To use them: caelum scheduling-profiles kube-scheduler.yaml | kubectl apply -f -',
  async run(given) {
    const [file = ''] = given.words;
    const understood = understandConfiguration(read(file));
    if (given.value('output') === 'json') printJson(understood);
    else print(textOf(understood));
    return 0;
  },
};

function read(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CaelumError('invalid', `Cannot read "${file}": ${explainError(error)}`);
  }
}

function textOf({ profiles, remarks }: Understood): string {
  const told = remarks.map((one) => `# ${one}\n`).join('');
  return `${told}${profiles.map((one) => stringify(one)).join('---\n')}`;
}
