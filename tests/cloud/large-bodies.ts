// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { killAfter, withFaults } from '#adapters/around/faults.ts'
import { MAX_RANGE_BYTES, type UploadAnswer } from '#core/api/large/upload.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { LEASE_MS } from '#core/server/job/advance.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { readJob } from '#functions/worker/operations.ts'
import { appendAsJob, heightsOf, jobOf, untilOver } from '#tests/core/server/job/jobs.ts'
import {
  appendUploaded,
  entry,
  hashOf,
  HOME,
  MIB,
  noise,
  offered,
  outcome,
  unsent,
  type Scene,
} from '#tests/core/server/upload/uploads.ts'
import { testDeployment } from '#tests/deployment.ts'
import { ask } from '#tests/http/ask.ts'
import { configOf, openApart, type Apart } from '#tests/functions/host/apart.ts'
import { plain, told } from './without-tls.ts'

/** A provider whose store takes uploads. */
export interface Cloud {
  readonly open: (options: { readonly now: () => number; readonly makesKeys?: boolean }) => Platform
  /** How the store is reached, past the home. */
  readonly outside: Fetch
  /** What an append is answered whose upload was put with other bytes: the store refused them, or took them. */
  readonly other: string
}

/** What a function has: a request and an answer of 4 MiB. */
const PASSING = { maxRequestBytes: 4 * MIB, maxAnswerBytes: 4 * MIB }
/** An append that does not pass. */
const LARGE = 5 * MIB

interface Made extends Scene {
  readonly apart: Apart
  readonly cloud: Cloud
  readonly worker: ReturnType<typeof withFaults>
  readonly base: Platform
}

