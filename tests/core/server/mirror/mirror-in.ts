// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { select } from '#core/ports/needs.ts'
import { chainsOf, storedSource } from '#core/server/copy/source.ts'
import { copyOf, MIRROR_NEEDS } from '#core/server/mirror/copy-of.ts'
import { mirrorChains, type RunBounds } from '#core/server/mirror/mirror.ts'
import { logKeysOf } from '#tests/core/server/cosign/witnessed-world.ts'
import { seededRandom, type TestDeployment } from '#tests/deployment.ts'
import { HOME } from '../attempts.ts'

/** An empty mirror of the home, or of what `between` makes of it. */
export async function mirrorIn(world: TestDeployment, between: Fetch, seed: number) {
  const platform = openMemory({ now: () => world.clock.now, random: seededRandom(seed), fetch: between })
  const { id: institution, instance } = world.institution('mirror-m')
  const ports = {
    ...(await select(platform, { ...MIRROR_NEEDS, keys: {} })),
    keys: { instance, head: await platform.signer('head') },
  }
  const home = {
    ...HOME,
    registry: world.registryId,
    logKeys: await logKeysOf(world.platform),
    policy: null,
    own: 'http://mirror.test',
    institution,
    backupDays: 0,
    verifiers: createVerifiers(),
  }
  const copy = copyOf(ports, asDeploymentId(HOME.deployment))
  const run = (bounds: Partial<RunBounds> = {}) => mirrorChains(ports, home, undefined, bounds)
  const chains = async () => {
    const all: ChainId[] = []
    for await (const chain of chainsOf(storedSource(copy))) all.push(chain)
    return all
  }
  return { ports, home, copy, run, chains }
}
