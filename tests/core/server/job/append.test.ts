// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { JOB_LIFE_MS, MAX_JOBS } from '#core/api/large/job-limits.ts'
import { homeChores } from '#functions/all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { readJob } from '#functions/worker/operations.ts'
import { encodeJob, JOBS_RUN, parseJob } from '#core/server/job/row.ts'
import { ADMITTED_MS } from '#core/server/job/kinds/append.ts'
import { makeSigner } from '#tests/deployment.ts'
import { ask } from '#tests/http/ask.ts'
import { offered, outcome, put, scene, shareWithB, unsent, type Scene } from '../upload/uploads.ts'
import { anotherProcess, appendAsJob, heightsOf, jobOf, untilOver } from './jobs.ts'

let at: Scene
beforeEach(async () => {
  at = await scene()
})

/** An append whose object is uploaded. */
async function uploaded(text = 'small') {
  const append = await unsent(at, utf8(text))
  const to = await offered(at.world, at.record, append.object)
  await put(at.world, to, append.object)
  return { append, upload: to.upload }
}

const jobs = () => at.world.platform.table('jobs')
const inputs = async (key: string) => at.world.platform.objects('uploads').fetch(`jobs/${key}`)

describe('an append as a job', () => {
  it('is answered before it is done, done when it is asked for, and gives what an append gives', async () => {
    const { append, upload } = await uploaded()
    const begun = await appendAsJob(at.world, append, upload)
    expect([begun.status, begun.headers.get('preference-applied')]).toEqual([202, 'respond-async'])
    expect(await begun.json()).toMatchObject({
      kind: 'append',
      state: 'waiting',
      result: null,
      problem: null,
    })
    expect(await heightsOf(at.world, append)).toEqual([])
    const job = await untilOver(at.world, jobOf(begun))
    expect(job).toMatchObject({
      state: 'done',
      progress: { done: 1, total: 1, of: 'blocks' },
      result: { block: append.block, head: expect.any(String) },
    })
    expect(await heightsOf(at.world, append)).toEqual([2])
    const [row] = await jobs().range(JOBS_RUN)
    expect(await inputs(row?.key ?? '')).toBeNull()
    // Sent again it is answered at once, like every block that is there.
    expect(await outcome(await appendAsJob(at.world, append, upload))).toBe('201')
  })

  it('is done by the home when nobody asks', async () => {
    const { append, upload } = await uploaded()
    const begun = await appendAsJob(at.world, append, upload)
    await (await anotherProcess(at.world)).doJobs()
    expect(await heightsOf(at.world, append)).toEqual([2])
    expect((await ask(at.world, readJob, jobOf(begun))).status).toBe(200)
  })

  it('is one job, however often it is sent', async () => {
    const { append, upload } = await uploaded()
    const answers = await Promise.all([1, 2, 3].map(() => appendAsJob(at.world, append, upload)))
    const ids = new Set(answers.map((one) => one.headers.get('location')))
    expect([ids.size, answers.map(({ status }) => status)]).toEqual([1, [202, 202, 202]])
    expect(await jobs().range(JOBS_RUN)).toHaveLength(1)
  })

  it('is judged before anything is begun', async () => {
    const { append, upload } = await uploaded()
    expect(await outcome(await appendAsJob(at.world, append, 'A'.repeat(22)))).toBe('404 NOT_FOUND')
    const block = append.block.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))
    expect(await outcome(await appendAsJob(at.world, { ...append, block }, upload))).not.toMatch(/^2/)
    at.world.clock.now += 121_000
    expect(await outcome(await appendAsJob(at.world, append, upload))).toBe('422 CLOCK_SKEW')
    expect(await jobs().range(JOBS_RUN)).toEqual([])
  })

  it('keeps the time at which the home took it on, and not for ever', async () => {
    for (const [afterMs, state] of [
      [ADMITTED_MS, 'done'],
      [ADMITTED_MS + 1, 'failed'],
    ] as const) {
      const { append, upload } = await uploaded(state)
      const begun = await appendAsJob(at.world, append, upload)
      at.world.clock.now += afterMs
      const job = await untilOver(at.world, jobOf(begun))
      expect([job.state, job.problem?.code ?? null]).toEqual([state, state === 'done' ? null : 'CLOCK_SKEW'])
    }
  })

  it('that another block overtook fails as an append does', async () => {
    const { append, upload } = await uploaded()
    const begun = await appendAsJob(at.world, append, upload)
    await at.world
      .connect('hospital-a')
      .append(at.record, [{ header: utf8('{}'), content: utf8('first'), compartment: 'general' }])
    expect(await untilOver(at.world, jobOf(begun))).toMatchObject({
      state: 'failed',
      problem: { code: 'HEAD_CONFLICT', status: 409, retryable: true },
    })
  })

  it('is seen by nobody else, and not without a signature', async () => {
    await shareWithB(at)
    const { append, upload } = await uploaded()
    const asking = jobOf(await appendAsJob(at.world, append, upload))
    const { instance } = at.world.institution('hospital-b')
    expect(await outcome(await ask(at.world, readJob, { ...asking, signer: instance }))).toBe('404 NOT_FOUND')
    for (const signer of [null, await makeSigner(at.world.random)])
      expect(await outcome(await ask(at.world, readJob, { ...asking, signer }))).toBe('401 UNAUTHORIZED')
    expect(await heightsOf(at.world, append)).toEqual([])
  })

  it('waits while somebody is at it, and goes on when its lease is over', async () => {
    const { append, upload } = await uploaded()
    const asking = jobOf(await appendAsJob(at.world, append, upload))
    const [row] = await jobs().range(JOBS_RUN)
    if (!row) throw new Error('no job')
    const leasedUntilMs = at.world.clock.now + 30_000
    const leased = { ...parseJob(row.value), state: 'running' as const, leasedUntilMs }
    await jobs().swap(JOBS_RUN, row.key, row.version, encodeJob(leased))
    const answer = await ask(at.world, readJob, asking)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([202, '30'])
    expect(await heightsOf(at.world, append)).toEqual([])
    at.world.clock.now = leasedUntilMs
    expect((await ask(at.world, readJob, asking)).status).toBe(200)
  })

  it('is done at once where its author has as many jobs as it may', async () => {
    const { append, upload } = await uploaded()
    const begun = await appendAsJob(at.world, append, upload)
    const [row] = await jobs().range(JOBS_RUN)
    if (!row) throw new Error('no job')
    await untilOver(at.world, jobOf(begun))
    for (let i = 1; i < MAX_JOBS; i++) await jobs().insert(JOBS_RUN, `hospital-a/job-${i}`, row.value)
    const next = await uploaded('next')
    expect(await outcome(await appendAsJob(at.world, next.append, next.upload))).toBe('201')
  })

  it('is forgotten in time, with what it went on with', async () => {
    const { append, upload } = await uploaded()
    const asking = jobOf(await appendAsJob(at.world, append, upload))
    const [row] = await jobs().range(JOBS_RUN)
    const hosting = { now: () => at.world.clock.now, random: at.world.random, log: silentLog }
    const chores = await homeChores(at.world.platform, at.world.home, hosting)
    expect(await inputs(row?.key ?? '')).not.toBeNull()
    at.world.clock.now += JOB_LIFE_MS
    await chores()
    expect((await ask(at.world, readJob, asking)).status).toBe(200)
    at.world.clock.now += JOB_LIFE_MS
    await chores()
    expect(await outcome(await ask(at.world, readJob, asking))).toBe('404 NOT_FOUND')
    expect([await jobs().range(JOBS_RUN), await inputs(row?.key ?? '')]).toEqual([[], null])
  })
})
