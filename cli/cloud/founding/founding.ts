// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import type { Platform } from '#core/ports/needs.ts'
import { makeFolder } from '../../deployment/files.ts'
import { foundHome } from '../../deployment/found-home.ts'
import { makePassphrase, readPassphrase } from '../../deployment/passphrase.ts'
import { makeFounders } from '../../deployment/set-up.ts'
import { readSettings } from '../../deployment/settings.ts'
import type { Common, Screen } from '../../terminal/screen.ts'
import type { CloudDeployment } from '../cloud-folder.ts'
import type { Deploying } from '../cloud.ts'
import { mirrorKeysOf } from './home-keys.ts'

/** What is remembered of a home that was set up. */
export type FoundedInCloud = NonNullable<CloudDeployment['home']>

/**
 * Makes the founders of a home in the folder of its deployment.
 * @returns what makes the keys of the home and begins the registry with them, on a platform; safe to repeat
 */
export async function founding(
  { institutions, demo, home: known }: CloudDeployment,
  origin: string,
  { folder, passphrase }: Pick<Deploying, 'folder' | 'passphrase'>,
): Promise<(platform: Platform) => Promise<FoundedInCloud>> {
  const deployment = asDeploymentId(known?.deployment ?? 'home-1')
  const { records, founders } = await makeFounders(folder, { institutions }, passphrase)
  const owner = institutions[0]?.id ?? ''
  const what = { deployment, origin, durability: 'region', owner, demo, records, founders } as const
  return async (platform) => {
    const { registry, log, witness } = await foundHome(platform, what)
    const mirror = await mirrorKeysOf(platform)
    return { deployment, origin, registry, log: [...log], witness: [...witness], mirror }
  }
}

/**
 * The passphrase of the institutions' key files beside a cloud deployment: made the first time, and kept in the file `passphrase` unless
 * --passphrase-file names another, or a home brought its own.
 */
export async function foundersPassphrase(
  folder: string,
  options: Pick<Common, 'passphraseFile'>,
  screen: Screen,
): Promise<StretchedPassphrase> {
  makeFolder(folder)
  // A home that was moved here brought its institutions, and where their passphrase is.
  const moved = readSettings(folder)?.passphrase
  const source = moved ?? ({ kind: 'generated' } as const)
  const isNew = !moved && options.passphraseFile === undefined && !existsSync(join(folder, 'passphrase'))
  const text = isNew
    ? await makePassphrase(folder, source, screen)
    : await readPassphrase(folder, source, options, screen)
  return { text, masters: new Map(), isRandom: options.passphraseFile === undefined }
}
