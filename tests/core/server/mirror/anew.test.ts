// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { parseHead, signHead } from '#core/api/head.ts'
import { canonicalBytes } from '#core/bytes/canonical-json.ts'
import { asBlockId, asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { keyRecord } from '#core/registry/build.ts'
import { MIRRORED_KEY, readMirrored, RESTATE_MS } from '#core/server/mirror/statement.ts'
import { testDeployment } from '#tests/deployment.ts'
import { entry, HOME } from '../attempts.ts'
import { mirrorIn } from './mirror-in.ts'

/** A mirror in the registry of the home, that stated a record of two blocks. */
async function stated() {
  const world = await testDeployment(['hospital-a', 'mirror-m'])
  const mirror = await mirrorIn(world, world.fetch, 5)
  const { kid, publicKey } = mirror.ports.keys.head
  const [id, institution] = [asDeploymentId('mirror-m-1'), world.institution('mirror-m').id]
  const deployment = { v: 1, kind: 'deployment', id, institution, origin: 'http://mirror.test', kid } as const
  const key = keyRecord(publicKey, 'head', { deployment: id })
  await world.change('mirror-m', [{ act: 'deploy', deployment, key }])
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  await shareRecord(a, record, { institution, rights: ['hold'] })
  await world.tendLog()
  const { receipts } = mirror.copy.tables
  await mirror.run()
  const said = await readMirrored(receipts, record)
  if (!said) throw new Error('a statement is expected')
  return { world, mirror, record, said, receipts }
}

describe('a mirror whose copy was begun anew, with its last statements kept', () => {
  it('states nothing of a record whose block at that height is another than it stated', async () => {
    const { world, mirror, record, said, receipts } = await stated()
    const { head } = parseHead(said.mirrored)
    // As of another history, which the home showed before.
    const before = { ...head, block: asBlockId('A'.repeat(43)) }
    const mirrored = await signHead(before, mirror.ports.keys.head)
    const row = await receipts.get(record, MIRRORED_KEY)
    const earlier = canonicalBytes({ mirrored, head: said.head })
    await receipts.swap(record, MIRRORED_KEY, row?.version ?? null, earlier)
    for (const grows of [false, true]) {
      if (grows) await world.connect('hospital-a').append(record, [entry('later')])
      await world.tendLog()
      world.clock.now += RESTATE_MS
      const what = expect.stringMatching(/^rule forked: .* this mirror stated another block/)
      expect(await mirror.run()).toMatchObject({ problems: [{ chain: record, what }] })
      expect((await receipts.get(record, MIRRORED_KEY))?.value).toEqual(earlier)
    }
  })

  it('goes on stating one that it stated as it is', async () => {
    const { world, mirror, record, said, receipts } = await stated()
    await world.connect('hospital-a').append(record, [entry('later')])
    world.clock.now += RESTATE_MS
    expect(await mirror.run()).toMatchObject({ problems: [] })
    const again = await readMirrored(receipts, record)
    expect(parseHead(again?.mirrored ?? '').head.height).toBe(parseHead(said.mirrored).head.height + 1)
  })
})
