// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { parseHead } from '#core/api/head.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'
import { revokeElsewhere } from '../revoke-elsewhere.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }

async function scene() {
  const made: { counted?: ReturnType<typeof countCalls> } = {}
  const world = await testDeployment(['hospital-a'], {
    platform: (base) => (made.counted = countCalls(base)).platform,
  })
  const { record } = await createRecord(world.connect('hospital-a'), HOME, ['general'])
  const headOf = (signer?: ReturnType<typeof world.institution>['second']) => {
    made.counted?.reset()
    return world.connect('hospital-a', signer && { signer }).api.head(record)
  }
  return { world, headOf, counts: () => made.counted?.counts() }
}

describe('reading the head of a chain', () => {
  it('reads the newest block, the state after it and the registry once each, and signs once', async () => {
    const { headOf, counts } = await scene()
    await headOf()
    expect(counts()).toEqual({
      'table.blocks.range': 1,
      'table.states.get': 1,
      'table.registry.range': 1,
      'key.head.sign': 1,
    })
  })

  it('names the newest registry head, also one that another process wrote a moment ago', async () => {
    const { world, headOf } = await scene()
    const before = (await world.home.registry.refresh()).newest().head
    await revokeElsewhere(world)
    expect(parseHead((await headOf()).head).head.registry).toMatchObject({ height: before.height + 1 })
  })

  it('is refused to a key that another process revoked a moment ago', async () => {
    const { world, headOf } = await scene()
    const { second } = world.institution('hospital-a')
    await headOf(second)
    await revokeElsewhere(world)
    await expect(headOf(second)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })
})
