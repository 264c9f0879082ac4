// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { failAt, withFaults, type Fault } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import type { Connection } from '#core/client/connect.ts'
import { select } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { carryOutErasures, ERASER_NEEDS } from '#core/server/erase.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

interface Prepared {
  readonly world: TestDeployment
  readonly a: Connection
  readonly record: ChainId
  readonly faults: ReturnType<typeof withFaults>
}

async function prepare(): Promise<Prepared> {
  const wrapped: { faults?: ReturnType<typeof withFaults> } = {}
  const world = await testDeployment(['hospital-a', 'hospital-b'], {
    platform: (base) => {
      wrapped.faults = withFaults(base)
      return wrapped.faults.platform
    },
  })
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  await a.append(record, [entry('one')])
  if (!wrapped.faults) throw new Error('the platform was not wrapped')
  return { world, a, record, faults: wrapped.faults }
}

/** Each act must, after any one failing call, be repeatable by its user until it is done, exactly once. */
const ACTS: Readonly<
  Record<
    string,
    {
      run: (p: Prepared) => Promise<unknown>
      done: (p: Prepared, view: Awaited<ReturnType<Connection['read']>>) => boolean
    }
  >
> = {
  append: {
    run: ({ a, record }) => a.append(record, [entry('two')]),
    done: (_, view) =>
      view.opened.filter((item) => new TextDecoder().decode(item.content) === 'two').length === 1,
  },
  grant: {
    run: async ({ a, record, world }) => {
      const compartments = (await a.replica(record)).link.state.compartments.map((item) => item.id)
      const grant = {
        institution: world.institution('hospital-b').id,
        rights: ['read' as const],
        compartments,
        until: null,
        limits: null,
      }
      return changeChain(a, record, { grant: [grant] })
    },
    done: (_, view) => view.opened.length === 1,
  },
  rotate: { run: ({ a, record }) => rotateChain(a, record), done: (_, view) => view.opened.length === 1 },
}

describe.each(Object.keys(ACTS))('%s', (name) => {
  it.each(['not-applied', 'applied-unknown'] as const)(
    'survives every single call that fails %s',
    async (fault: Fault) => {
      const act = ACTS[name]
      if (!act) throw new Error('no such act')
      const clean = await prepare()
      clean.faults.plan(() => null)
      await act.run(clean)
      const calls = clean.faults.calls()
      expect(calls.length).toBeGreaterThan(5)
      for (let k = 0; k < calls.length; k++) {
        if (isRepeatedRead(calls[k], fault)) continue
        const prepared = await prepare()
        prepared.faults.plan(failAt(k, fault))
        const tried = await act.run(prepared).then(
          () => 'done',
          () => 'failed',
        )
        prepared.faults.plan(() => null)
        if (tried === 'failed') await act.run(prepared)
        const fresh = prepared.world.connect('hospital-a')
        const view = await fresh.read(prepared.record)
        expect({ k, name, closed: view.closed, done: act.done(prepared, view) }).toEqual({
          k,
          name,
          closed: [],
          done: true,
        })
        // What the failed attempt left behind must not stand in the way of what comes later.
        await fresh.append(prepared.record, [entry('later')])
        const later = await prepared.world.connect('hospital-a').read(prepared.record)
        expect({ k, closed: later.closed, open: later.opened.length }).toEqual({
          k,
          closed: [],
          open: view.opened.length + 1,
        })
        expect(await audit(prepared.world)).toEqual([])
      }
    },
    60_000,
  )
})

describe('an erasure', () => {
  it.each(['not-applied', 'applied-unknown'] as const)(
    'is carried out in the end whatever single call fails %s',
    async (fault: Fault) => {
      const completed = async (k: number | null) => {
        const prepared = await prepare()
        const { a, record, world, faults } = prepared
        const { instance, second } = world.institution('hospital-a')
        const view = await a.read(record)
        const request = await requestErasure(
          a,
          record,
          { scope: 'entries', entries: view.opened, ground: 'misfiled' },
          { instances: [instance, second] },
        )
        world.clock.now += 73 * 3_600_000
        faults.plan(k === null ? () => null : failAt(k, fault))
        const tried = await settleErasure(a, record, request.block.height, 'complete').then(
          () => 'done',
          () => 'failed',
        )
        const calls = faults.calls()
        faults.plan(() => null)
        const state = (await world.connect('hospital-a').replica(record)).link.state
        if (tried === 'failed' && state.pending.length > 0)
          await settleErasure(a, record, request.block.height, 'complete')
        // What a restarted home does before it serves.
        await carryOutErasures(await select(world.platform, ERASER_NEEDS), world.home)
        return { prepared, calls }
      }
      const { calls } = await completed(null)
      for (let k = 0; k < calls.length; k++) {
        if (isRepeatedRead(calls[k], fault)) continue
        const { prepared } = await completed(k)
        const view = await prepared.world.connect('hospital-a').read(prepared.record)
        expect({ k, statuses: view.closed.map((item) => item.status), open: view.opened.length }).toEqual({
          k,
          statuses: ['erased'],
          open: 0,
        })
        expect(await audit(prepared.world)).toEqual([])
      }
    },
    60_000,
  )
})

describe('an append', () => {
  it('makes the same calls at every height', async () => {
    const counted: { counts?: ReturnType<typeof countCalls> } = {}
    const world = await testDeployment(['hospital-a'], {
      platform: (base) => {
        counted.counts = countCalls(base)
        return counted.counts.platform
      },
    })
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['general'])
    const replica = await a.replica(record)
    expect(replica.notes).toHaveLength(2)
    const measure = async () => {
      counted.counts?.reset()
      await a.append(record, [entry('x')])
      return Object.fromEntries(
        Object.entries(counted.counts?.counts() ?? {}).filter(([name]) => /insert|store|sign/.test(name)),
      )
    }
    const early = await measure()
    for (let i = 0; i < 30; i++) await a.append(record, [entry('y')])
    expect(await measure()).toEqual(early)
    expect(early).toEqual({
      'objects.entries.store': 1,
      'table.wraps.insert': 1,
      'table.dirty.insert': 1,
      'table.blocks.insert': 1,
      'key.head.sign': 2,
    })
  })
})

/** A read that fails is the same whether it was carried out or not: one of the two suffices. */
function isRepeatedRead(call: string | undefined, fault: Fault): boolean {
  return fault === 'applied-unknown' && /\.(get|range|fetch)$/.test(call ?? '')
}

async function audit(world: TestDeployment) {
  const ports = await select(world.platform, AUDITOR_NEEDS)
  return (await auditChains(ports, world.home, listChains(ports))).findings
}
