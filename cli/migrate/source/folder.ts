// SPDX-License-Identifier: Apache-2.0
import type { Reached } from '../../deployment/session.ts'
import { refuse } from '../../program/refuse.ts'
import type { LeftHome } from '../leaving.ts'

const end = async () => {}

/** The home of a data folder. @throws AmpereError STORE_LOCKED while it is served */
export function homeHere({ folder, settings, passphrase, fetch, home }: Reached): LeftHome {
  if (!home)
    throw refuse(
      'STORE_LOCKED',
      `this home is served at ${settings.origin}, and would go on taking blocks`,
      'stop that server, then the same command again',
    )
  const goesOn = 'npx ampere start'
  return { folder, data: folder, settings, passphrase, fetch, home, stop: null, end, goesOn }
}
