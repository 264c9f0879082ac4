// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, toBase64url } from '#core/bytes/encoding.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { Wrapper } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { openInstitution } from '../../open/institution.ts'
import { homeFolderOf, type CloudBridge, type CloudDeployment } from '../cloud-folder.ts'
import type { Deploying } from '../cloud.ts'
import { founding } from '../founding/founding.ts'

type SetUp = (platform: Platform) => Promise<CloudDeployment>

/**
 * Prepares what a deployment begins with: the founders of a home, the keys of an institution's bridge, or both.
 * @param origin under which the deployment is reached
 * @returns what sets it up on a platform, which it closes; safe to repeat
 */
export async function settingUp(
  wanted: CloudDeployment,
  origin: string,
  deploying: Pick<Deploying, 'folder' | 'passphrase'>,
): Promise<SetUp> {
  const { bridge } = wanted
  const found = bridge?.uses == null ? await founding(wanted, origin, deploying) : null
  const join = bridge ? await bridging(bridge, origin, deploying) : null
  return async (platform) => {
    try {
      const home = found ? await found(platform) : null
      return { ...wanted, home, ...(join && { bridge: await join(platform) }) }
    } finally {
      await platform.close()
    }
  }
}

/**
 * The bridge signs with a key of the cloud's own. The institution's secrets are made on its own computer, where they stay in its key
 * file; the cloud gets them wrapped, so that only roles that may use its key `sealing` open them.
 */
async function bridging(
  bridge: CloudBridge,
  origin: string,
  { folder, passphrase }: Pick<Deploying, 'folder' | 'passphrase'>,
): Promise<(platform: Platform) => Promise<CloudBridge>> {
  const { sealingSeed, indexKey } = await openInstitution(
    homeFolderOf(folder, bridge),
    bridge.institution,
    passphrase,
  )
  return async (platform) => {
    const { publicKey: key } = await platform.signer('bridge')
    const wrapper = await platform.unwrapper('sealing')
    const [sealing, index] = [
      await wrapped(wrapper, sealingSeed, bridge.made?.seeds.sealing),
      await wrapped(wrapper, indexKey, bridge.made?.seeds.index),
    ]
    return { ...bridge, made: { origin, key, seeds: { sealing, index } } }
  }
}

/** What was wrapped before stays where it still opens, so that the same package is made the next time; what is new is tried. */
async function wrapped(wrapper: Wrapper, seed: Uint8Array, before: string | undefined): Promise<string> {
  if (before !== undefined && (await opensTo(wrapper, before, seed))) return before
  const made = toBase64url(await wrapper.wrap(seed))
  if (await opensTo(wrapper, made, seed)) return made
  throw new AmpereError('KEY_UNAVAILABLE', 'what the key `sealing` of the cloud wrapped does not open')
}

async function opensTo(wrapper: Wrapper, text: string, seed: Uint8Array): Promise<boolean> {
  try {
    return toBase64url(await wrapper.unwrap(fromBase64url(text))) === toBase64url(seed)
  } catch (error) {
    if (isAmpereError(error, 'OPEN_FAILED')) return false
    throw error
  }
}