/** How bodies that no function takes go through a home whose roles are apart. */
export function largeBodies(openCloud: () => Promise<Cloud>): void {
  const held: { made?: Made } = {}
  const opened: Platform[] = []
  beforeAll(async () => {
    const cloud = await openCloud()
    // Stores compare expiries with the time that it is.
    const clock = { now: Date.now() }
    const open = (makesKeys: boolean) => {
      const platform = cloud.open({ now: () => clock.now, makesKeys })
      opened.push(platform)
      return platform
    }
    const base = open(true)
    const world = await testDeployment(['hospital-a'], { clock, base })
    const worker = withFaults(open(false))
    const roles = open(false)
    const hosting = { now: () => clock.now, random: world.random, log: silentLog, ...PASSING }
    const of = (role: string) => (role === 'worker' ? worker.platform : roles)
    const apart = await openApart(of, await configOf(base, world.home), hosting)
    await apart.sequence()
    const here = { ...world, fetch: apart.fetch }
    const a = world.connect('hospital-a', { fetch: apart.fetch })
    const { record } = await createRecord(a, HOME, ['general'])
    held.made = { world: here, a, record, apart, cloud, worker, base }
  })
  afterAll(async () => void (await Promise.all(opened.map((platform) => platform.close()))))
  const made = () => {
    if (!held.made) throw new Error('the home is not there')
    return held.made
  }

  it('appends and reads what no request takes, by an upload past the home and by ranges', async () => {
    const { world, record, cloud } = made()
    const seen = { past: 0, largest: 0, paths: [] as string[] }
    const fetch: Fetch = async (request) => {
      const copy = new Uint8Array(await request.clone().arrayBuffer())
      const answer = await told(await world.fetch(request))
      const bytes = (await answer.clone().arrayBuffer()).byteLength
      seen.largest = Math.max(seen.largest, copy.length, bytes)
      seen.paths.push(`${request.method} ${new URL(request.url).pathname}`)
      return answer
    }
    const outside: Fetch = async (request) => {
      expect(request.headers.get('authorization')).toBeNull()
      seen.past = (await request.clone().arrayBuffer()).byteLength
      return cloud.outside(await plain(request))
    }
    const content = noise(LARGE, 9)
    const by = world.connect('hospital-a', { fetch, outside })
    await by.append(record, [entry(content)])
    const { opened: entries } = await world.connect('hospital-a', { fetch }).read(record)
    expect(Buffer.from(entries.at(-1)?.content ?? []).equals(Buffer.from(content))).toBe(true)
    expect(seen.past).toBeGreaterThan(LARGE)
    expect(seen.largest).toBeLessThanOrEqual(MAX_RANGE_BYTES)
    expect(seen.paths.filter((path) => path === 'POST /v1/uploads')).toHaveLength(1)
  })

  it('appends one as a job exactly once, whichever worker was killed meanwhile', async () => {
    const { world, worker, apart } = made()
    const begin = async (seed: number, bytes: number) => {
      const append = await unsent(made(), noise(bytes, seed))
      const to = await offered(world, made().record, append.object)
      expect((await put(made(), to, append.object)).ok).toBe(true)
      const begun = await appendAsJob(world, append, to.upload)
      expect(begun.status).toBe(202)
      return { append, to, asking: jobOf(begun) }
    }
    const whole = await begin(20, LARGE)
    worker.plan(() => null)
    await apart.work()
    const calls = worker.calls()
    expect(await heightsOf(world, whole.append)).toHaveLength(1)
    const commit = calls.lastIndexOf('table.blocks.insert')
    // Before it read what was uploaded, before and after the block was committed, and before the job's row says so.
    const kills = [calls.indexOf('objects.uploads.fetch'), commit - 1, commit, calls.length - 2]
    expect(kills.every((k) => k > 0)).toBe(true)
    for (const [at, k] of kills.entries()) {
      const { append, to, asking } = await begin(21 + at, k === commit ? LARGE : 100)
      worker.plan(killAfter(k))
      await ask(world, readJob, asking)
      worker.plan(() => null)
      await elapse(made(), LEASE_MS)
      await apart.work()
      expect({ k, blocks: (await heightsOf(world, append)).length }).toEqual({ k, blocks: 1 })
      expect(await untilOver(world, asking)).toMatchObject({ state: 'done', result: { block: append.block } })
      await elapse(made(), 3_600_000)
      await apart.sweep()
      expect(await uploaded(made(), to)).toBeNull()
    }
  })

  it('appends no other bytes than those that were offered, whoever notices, and takes them anew', async () => {
    const { world, record, cloud } = made()
    const append = await unsent(made())
    const to = await offered(world, record, append.object)
    await put(made(), to, noise(append.object.length, 3))
    expect(await outcome(await appendUploaded(world, append, to.upload))).toBe(cloud.other)
    const again = await offered(world, record, append.object)
    expect((await put(made(), again, append.object)).ok).toBe(true)
    expect(await outcome(await appendUploaded(world, append, again.upload))).toBe('201')
  })

  it('is put nowhere by a URL that has expired', async () => {
    const { cloud } = made()
    const past = Date.now() - 3_600_000
    const then = cloud.open({ now: () => past, makesKeys: false })
    opened.push(then)
    const bytes = noise(100, 4)
    const terms = { bytes: bytes.length, sha256: hashOf(bytes), expiresMs: past + 60_000 }
    const signed = await then.uploads?.offer('owner.late', terms)
    if (!signed) throw new Error('nothing was signed')
    const { method, url, headers } = signed
    expect(
      (await cloud.outside(new Request(url, { method, headers, body: bytes as Uint8Array<ArrayBuffer> })))
        .status,
    ).toBe(403)
    expect(await then.objects('uploads').fetch('owner.late')).toBeNull()
  })
}

/** Time passes, and somebody looks after the log meanwhile. */
async function elapse({ world, apart }: Made, ms: number): Promise<void> {
  world.clock.now += ms
  await apart.sequence()
  // What was read lately is not read again within the second.
  world.clock.now += 1000
}

async function uploaded({ base, world }: Made, { upload }: UploadAnswer): Promise<Uint8Array | null> {
  return base.objects('uploads').fetch(`${world.institution('hospital-a').id}.${upload}`)
}

function put({ cloud }: Made, { method, url, headers }: UploadAnswer, bytes: Uint8Array): Promise<Response> {
  return cloud.outside(new Request(url, { method, headers, body: bytes as Uint8Array<ArrayBuffer> }))
}
