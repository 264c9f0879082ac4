// SPDX-License-Identifier: Apache-2.0
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import type { Fetch, Signer } from '#core/ports/keys.ts'
import { activeInstanceOf, recordOf, type RegistryView } from '#core/registry/snapshot.ts'
import { connectRoot } from '../commands/instances/registry-session.ts'
import type { Settings } from '../deployment/settings.ts'
import { connectInstitution } from '../open/bridge.ts'
import type { OpenHome } from '../open/home.ts'
import { openInstitution, type Institution } from '../open/institution.ts'
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
  const { folder, settings, home, fetch } = left
  const newest = (await home.home.registry.refresh()).newest()
  const { owner, institutions, able } = await signersOf(left, newest)
  const policy = pinnedPolicy(folder, settings)
  const controllers = able.map((institution) => ({
    institution,
    connection: connectInstitution(institution, settings, fetch, { policy }),
  }))
  const connection = await connectRoot({ settings, fetch }, owner)
  return { ...left, entering: { connection, owner, institutions }, controllers }
}

/** Whose keys are here: of whose home it is, and with those of their active app instances that may approve for chains. */
interface Signers {
  readonly owner: Institution
  readonly institutions: readonly Institution[]
  readonly able: readonly Institution[]
}

/** @throws AmpereError KEY_UNAVAILABLE without the keys of whose home it is */
export async function signersOf(
  { folder, settings, passphrase }: Pick<LeftHome, 'folder' | 'settings' | 'passphrase'>,
  newest: RegistryView,
): Promise<Signers> {
  const institutions = await Promise.all(
    settings.institutions.map((id) => openInstitution(folder, id, passphrase)),
  )
  const deployment = recordOf(newest, 'deployment', settings.deployment)
  const owner = institutions.find(({ id }) => id === deployment?.institution)
  if (!owner)
    throw refuse('KEY_UNAVAILABLE', 'the keys of the institution whose home this is are not on this computer')
  const mayApprove = ({ kid }: Signer) =>
    activeInstanceOf(newest, kid)?.instance.capabilities.includes('control') ?? false
  const able = institutions
    .map((institution) => ({ ...institution, instances: institution.instances.filter(mayApprove) }))
    .filter(({ instances }) => instances.length > 0)
  return { owner, institutions, able }
}
