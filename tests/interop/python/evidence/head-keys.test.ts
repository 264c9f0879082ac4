// SPDX-License-Identifier: Apache-2.0
import { it } from '@jest/globals'
import { asDeploymentId, asInstitutionId, type Digest } from '#core/bytes/ids.ts'
import { createVerifiers, generateSoftwareKey, softwareSigner } from '#core/crypto/signature.ts'
import { evidenceOfHeads } from '#core/evidence/build.ts'
import type { Signer } from '#core/ports/keys.ts'
import { buildChange, keyRecord } from '#core/registry/build.ts'
import type { RegistryChange } from '#core/registry/block.ts'
import { createRegistryHistory } from '#core/registry/history.ts'
import { ORIGIN, seededRandom, START_MS } from '#tests/deployment.ts'
import { makeWorld, type World } from '#tests/vectors/ampere/evidence/world.ts'
import { describeWithPython } from '../software.ts'
import { expectAlike, PINS, type Case } from './verdicts.ts'

const MOVED = 'http://moved.test'
const random = seededRandom(3)

/** The registry with more changes by the institution that runs the home. */
async function registryAfter(
  { cast }: World,
  changes: readonly RegistryChange[],
): Promise<readonly string[]> {
  const blocks = [...cast.registryBlocks]
  const history = createRegistryHistory(PINS.registry as Digest, createVerifiers())
  for (const block of blocks) await history.add(block)
  for (const change of changes) {
    const link = history.link()
    if (!link) throw new Error('the registry is empty')
    const block = await buildChange(
      { now: () => START_MS, random },
      link,
      [change],
      cast.signers['hospital-a root'],
    )
    await history.add(block)
    blocks.push(block)
  }
  return blocks
}

/** What may become of the home's key and of where it is. */
function storiesOf({ cast }: World, next: Signer): Readonly<Record<string, readonly RegistryChange[]>> {
  const { kid } = cast.signers['home-1']
  const revoke = (reason: 'retired' | 'suspended' | 'compromised'): RegistryChange => ({
    act: 'revoke',
    kid,
    reason,
    suspectFrom: null,
  })
  const id = asDeploymentId('home-1')
  const move: RegistryChange = {
    act: 'deploy',
    deployment: {
      v: 1,
      kind: 'deployment',
      id,
      institution: asInstitutionId('hospital-a'),
      origin: MOVED,
      kid: next.kid,
    },
    key: keyRecord(next.publicKey, 'head', { deployment: id }),
  }
  return {
    nothing: [],
    retired: [revoke('retired')],
    suspended: [revoke('suspended')],
    compromised: [revoke('compromised')],
    'suspended, then compromised': [revoke('suspended'), revoke('compromised')],
    moved: [move],
    'retired, then moved': [revoke('retired'), move],
    'moved, then compromised': [move, revoke('compromised')],
  }
}

describeWithPython('head statements in evidence', () => {
  it('are believed by both alike, whatever became of their key and its deployment', async () => {
    const world = await makeWorld()
    const next = await softwareSigner('Ed25519', generateSoftwareKey('Ed25519', random).seed)
    const signers = {
      'the first key': world.cast.signers['home-1'],
      'the next key': next,
      'a root key': world.cast.signers['hospital-a root'],
    }
    const [one = '', other] = [world.blocks[5], await world.otherBlock(5)]
    const cases: Case[] = []
    for (const [story, changes] of Object.entries(storiesOf(world, next))) {
      const registry = { id: PINS.registry as Digest, blocks: await registryAfter(world, changes) }
      for (const [who, signer] of Object.entries(signers))
        for (const origin of [ORIGIN, MOVED]) {
          const heads = [
            await world.headOf(one, START_MS, { origin }, signer),
            await world.headOf(other, START_MS, { origin }, signer),
          ] as const
          for (const claimed of [ORIGIN, MOVED])
            cases.push({
              name: `${story}, ${who} at ${origin} in a file of ${claimed}`,
              bytes: evidenceOfHeads({ origin: claimed, registry }, heads),
              pins: PINS,
            })
        }
    }
    await expectAlike(cases, ['heads', 'head-key', 'origin'])
  })
})
