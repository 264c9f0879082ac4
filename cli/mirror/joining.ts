// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { stretchAhead, type StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { openLocal } from '#adapters/local/open.ts'
import type { PublicJwk } from '#core/ports/keys.ts'
import { foundersPassphrase } from '../cloud/founding/founding.ts'
import type { MirrorKeys } from '../cloud/founding/home-keys.ts'
import { deployedAs } from '../cloud/target.ts'
import { homeKeyFile, keyFileOf } from '../deployment/files.ts'
import { readPassphrase } from '../deployment/passphrase.ts'
import { deploymentOf } from '../deployment/deployment-of.ts'
import type { Settings } from '../deployment/settings.ts'
import { actingInstance, openInstitution, type Institution } from '../open/institution.ts'
import type { Call, CloudOption } from '../program/command.ts'
import { refuse } from '../program/refuse.ts'

/** A deployment that is to mirror another home, and the keys with which it will. */
export interface Joining {
  /** Where the homes that it mirrors are listed. */
  readonly folder: string
  readonly settings: Pick<Settings, 'origin' | 'institutions' | 'demo'>
  readonly open: (
    institution: string,
  ) => Promise<{ readonly institution: Institution; readonly keys: MirrorKeys }>
  readonly effective: 'next-start' | 'next-deploy'
  /** What has to be done until it mirrors, after `once`. */
  readonly next: string
}

/** The deployment of the data folder: its institution's own app instance asks. */
export function localJoining(call: Call): Joining {
  const { folder, settings } = deploymentOf(call)
  return {
    folder,
    settings,
    open: async (id) => {
      const text = await readPassphrase(folder, settings.passphrase, call.options, call.screen)
      const passphrase = await stretchAhead(text, [homeKeyFile(folder), keyFileOf(folder, id)])
      const institution = await openInstitution(folder, id, passphrase)
      const head = await headOf(folder, passphrase)
      return { institution, keys: { instance: actingInstance(institution).publicKey, head } }
    },
    effective: 'next-start',
    next: 'npx ampere start runs here again',
  }
}

/** A deployment in a cloud: a key that the cloud keeps asks. @throws AmpereError NOT_FOUND, KEY_UNAVAILABLE; CommanderError (usage) */
export function cloudJoining(call: Call<CloudOption>, name: string): Joining {
  const { folder, deployment, home, deploy } = deployedAs(call, name)
  return {
    folder,
    settings: {
      origin: home.origin,
      institutions: deployment.institutions.map(({ id }) => id),
      demo: deployment.demo ? { record: null, patient: null } : null,
    },
    open: async (id) => {
      const { mirror: keys } = home
      if (!keys) throw refuse('KEY_UNAVAILABLE', 'the keys of its mirror are not known here', deploy)
      const passphrase = await foundersPassphrase(folder, call.options, call.screen)
      return { institution: await openInstitution(folder, id, passphrase), keys }
    },
    effective: 'next-deploy',
    next: `the functions are told: ${deploy}`,
  }
}

/** The key with which this deployment signs statements; a server may run beside. */
async function headOf(folder: string, passphrase: StretchedPassphrase): Promise<PublicJwk> {
  const platform = openLocal({ folder: join(folder, 'home'), passphrase, beside: true })
  try {
    return (await platform.signer('head')).publicKey
  } finally {
    await platform.close()
  }
}
