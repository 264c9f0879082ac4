// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { failAt, killAfter } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { Append } from '#core/api/append.ts'
import { LEASE_MS } from '#core/server/job/advance.ts'
import { JOBS_RUN } from '#core/server/job/row.ts'
import { auditLog, auditChains } from '#functions/auditor/operations.ts'
import { readJob } from '#functions/worker/operations.ts'
import { findings, FAULTS } from '#tests/fault/each-call.ts'
import { ask } from '#tests/http/ask.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { faulty, persevere } from '../upload/faulty.ts'
import { entry, HOME, offered, outcome, put, unsent, type Scene } from '../upload/uploads.ts'
import { anotherProcess, appendAsJob, heightsOf, jobOf, PREFER, untilOver } from './jobs.ts'

/** What a client does to append a large object as a job, from its upload to the job's end. */
async function appendLarge({ world, record }: Scene, append: Append & { readonly object: Uint8Array }) {
  const to = await offered(world, record, append.object)
  const answer = await put(world, to, append.object)
  if (!answer.ok) throw new Error(await outcome(answer))
  const begun = await appendAsJob(world, append, to.upload)
  if (begun.status === 201) return
  if (begun.status !== 202) throw new Error(await outcome(begun))
  const job = await untilOver(world, jobOf(begun))
  if (job.state !== 'done') throw new Error(job.problem?.code)
}

describe('a large append as a job', () => {
  it.each([...FAULTS, 'killed'] as const)(
    'is done exactly once, whichever of its calls is the last that works (%s)',
    async (fault) => {
      const at = await faulty()
      at.faults.plan(() => null)
      const first = await unsent(at)
      at.faults.plan(() => null)
      await appendLarge(at, first)
      const calls = at.faults.calls().length
      expect(calls).toBeGreaterThan(30)
      for (let k = 0; k < calls; k++) {
        const append = await unsent(at, utf8(`${fault} ${k}`))
        at.faults.plan(fault === 'killed' ? killAfter(k) : failAt(k, fault))
        await persevere(at, () => appendLarge(at, append))
        at.faults.plan(() => null)
        expect({ k, blocks: (await heightsOf(at.world, append)).length }).toEqual({ k, blocks: 1 })
      }
      expect(await findings(at.world)).toEqual([])
      // What was uploaded and used lies nowhere twice.
      expect((await at.world.connect('hospital-a').read(at.record)).closed).toEqual([])
    },
    120_000,
  )

  it('that was begun goes on by itself in another process, whichever call was the last of the first', async () => {
    const at = await faulty()
    let calls = 1
    for (let k = 0; k < calls; k++) {
      const append = await unsent(at, utf8(`killed ${k}`))
      const to = await offered(at.world, at.record, append.object)
      await put(at.world, to, append.object)
      const asking = jobOf(await appendAsJob(at.world, append, to.upload))
      at.faults.plan(killAfter(k))
      await ask(at.world, readJob, asking)
      calls = Math.max(calls, at.faults.calls().length)
      at.faults.plan(() => null)
      at.world.clock.now += LEASE_MS
      await (await anotherProcess(at.world)).doJobs()
      expect({ k, blocks: (await heightsOf(at.world, append)).length }).toEqual({ k, blocks: 1 })
      expect(await untilOver(at.world, asking)).toMatchObject({
        state: 'done',
        result: { block: append.block },
      })
    }
    expect(calls).toBeGreaterThan(15)
  }, 120_000)

  it('is done once by two workers that begin together, and by one whose lease was taken over', async () => {
    const at = await faulty()
    const [one, two] = [await anotherProcess(at.world), await anotherProcess(at.world)]
    const begin = async (text: string) => {
      const append = await unsent(at, utf8(text))
      const to = await offered(at.world, at.record, append.object)
      await put(at.world, to, append.object)
      return { append, asking: jobOf(await appendAsJob(at.world, append, to.upload)) }
    }
    const together = await begin('together')
    await Promise.all([one.doJobs(), two.doJobs(), ask(one, readJob, together.asking)])
    expect(await heightsOf(at.world, together.append)).toHaveLength(1)
    // The first is so slow between its lease and its end that the second takes the job over and ends it.
    const late = await begin('late')
    const seen = { taken: false, blocks: 0 }
    at.gate.before = async (name) => {
      if (name !== 'table.blocks.insert' || seen.taken) return
      seen.taken = true
      at.world.clock.now += LEASE_MS
      await two.doJobs()
      seen.blocks = (await heightsOf(at.world, late.append)).length
    }
    await one.doJobs()
    expect(seen).toEqual({ taken: true, blocks: 1 })
    expect(await heightsOf(at.world, late.append)).toHaveLength(1)
    expect(await untilOver(at.world, late.asking)).toMatchObject({ state: 'done' })
    expect(await findings(at.world)).toEqual([])
  })
})

