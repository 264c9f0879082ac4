// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { asDeploymentId, asInstitutionId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { bridgeStore, signErased } from '#core/api/erased.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { shareRecord, unshareRecord } from '#core/client/acts/share-record.ts'
import { readErasures, stateErased } from '#core/client/acts/state-erased.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { blockStatuses } from '#core/client/read/status.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** A record whose entry `one` (block 2) was erased; hospital-b could read it, clinic-c came and went before it. */
async function erased() {
  const world = await testDeployment(['hospital-a', 'hospital-b', 'clinic-c'])
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const clinic = asInstitutionId('clinic-c')
  await shareRecord(a, record, { institution: clinic, rights: ['read'] })
  await unshareRecord(a, record, clinic)
  const [filed] = await a.append(record, [entry('one')])
  await a.append(record, [entry('two')])
  await shareRecord(a, record, { institution: asInstitutionId('hospital-b'), rights: ['read'] })
  if (!filed) throw new Error('nothing was filed')
  const { instance, second } = world.institution('hospital-a')
  const what = { scope: 'entries' as const, entries: [filed], ground: 'misfiled' as const }
  const request = await requestErasure(a, record, what, { instances: [instance, second] })
  world.clock.now += 73 * 3_600_000
  await settleErasure(a, record, request.block.height, 'complete')
  const [erasure] = (await a.read(record)).erasures
  if (!erasure) throw new Error('nothing was erased')
  return { world, a, record, filed, erasure }
}

describe('an erasure', () => {
  it('is erasing until the home and every bridge that could read since have said that it is gone', async () => {
    const { world, a, record, erasure } = await erased()
    const status = async () => (await readErasures(a, record))[0]
    expect(await status()).toMatchObject({
      status: 'erasing',
      stated: [ORIGIN],
      owing: ['bridge:hospital-a', 'bridge:hospital-b'],
    })
    await stateErased(a, record, erasure, 0)
    await stateErased(world.connect('hospital-b'), record, erasure, 30)
    expect(await status()).toMatchObject({ status: 'erasing', owing: [] })
    world.clock.now += 30 * 86_400_000
    expect(await status()).toMatchObject({ status: 'erased', owing: [] })
  })

  it('is not believed of a holder whose statement is by another, or for another store', async () => {
    const { world, a, record, erasure } = await erased()
    const b = world.institution('hospital-b')
    const forged = (store: string) =>
      signErased(
        {
          v: 1,
          chain: record,
          block: erasure.id,
          store,
          at: toTimestamp(world.clock.now),
          backupsExpire: toTimestamp(world.clock.now),
        },
        b.instance,
      )
    const lying = {
      ...a,
      api: {
        ...a.api,
        erased: async () => [
          await forged(ORIGIN),
          await forged(bridgeStore(asInstitutionId('hospital-a'))),
          'x.y.z',
        ],
      },
    }
    expect((await readErasures(lying, record))[0]).toMatchObject({
      stated: [],
      status: 'erasing',
      backupsExpire: null,
    })
  })

  it('is not kept open by who never held what it erased', async () => {
    const { world, a, record, erasure } = await erased()
    for (const name of ['hospital-a', 'hospital-b'])
      await stateErased(world.connect(name), record, erasure, 0)
    const at = toTimestamp(world.clock.now)
    const store = bridgeStore(asInstitutionId('clinic-c'))
    const backupsExpire = toTimestamp(world.clock.now + 365 * 86_400_000)
    const foreign = await signErased(
      { v: 1, chain: record, block: erasure.id, store, at, backupsExpire },
      world.institution('clinic-c').instance,
    )
    const erasedHere = async () => [...(await a.api.erased(record)), foreign]
    const given = { ...a, api: { ...a.api, erased: erasedHere } }
    expect((await readErasures(given, record))[0]).toMatchObject({ status: 'erased', backupsExpire: at })
  })

  it('shows in the status of its block, here and in an export, and nowhere else', async () => {
    const { world, a, record, filed, erasure } = await erased()
    const words = async () => {
      const view = await a.read(record)
      const here = blockStatuses(view, await readErasures(a, record))
      const file = await verifyExport(await exportRecord(a, record), {
        registry: world.registryId,
        nowMs: world.clock.now,
      })
      expect(file.statuses).toEqual(here)
      expect(file.problems).toEqual([])
      return {
        gone: here[filed.height],
        others: new Set(here.filter((_, height) => height !== filed.height)),
      }
    }
    expect(await words()).toEqual({ gone: 'erasing', others: new Set(['promised']) })
    for (const name of ['hospital-a', 'hospital-b'])
      await stateErased(world.connect(name), record, erasure, 0)
    expect(await words()).toEqual({ gone: 'erased', others: new Set(['promised']) })
  })
})

describe('a status', () => {
  it('tells erased, missing, tampered and incomplete apart', async () => {
    const { a, record } = await erased()
    const view = await a.read(record)
    const closed = (
      status: 'missing' | 'tampered' | 'unopenable' | 'incomplete' | 'not-granted',
      height: number,
    ) => ({ ...view.closed[0], height, status }) as (typeof view.closed)[number]
    const given = {
      ...view,
      height: 6,
      closed: [
        closed('missing', 1),
        closed('tampered', 2),
        closed('missing', 2),
        closed('incomplete', 3),
        closed('not-granted', 4),
        closed('unopenable', 5),
      ],
    }
    expect(blockStatuses(given, [])).toEqual([
      'promised',
      'missing',
      'tampered',
      'incomplete',
      'promised',
      'unopenable',
      'promised',
    ])
  })
})

describe('an export', () => {
  it('has one spelling: a line that is not canonical, a part twice or a torn end is refused', async () => {
    const { world, a, record } = await erased()
    const text = new TextDecoder().decode(await exportRecord(a, record))
    const lines = text.split('\n')
    const row = lines.find((line) => line.includes('"row"')) ?? ''
    const spoiled = [
      text.replace('{"block"', '{ "block"'),
      text.replace('{"block":', '{"block":"x","block":'),
      `${text}${row}\n`,
      text.slice(0, -1),
      lines.filter((line) => !line.startsWith('{"head"')).join('\n'),
      `${text}${lines.find((line) => line.startsWith('{"head"'))}\n`,
      `${text}{"more":1}\n`,
    ]
    for (const file of spoiled) {
      await expect(verifyExport(utf8(file), { registry: world.registryId })).rejects.toMatchObject({
        code: 'EXPORT_MALFORMED',
      })
    }
    await expect(verifyExport(utf8(text), { registry: record as never })).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
    })
  })
})
