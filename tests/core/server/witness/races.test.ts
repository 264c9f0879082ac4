// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { wrapPlatform } from '#adapters/around/calls.ts'
import { failAt, withFaults } from '#adapters/around/faults.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { WitnessAnswer } from '#core/server/witness/add-checkpoint.ts'
import { listEvidence } from '#core/server/witness/evidence.ts'
import { addLog, removeLog } from '#core/server/witness/logs.ts'
import { seededRandom } from '#tests/deployment.ts'
import { testLog, type TestLog } from './test-log.ts'
import { testWitness, type TestWitness } from './witness.ts'

/** Holds calls back until they are let go, one at a time. */
function gate() {
  const waiting: { readonly name: string; readonly go: () => void }[] = []
  let isOpen = true
  const around = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    if (!isOpen) await new Promise<void>((go) => waiting.push({ name, go }))
    return act()
  }
  return {
    wrap: (base: Platform) => wrapPlatform(base, around),
    close: () => void (isOpen = false),
    open: () => {
      isOpen = true
      for (const { go } of waiting.splice(0)) go()
    },
    /** Lets the actors come to their next calls, and says which those are. */
    next: async () => {
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
      return waiting
    },
  }
}

/** A tree that was answered with 200: what the witness must never contradict, nor forget. */
interface Released {
  readonly log: TestLog
  readonly size: number
}

/** True when one tree continues the other: of forks of one log, up to where they part. */
function agree(a: Released, b: Released): boolean {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a]
  return Buffer.from(small.log.root(small.size)).equals(Buffer.from(large.log.root(small.size)))
}

async function checkReleased(witness: TestWitness, released: readonly Released[]): Promise<void> {
  const torn = released.flatMap((a) => released.filter((b) => !agree(a, b)).map((b) => [a.size, b.size]))
  expect(torn).toEqual([])
  const largest = Math.max(0, ...released.map(({ size }) => size))
  expect(await witness.served()).toBeGreaterThanOrEqual(largest)
}

describe('requests to cosign at once', () => {
  it('never roll a log back: A(N) and B(N+K) both checked, B stored, then A', async () => {
    const hold = gate()
    const witness = await testWitness(await testLog(), hold.wrap)
    await witness.ask(0, 4)
    hold.close()
    const a = witness.ask(4, 6)
    // A was checked and signed; its swap waits.
    for (;;) {
      const waiting = await hold.next()
      if (waiting.every(({ name }) => name === 'table.witness.swap') && waiting.length > 0) break
      for (const { go } of waiting.splice(0)) go()
    }
    const swapOfA = (await hold.next()).splice(0)
    expect(swapOfA.map(({ name }) => name)).toEqual(['table.witness.swap'])
    hold.open()
    const b = await witness.ask(4, 9)
    expect([b.status, await witness.served()]).toEqual([200, 9])
    swapOfA[0]?.go()
    expect(await a).toMatchObject({ status: 409, type: 'text/x.tlog.size', body: '9\n' })
    expect(await witness.served()).toBe(9)
  })

  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8])
    it(`never cosign two histories, whatever their order (schedule ${seed})`, async () => {
      const hold = gate()
      const [log, fork] = [await testLog(1), await testLog(1, 3)]
      const witness = await testWitness(log, hold.wrap)
      const random = seededRandom(seed)
      const released: Released[] = []
      const submit = async (own: TestLog, isGreedy: boolean) => {
        let old = 0
        for (let i = 0; i < 5; i++) {
          const size = Math.max(1, old) + (isGreedy ? 3 : 1)
          const answer = await witness.ask(old, size, own)
          if (answer.status === 200) released.push({ log: own, size })
          if (answer.status === 200) old = size
          if (answer.status === 409) old = Number(answer.body)
        }
      }
      hold.close()
      const state = { isDone: false }
      const all = Promise.all([
        submit(log, false),
        submit(fork, false),
        submit(log, true),
        submit(fork, true),
      ])
      const ended = all.finally(() => (state.isDone = true))
      while (!state.isDone) {
        const waiting = await hold.next()
        const [at = 0] = random(1)
        waiting.splice(at % Math.max(1, waiting.length), 1)[0]?.go()
      }
      await ended
      hold.open()
      expect(released.length).toBeGreaterThan(3)
      await checkReleased(witness, released)
    })

  it('keep what was cosigned when the log is removed and added in between', async () => {
    const hold = gate()
    const log = await testLog()
    const witness = await testWitness(log, hold.wrap)
    await witness.ask(0, 4)
    hold.close()
    const growing = witness.ask(4, 6)
    const reading = (await hold.next()).splice(0)
    hold.open()
    reading[0]?.go()
    await removeLog(witness.ports, log.origin)
    expect([200, 404]).toContain((await growing).status)
    await addLog(witness.ports, log.origin, log.keys)
    expect(await witness.served()).toBe((await growing).status === 200 ? 6 : 4)
  })
})