describe('an audit as a job', () => {
  const AUDITS = [
    { name: 'of all chains', operation: auditChains, asking: { path: { chain: 'all' } } },
    { name: 'of the log', operation: auditLog, asking: {} },
  ] as const

  it.each(AUDITS)('$name finds in slices what it finds at once', async ({ operation, asking }) => {
    // A clock that moves with each look at it makes the slices short.
    const at = await faulty()
    for (let i = 0; i < 3; i++) await at.a.append(at.record, [entry(utf8(String(i)))])
    await createRecord(at.a, HOME, ['general'])
    await at.world.tendLog()
    const whole = (await (await ask(at.world, operation, asking)).json()) as object
    const { clock } = at.world
    const slow = { now: clock.now }
    Object.defineProperty(clock, 'now', {
      get: () => (slow.now += 6000),
      set: (next: number) => {
        slow.now = next
      },
    })
    at.faults.plan(() => null)
    const begun = await ask(at.world, operation, { ...asking, headers: PREFER })
    const again = await ask(at.world, operation, { ...asking, headers: PREFER })
    expect([begun.status, again.headers.get('location')]).toEqual([202, begun.headers.get('location')])
    const job = await untilOver(at.world, jobOf(begun))
    const { next, ...result } = job.result as Record<string, unknown>
    expect([job.state, next]).toEqual(['done', null])
    expect({ ...result, next }).toMatchObject(whole)
    // Each slice is a lease and its end.
    const swaps = at.faults.calls().filter((name) => name === 'table.jobs.swap').length
    expect(swaps / 2).toBeGreaterThan(2)
  })

  it.each(AUDITS)(
    '$name goes on after any of its calls was its last',
    async ({ operation, asking }) => {
      const at = await faulty()
      await at.a.append(at.record, [entry(utf8('x'))])
      await at.world.tendLog()
      const whole = (await (await ask(at.world, operation, asking)).json()) as object
      let calls = 1
      for (let k = 0; k < calls; k += 1 + Math.floor(k / 20)) {
        const begun = jobOf(await ask(at.world, operation, { ...asking, headers: PREFER }))
        at.faults.plan(killAfter(k))
        await ask(at.world, readJob, begun)
        calls = Math.max(calls, at.faults.calls().length)
        at.faults.plan(() => null)
        at.world.clock.now += LEASE_MS
        const job = await untilOver(at.world, begun)
        expect({ k, state: job.state, result: job.result }).toMatchObject({ k, state: 'done', result: whole })
        const done = await at.world.platform.table('jobs').range(JOBS_RUN)
        for (const row of done)
          await at.world.platform.table('jobs').swap(JOBS_RUN, row.key, row.version, null)
      }
      expect(calls).toBeGreaterThan(10)
    },
    120_000,
  )

  it('is for instances with capability control, and one at a time for each institution', async () => {
    const at = await faulty()
    const { recovery } = at.world.institution('hospital-a')
    expect(
      await outcome(
        await ask(at.world, auditChains, { path: { chain: 'all' }, headers: PREFER, signer: recovery }),
      ),
    ).toBe('401 UNAUTHORIZED')
    const { instance } = at.world.institution('hospital-b')
    const answers = [
      await ask(at.world, auditChains, { path: { chain: 'all' }, headers: PREFER }),
      await ask(at.world, auditChains, { path: { chain: 'all' }, headers: PREFER }),
      await ask(at.world, auditChains, { path: { chain: 'all' }, headers: PREFER, signer: instance }),
    ]
    expect(new Set(answers.map((one) => one.headers.get('location'))).size).toBe(2)
    const [first] = answers
    if (!first) throw new Error('no answer')
    expect(await outcome(await ask(at.world, readJob, { ...jobOf(first), signer: instance }))).toBe(
      '404 NOT_FOUND',
    )
  })
})
