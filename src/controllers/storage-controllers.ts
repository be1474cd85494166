/** The controllers of storage, started together: claims are bound, made volumes for, kept while they are used, and grown. */
import { ephemeralClaimController } from './ephemeral-claims/controller.ts';
import { localVolumeController } from './local-volumes/controller.ts';
import { type RunningController, type ShellOptions, startController } from './shell.ts';
import { volumeBinderController } from './volume-binder/controller.ts';
import { volumeExpanderController } from './volume-expander/controller.ts';
import { claimProtectionController } from './volume-protection/claims.ts';
import { volumeProtectionController } from './volume-protection/volumes.ts';

export function startStorageControllers(options: ShellOptions): readonly RunningController[] {
  const { client, informers } = options;
  return [
    startController(ephemeralClaimController(informers), options),
    startController(volumeBinderController(informers, client), options),
    startController(localVolumeController(informers), options),
    startController(volumeExpanderController(informers), options),
    startController(claimProtectionController(informers, client), options),
    startController(volumeProtectionController(informers), options),
  ];
}