describe('a witness whose store and keys fail', () => {
  const answered = async (asked: Promise<WitnessAnswer>) =>
    asked.then(
      ({ status }) => status,
      () => 'failed' as const,
    )
  /** What is sent to a witness that cosigned 5 leaves, and which call of it fails. */
  const requests = {
    'a tree that goes on': { old: 5, size: 9, isFork: false },
    'the same tree again': { old: 5, size: 5, isFork: false },
    'a fork of the same size': { old: 5, size: 5, isFork: true },
    'a fork with a proof': { old: 5, size: 9, isFork: true },
  }
  const world = async () => {
    const faults: ReturnType<typeof withFaults>[] = []
    const log = await testLog(1)
    const witness = await testWitness(log, (base) => {
      const made = withFaults(base)
      faults.push(made)
      return made.platform
    })
    await witness.ask(0, 5)
    witness.clock.now += 3_600_000
    const [made] = faults
    if (!made) throw new RangeError('nothing was wrapped')
    return { log, fork: await testLog(1, 2), witness, faults: made }
  }

  for (const [what, { old, size, isFork }] of Object.entries(requests))
    for (const fault of ['not-applied', 'applied-unknown'] as const)
      it(`keeps every promise, whichever call was ${fault} for ${what}`, async () => {
        const counted = await world()
        counted.faults.plan(() => null)
        await counted.witness.ask(old, size, isFork ? counted.fork : counted.log)
        const calls = [...counted.faults.calls()]
        expect(calls.length).toBeGreaterThan(3)
        for (const k of calls.keys()) {
          const { log, fork, witness, faults } = await world()
          const released: Released[] = [{ log, size: 5 }]
          const send = async (own: TestLog, from: number, to: number) => {
            const status = await answered(witness.ask(from, to, own))
            if (status === 200) released.push({ log: own, size: to })
            await checkReleased(witness, released)
            return status
          }
          const own = isFork ? fork : log
          faults.plan(failAt(k, fault))
          const outcome = await send(own, old, size)
          faults.plan(() => null)
          expect({ call: calls[k], outcome }).toEqual({ call: calls[k], outcome: 'failed' })
          // What came before the fault is as good as what comes after it: a fork finds no way in between.
          expect(await send(fork, 5, 9)).not.toBe(200)
          const again = await send(own, old, size)
          const wasStored = calls[k] === 'table.witness.swap' && fault === 'applied-unknown' && size > 5
          expect({ call: calls[k], again }).toEqual({
            call: calls[k],
            again: isFork ? 422 : wasStored ? 409 : 200,
          })
          expect(await send(log, await witness.served(), 12)).toBe(200)
          if (isFork) expect((await listEvidence(witness.ports, log.origin)).length).toBeGreaterThan(0)
        }
      })

  for (const fault of ['not-applied', 'applied-unknown'] as const)
    it(`gives one history alone to two that both continue, whichever call of the first was ${fault}`, async () => {
      const statuses: (readonly [string, unknown, unknown])[] = []
      for (let k = 0; k < 4; k++) {
        const { log, witness, faults } = await world()
        const other = await testLog(1, 6)
        const released: Released[] = [{ log, size: 5 }]
        faults.plan(failAt(k, fault))
        const first = await answered(witness.ask(5, 9))
        const call = faults.calls()[k] ?? ''
        faults.plan(() => null)
        const second = await answered(witness.ask(5, 8, other))
        if (second === 200) released.push({ log: other, size: 8 })
        const third = await answered(witness.ask(await witness.served(), 10))
        if (third === 200) released.push({ log, size: 10 })
        await checkReleased(witness, released)
        expect(first).toBe('failed')
        statuses.push([call, second, third])
      }
      const isStored = fault === 'applied-unknown'
      expect(statuses).toEqual([
        ['table.witness.get', 200, 422],
        ['key.witness.sign', 200, 422],
        ['key.witness-quantum.sign', 200, 422],
        ['table.witness.swap', isStored ? 409 : 200, isStored ? 200 : 422],
      ])
    })
})
