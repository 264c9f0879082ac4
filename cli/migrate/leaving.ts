// SPDX-License-Identifier: Apache-2.0
import type { Signer } from '#core/ports/keys.ts'
import { activeInstanceOf, recordOf } from '#core/registry/snapshot.ts'
import { connectRoot } from '../commands/instances/registry-session.ts'
import type { Reached } from '../deployment/session.ts'
import { connectInstitution } from '../open/bridge.ts'
import type { OpenHome } from '../open/home.ts'
import { openInstitution } from '../open/institution.ts'
import { pinnedPolicy } from '../open/policy.ts'
import { refuse } from '../program/refuse.ts'
import type { Entering } from './enter.ts'
import type { Controller } from './move-records.ts'

/** The home that is left, open in this process. */
export interface Leaving extends Reached {
  readonly home: OpenHome
  readonly entering: Entering
  readonly controllers: readonly Controller[]
}

/** @throws AmpereError STORE_LOCKED while it is served, KEY_UNAVAILABLE without the keys of whose home it is */
export async function leavingOf(reached: Reached): Promise<Leaving> {
  const { folder, settings, home, passphrase, fetch } = reached
  if (!home)
    throw refuse(
      'STORE_LOCKED',
      `this home is served at ${settings.origin}, and would go on taking blocks`,
      'stop that server, then the same command again',
    )
  const all = await Promise.all(settings.institutions.map((id) => openInstitution(folder, id, passphrase)))
  const newest = (await home.home.registry.refresh()).newest()
  const deployment = recordOf(newest, 'deployment', settings.deployment)
  const owner = all.find(({ id }) => id === deployment?.institution)
  if (!owner)
    throw refuse('KEY_UNAVAILABLE', 'the keys of the institution whose home this is are not on this computer')
  const policy = pinnedPolicy(folder, settings)
  const mayApprove = ({ kid }: Signer) =>
    activeInstanceOf(newest, kid)?.instance.capabilities.includes('control') ?? false
  const controllers = all
    .map((institution) => ({ ...institution, instances: institution.instances.filter(mayApprove) }))
    .filter(({ instances }) => instances.length > 0)
    .map((institution) => ({
      institution,
      connection: connectInstitution(institution, settings, fetch, { policy }),
    }))
  const connection = await connectRoot({ settings, fetch }, owner)
  return { ...reached, home, entering: { connection, owner, institutions: all }, controllers }
}
