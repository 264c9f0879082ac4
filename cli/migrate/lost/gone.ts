// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { thumbprint } from '#core/crypto/jwk.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'
import { parseVerifierKey } from '#core/log/note/key.ts'
import type { PublicJwk, Signer } from '#core/ports/keys.ts'
import type { KeyName, Platform } from '#core/ports/needs.ts'
import { select } from '#core/ports/needs.ts'
import { createRegistryHistory } from '#core/registry/history.ts'
import { keyRecordOf, recordOf } from '#core/registry/snapshot.ts'
import { allRegistryBlocks, type HomeSource } from '#core/server/copy/source.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { restoreHome, type RestoreOptions, type RestoreReport } from '#core/server/restore/restore.ts'
import type { Settings } from '../../deployment/settings.ts'
import { homeOf } from '../../open/home.ts'

/** A home that is gone, as a copy has it, restored for the time being: it is read, and signs nothing. */
export interface GoneHome {
  readonly platform: Platform
  readonly report: RestoreReport
  readonly close: () => Promise<void>
}

const SCRATCH = '.moving-'

/**
 * Restores a copy with what is known of the home's keys by its settings and its registry: all is verified as in a restore, and
 * where its log was none of it is taken for the end.
 * @throws AmpereError VERIFICATION_FAILED as `restoreHome` does; CONFIGURATION for a folder that pins no log
 */
export async function restoreGone(
  folder: string,
  settings: Settings,
  source: HomeSource,
  options: RestoreOptions,
): Promise<GoneHome> {
  // What a run that was killed left.
  for (const name of existsSync(folder) ? readdirSync(folder) : [])
    if (name.startsWith(SCRATCH)) rmSync(join(folder, name), { recursive: true })
  const signer = await pinnedSigners(settings, source)
  const scratch = mkdtempSync(join(folder, SCRATCH))
  const stores = openLocal({ folder: scratch, passphrase: null })
  const platform: Platform = { ...stores, signer }
  const close = async () => {
    await stores.close()
    rmSync(scratch, { recursive: true, force: true })
  }
  try {
    const home = homeOf(settings, platform)
    const report = await restoreHome(source, await select(platform, RESTORE_NEEDS), home, options)
    return { platform, report, close }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * The keys of a home by their public halves, as its settings and its registry have them: by them all is verified, and nothing is signed.
 * @throws AmpereError CONFIGURATION for settings that pin no log
 */
export async function pinnedSigners(settings: Settings, source: HomeSource): Promise<Platform['signer']> {
  const pins = await pinsOf(settings, source)
  return async (name) => pinned(name, pins)
}

type Pins = Readonly<Partial<Record<KeyName, PublicJwk>>>

async function pinsOf(settings: Settings, source: HomeSource): Promise<Pins> {
  const registry = createRegistryHistory(settings.registry, createVerifiers())
  for await (const compact of allRegistryBlocks(source)) await registry.add(compact)
  const newest = registry.newest()
  const deployment = recordOf(newest, 'deployment', asDeploymentId(settings.deployment))
  const head = deployment && keyRecordOf(newest, deployment.kid)
  const keys = settings.log.map(parseVerifierKey)
  const classic = keys.find(({ type }) => type === 'Ed25519')
  const quantum = keys.find(({ type }) => type !== 'Ed25519')
  if (!head || !classic || !quantum)
    throw new AmpereError('CONFIGURATION', 'the settings of this folder do not pin the log of its home')
  return {
    head: head.jwk,
    log: { kty: 'OKP', crv: 'Ed25519', x: toBase64url(classic.publicKey) },
    'log-quantum': { kty: 'AKP', alg: 'ML-DSA-44', pub: toBase64url(quantum.publicKey) },
  }
}

/** Only the public half is known. */
function pinned(name: KeyName, pins: Pins): Signer {
  const publicKey = pins[name]
  const gone = new AmpereError('KEY_UNAVAILABLE', `the key ${name} of the home that is gone`)
  if (!publicKey) throw gone
  const alg = publicKey.kty === 'AKP' ? 'ML-DSA-44' : 'Ed25519'
  const sign = async () => {
    throw gone
  }
  return { alg, kid: thumbprint(publicKey), publicKey, sign }
}
