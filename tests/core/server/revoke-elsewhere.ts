// SPDX-License-Identifier: Apache-2.0
import { createVerifiers } from '#core/crypto/signature.ts'
import { select } from '#core/ports/needs.ts'
import { buildChange } from '#core/registry/build.ts'
import { addRegistryBlock, REGISTRAR_NEEDS } from '#core/server/registrar.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import type { TestDeployment } from '#tests/deployment.ts'

/** Revokes the second key of hospital-a through a process of its own, of which the home knows nothing until it reads. */
export async function revokeElsewhere(world: TestDeployment): Promise<void> {
  const registry = createRegistrySource(world.platform.table('registry'), world.registryId, createVerifiers())
  const link = (await registry.refresh()).link()
  if (!link) throw new RangeError('the registry is empty')
  const { root, second } = world.institution('hospital-a')
  const revoke = { act: 'revoke', kid: second.kid, reason: 'retired', suspectFrom: null } as const
  const ports = { now: () => world.clock.now, random: world.random }
  const block = await buildChange(ports, link, [revoke], root, [])
  await addRegistryBlock(await select(world.platform, REGISTRAR_NEEDS), { ...world.home, registry }, block)
}
