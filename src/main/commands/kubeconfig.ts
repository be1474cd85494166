/** `caelum kubeconfig`: the way in, for an administrator. */

import { CaelumError } from '../../lib/index.ts';
import { readIfThere } from '../../lib/io/durable-file.ts';
import { dataOption, print, type RunnableCommand } from '../command.ts';
import { dataDirectoryOf, layoutOf } from '../layout.ts';

export const kubeconfig: RunnableCommand = {
  name: 'kubeconfig',
  summary: "Prints an administrator's kubeconfig.",
  options: [dataOption],
  notes:
    'For example: caelum kubeconfig > ~/.kube/config    or: export KUBECONFIG=/var/lib/caelum/kubeconfig',
  async run(given) {
    const layout = layoutOf(dataDirectoryOf(given.value('data')));
    const text = readIfThere(layout.kubeconfig);
    if (text === undefined)
      throw new CaelumError(
        'notFound',
        `Cannot find a cloud in "${layout.data}": start one with: caelum up --data ${layout.data}`,
      );
    print(text);
    return 0;
  },
};
