// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { failAt, killAfter } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { select } from '#core/ports/needs.ts'
import { UPLOAD_LIFE_MS } from '#core/api/large/upload.ts'
import { SWEEPER_NEEDS } from '#core/server/sweep/needs.ts'
import { UPLOADS_PARTITION } from '#core/server/upload/offers.ts'
import { sweepUploads } from '#core/server/upload/sweep-uploads.ts'
import { findings, FAULTS } from '#tests/fault/each-call.ts'
import { heightsOf } from '../job/jobs.ts'
import { faulty, persevere } from './faulty.ts'
import { appendUploaded, offered, outcome, put, unsent } from './uploads.ts'

type Unsent = Awaited<ReturnType<typeof unsent>>
const LAST = [...FAULTS, 'killed'] as const
const planOf = (fault: (typeof LAST)[number], k: number) =>
  fault === 'killed' ? killAfter(k) : failAt(k, fault)

describe('an upload that is appended', () => {
  it.each(LAST)(
    'is there exactly once, whichever of its calls is the last that works (%s)',
    async (fault) => {
      const at = await faulty()
      const names: string[] = []
      const bring = async (append: Unsent) => {
        const to = await offered(at.world, at.record, append.object)
        names.push(`hospital-a.${to.upload}`)
        const sent = await put(at.world, to, append.object)
        if (!sent.ok) throw new Error(await outcome(sent))
        const appended = await appendUploaded(at.world, append, to.upload)
        if (!appended.ok) throw new Error(await outcome(appended))
      }
      const clean = await unsent(at)
      at.faults.plan(() => null)
      await bring(clean)
      const calls = at.faults.calls().length
      expect(calls).toBeGreaterThan(20)
      for (let k = 0; k < calls; k++) {
        const append = await unsent(at, utf8(`${fault} ${k}`))
        at.faults.plan(planOf(fault, k))
        await persevere(at, () => bring(append))
        at.faults.plan(() => null)
        expect({ k, blocks: (await heightsOf(at.world, append)).length }).toEqual({ k, blocks: 1 })
      }
      expect(await findings(at.world)).toEqual([])
      // Whatever was left waiting, because nobody learnt that it was appended, goes in time.
      at.world.clock.now += UPLOAD_LIFE_MS
      await sweepUploads(await select(at.world.platform, SWEEPER_NEEDS))
      expect(await at.world.platform.table('quotas').range(UPLOADS_PARTITION)).toEqual([])
      const left = await Promise.all(names.map((name) => at.world.platform.objects('uploads').fetch(name)))
      expect(left.filter((bytes) => bytes !== null)).toEqual([])
    },
    120_000,
  )
})

describe('a sweep of uploads', () => {
  it.each(LAST)(
    'that was interrupted anywhere is finished by the next (%s)',
    async (fault) => {
      const at = await faulty()
      const ports = await select(at.world.platform, SWEEPER_NEEDS)
      for (let k = 0, calls = 1; k < calls; k++) {
        const { object } = await unsent(at, utf8(`${fault} ${k}`))
        const to = await offered(at.world, at.record, object)
        await put(at.world, to, object)
        at.world.clock.now += UPLOAD_LIFE_MS
        at.faults.plan(planOf(fault, k))
        await sweepUploads(ports).catch(() => 0)
        calls = Math.max(calls, at.faults.calls().length)
        at.faults.plan(() => null)
        await sweepUploads(ports)
        expect(await at.world.platform.table('quotas').range(UPLOADS_PARTITION)).toEqual([])
        const name = `hospital-a.${to.upload}`
        expect(await at.world.platform.objects('uploads').fetch(name)).toBeNull()
      }
    },
    120_000,
  )
})
