// SPDX-License-Identifier: Apache-2.0
import { expect } from '@jest/globals'
import type { ChainId } from '#core/bytes/ids.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { completeRecovery, requestRecovery } from '#core/client/acts/recover-chain.ts'
import type { Connection } from '#core/client/connect.ts'
import { select } from '#core/ports/needs.ts'
import { carryOutErasures, ERASER_NEEDS } from '#core/server/erase.ts'
import type { TestDeployment } from '#tests/deployment.ts'
import { claimFor, makeDevice, type Device } from '#tests/patient-devices.ts'
import { entry, HOME, readWhole, type Act, type Faulty } from './each-call.ts'

/** A record with one entry, and who writes to it. */
export interface Prepared {
  readonly world: TestDeployment
  readonly a: Connection
  readonly record: ChainId
}

async function withRecord({ world }: Faulty): Promise<Prepared> {
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  await a.append(record, [entry('one')])
  return { world, a, record }
}

const grantTo = async ({ world, a, record }: Prepared, name: string) => ({
  institution: world.institution(name).id,
  rights: ['read' as const],
  compartments: (await a.replica(record)).link.state.compartments.map(({ id }) => id),
  until: null,
  limits: null,
})

/** Height of the request to recover a record, by who holds its sheet, for a phone that comes after the lost one. */
const RECOVERIES = new WeakMap<Prepared, { readonly sheet: Device; readonly height: number }>()

async function withRecovery(faulty: Faulty): Promise<Prepared> {
  const prepared = await withRecord(faulty)
  const { a, record, world } = prepared
  const { sheet, custodian, instance } = await claimFor(world, 'hospital-a', a, record)
  const phone = await makeDevice(world, a)
  const wanted = {
    controllers: { threshold: 1, members: [custodian, phone.member] },
    recovery: { threshold: 1, members: [sheet.member] },
  }
  const approvers = [sheet.signer, instance, phone.signer]
  const { block } = await requestRecovery(sheet.connection, record, wanted, approvers)
  world.clock.now += 73 * 3_600_000
  RECOVERIES.set(prepared, { sheet, height: block.height })
  return prepared
}

/** The state of a record after an act, and what is read of it after one more entry. */
async function settled({ world, record }: Prepared, name = 'hospital-a') {
  // What the failed attempt left behind must not stand in the way of what comes later.
  const newcomer = world.connect('hospital-a')
  await newcomer.append(record, [entry('later')])
  const { state } = (await newcomer.replica(record)).link
  const { hold, seq, grants, epoch } = state
  return {
    ...(await readWhole(name === 'hospital-a' ? newcomer : world.connect(name), world, record)),
    hold,
    seq,
    grants: grants.length,
    epoch: epoch.number,
  }
}

const AFTER = { texts: ['one', 'later'], closed: [], hold: false, seq: 1, grants: 1, epoch: 1 }
/** What a user who is not sure does first: look whether it is done. */
const stateOf = async ({ a, record }: Prepared) => (await a.replica(record)).link.state

/** What writes to a record. Each act must, after any one failing call, be repeatable by its user until it is done, exactly once. */
export const ACTS = {
  append: {
    prepare: withRecord,
    run: ({ a, record }) => a.append(record, [entry('two')]),
    check: settled,
    expected: { ...AFTER, texts: ['one', 'two', 'later'] },
  },
  grant: {
    prepare: withRecord,
    run: async (prepared) => {
      if ((await stateOf(prepared)).grants.length === 2) return
      await changeChain(prepared.a, prepared.record, { grant: [await grantTo(prepared, 'hospital-b')] })
    },
    check: (prepared) => settled(prepared, 'hospital-b'),
    expected: { ...AFTER, seq: 2, grants: 2 },
  },
  revoke: {
    prepare: async (faulty) => {
      const prepared = await withRecord(faulty)
      await changeChain(prepared.a, prepared.record, { grant: [await grantTo(prepared, 'hospital-b')] })
      return prepared
    },
    run: async (prepared) => {
      if ((await stateOf(prepared)).grants.length === 1) return
      const { id } = prepared.world.institution('hospital-b')
      await changeChain(prepared.a, prepared.record, { revoke: [id] })
    },
    check: async (prepared) => {
      const reading = prepared.world.connect('hospital-b').read(prepared.record)
      await expect(reading).rejects.toMatchObject({ code: 'NOT_FOUND' })
      return settled(prepared)
    },
    expected: { ...AFTER, seq: 3, epoch: 2 },
  },
  hold: {
    prepare: withRecord,
    run: async (prepared) => {
      if ((await stateOf(prepared)).hold) return
      await changeChain(prepared.a, prepared.record, { hold: true })
    },
    check: settled,
    expected: { ...AFTER, seq: 2, hold: true },
  },
  rotate: {
    prepare: withRecord,
    run: async (prepared) => {
      if ((await stateOf(prepared)).epoch.number === 2) return
      await rotateChain(prepared.a, prepared.record)
    },
    check: settled,
    expected: { ...AFTER, seq: 2, epoch: 2 },
  },
  recovery: {
    prepare: withRecovery,
    run: async (prepared) => {
      const { sheet, height } = RECOVERIES.get(prepared) ?? {}
      if (sheet && height !== undefined) await completeRecovery(sheet.connection, prepared.record, height)
    },
    check: settled,
    expected: { ...AFTER, seq: 4, epoch: 2 },
  },
  erasure: {
    prepare: async (faulty) => {
      const prepared = await withRecord(faulty)
      const { a, record, world } = prepared
      const { instance, second } = world.institution('hospital-a')
      const what = {
        scope: 'entries' as const,
        entries: (await a.read(record)).opened,
        ground: 'misfiled' as const,
      }
      await requestErasure(a, record, what, { instances: [instance, second] })
      world.clock.now += 73 * 3_600_000
      return prepared
    },
    run: async (prepared) => {
      const [step] = (await stateOf(prepared)).pending
      if (step) await settleErasure(prepared.a, prepared.record, step.height, 'complete')
    },
    check: async (prepared) => {
      // What a restarted home does before it serves.
      await carryOutErasures(await select(prepared.world.platform, ERASER_NEEDS), prepared.world.home)
      return settled(prepared)
    },
    expected: { ...AFTER, texts: ['later'], closed: ['erased'], seq: 3 },
  },
} as const satisfies Readonly<Record<string, Act<Prepared>>>
