// SPDX-License-Identifier: Apache-2.0
import type { CloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { SETTINGS_VERSION, type Settings } from '#cli/deployment/settings.ts'

/** What the command line would have of a home on this computer. */
export function settingsOf({ home, institutions }: Pick<CloudDeployment, 'home' | 'institutions'>): Settings {
  if (!home) throw new Error('nothing was deployed')
  return {
    v: SETTINGS_VERSION,
    registry: home.registry,
    deployment: home.deployment,
    origin: home.origin,
    log: home.log,
    institutions: institutions.map(({ id }) => id),
    passphrase: { kind: 'generated' },
    demo: { record: null, patient: null },
  }
}
