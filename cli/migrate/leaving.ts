// SPDX-License-Identifier: Apache-2.0
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import type { Fetch, Signer } from '#core/ports/keys.ts'
import { activeInstanceOf, recordOf } from '#core/registry/snapshot.ts'
import { connectRoot } from '../commands/instances/registry-session.ts'
import type { Settings } from '../deployment/settings.ts'
import { connectInstitution } from '../open/bridge.ts'
import type { OpenHome } from '../open/home.ts'
import { openInstitution } from '../open/institution.ts'
import { pinnedPolicy } from '../open/policy.ts'
import { refuse } from '../program/refuse.ts'
import type { Entering } from './enter.ts'
import type { Controller } from './move-records.ts'

/** A home that is left, open in this process. */
export interface LeftHome {
  /** Where its settings are, its policy, and the keys of its institutions. */
  readonly folder: string
  /** The data folder in which what is known of deployments lies. */
  readonly data: string
  readonly settings: Settings
  readonly passphrase: string | StretchedPassphrase
  readonly fetch: Fetch
  readonly home: Pick<OpenHome, 'platform' | 'home' | 'tendLog'>
  /** Has nobody else answer for it any more; null where nobody does. */
  readonly stop: (() => Promise<void>) | null
  /** Takes back what was given for the move, once it is done. */
  readonly end: () => Promise<void>
  /** How it goes on where nothing moved. */
  readonly goesOn: string
}

/** The same, with who signs that it moves. */
export interface Leaving extends LeftHome {
  readonly entering: Entering
  readonly controllers: readonly Controller[]
}

/** @throws AmpereError KEY_UNAVAILABLE without the keys of whose home it is */
export async function leavingOf(left: LeftHome): Promise<Leaving> {
  const { folder, settings, home, passphrase, fetch } = left
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
  return { ...left, entering: { connection, owner, institutions: all }, controllers }
}
