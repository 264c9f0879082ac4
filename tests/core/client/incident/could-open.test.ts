// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { EpochPackage } from '#core/api/append.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { couldOpen } from '#core/client/incident/could-open.ts'
import { openKeyring } from '#core/client/read/reader-keys.ts'
import { testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { HOME } from '#tests/e2e/revoked-scene.ts'

const RUNS = process.env['SLOW'] === '1' ? 20 : 3
const READER = 'hospital-b'
const STEPS = ['grant one', 'grant all', 'revoke', 'rotate', 'cut'] as const
const ALWAYS = { fromMs: null, toMs: null }

async function take(
  world: TestDeployment,
  a: Connection,
  record: Awaited<ReturnType<typeof createRecord>>['record'],
  step: (typeof STEPS)[number],
): Promise<void> {
  const { state } = (await a.replica(record)).link
  const { id } = world.institution(READER)
  const all = state.compartments.map((compartment) => compartment.id)
  const put = (compartments: typeof all) =>
    changeChain(a, record, {
      grant: [{ institution: id, rights: ['read'], compartments, until: null, limits: null }],
    })
  const isGranted = state.grants.some(({ institution }) => institution === id)
  if (step === 'grant one') await put(all.slice(0, 1))
  else if (step === 'grant all') await put(all)
  else if (step === 'rotate') await rotateChain(a, record)
  else if (step === 'cut') await changeChain(a, record, { newEpoch: true, cut: true })
  else if (isGranted) await changeChain(a, record, { revoke: [id] })
}

it('names exactly the epochs of which a reader has or had the keys, with every package of the home in its hands', async () => {
  const schedules = fc.array(fc.constantFrom(...STEPS), { minLength: 4, maxLength: 9, size: 'max' })
  const property = fc.asyncProperty(schedules, async (schedule) => {
    const world = await testDeployment()
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['general', 'mental-health'])
    for (const step of schedule) await take(world, a, record, step)
    const replica = await a.replica(record)
    const rows = await world.platform.table('packages').range(record)
    const packages = rows.map(({ value }) => JSON.parse(fromUtf8(value)) as EpochPackage)
    for (const reader of [READER, 'hospital-a']) {
      const { instance, sealingSeed } = world.institution(reader)
      const identity = { reader, institution: null, signer: instance, sealingSeed: async () => sealingSeed }
      const keyring = await openKeyring(replica, packages, identity)
      const { compartments, epoch } = replica.link.state
      const epochs = Array.from({ length: epoch.number }, (_, at) => at + 1)
      const has = compartments.flatMap(({ id }) =>
        epochs.filter((number) => keyring.seedOf(id, number) !== null).map((number) => `${id}/${number}`),
      )
      const said = couldOpen(replica, reader, ALWAYS, () => null).flatMap((each) =>
        each.compartments.flatMap(({ id }) =>
          epochs
            .filter((number) => number >= each.epochs.first && number <= each.epochs.last)
            .map((number) => `${id}/${number}`),
        ),
      )
      expect({ reader, said: new Set(said) }).toEqual({ reader, said: new Set(has) })
    }
  })
  await fc.assert(property, { numRuns: RUNS })
}, 120_000)
