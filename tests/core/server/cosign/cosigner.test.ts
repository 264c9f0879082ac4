// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { failAt, withFaults } from '#adapters/around/faults.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { compactHash, encodeLeaf } from '#core/block/leaf.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { parseCheckpoint } from '#core/log/note/checkpoint.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parseNote } from '#core/log/note/note.ts'
import { openCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { parseTlogProof, verifyTlogProof } from '#core/log/tlog-proof.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { createCosigner } from '#core/server/cosign/cosigner.ts'
import { COSIGNER_NEEDS } from '#core/server/cosign/needs.ts'
import { FIRST_REST_MS, MAX_REST_MS } from '#core/server/cosign/rests.ts'
import { REFRESH_SECONDS } from '#core/server/cosign/state.ts'
import { receiptFinder } from '#core/server/read/receipt.ts'
import { READER_NEEDS } from '#core/server/read/read-chain.ts'
import { ORIGIN, START_MS } from '#tests/deployment.ts'
import { waitingFor } from '#tests/http/waiting.ts'
import { logKeysOf, makeWitness, witnessedWorld, type WitnessedWorld } from './witnessed-world.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** A record in a witnessed home, and what is asked of its log. */
async function scene(made: WitnessedWorld) {
  const { world, policy, base } = made
  const connection = world.connect('hospital-a')
  const { record } = await createRecord(connection, HOME, ['general'])
  const append = (text: string) => connection.append(record, [entry(text)])
  const level = async (height: number) =>
    (await receiptFinder(await select(base, READER_NEEDS), policy)(record, height))?.level ?? null
  const published = async () =>
    fromUtf8((await base.table('checkpoints').get('log', 'published'))?.value ?? utf8(''))
  return { ...made, connection, record, append, level, published, policy }
}

async function cosignerOf({ world, policy, base }: WitnessedWorld) {
  return createCosigner(await select(base, COSIGNER_NEEDS), world.home, policy)
}

describe('a log whose policy names witnesses', () => {
  it('has each checkpoint cosigned by all of them, and every block has a witnessed receipt', async () => {
    const made = await scene(await witnessedWorld(['w1', 'w2'], 2))
    const { world, policy, record, connection, level, base } = made
    await world.tendLog()
    for (let i = 0; i < 3; i++) {
      await made.append(`${i}`)
      await world.tendLog()
    }
    const { items } = await connection.api.blocks(record, 0)
    const findReceipt = receiptFinder(await select(base, READER_NEEDS), policy)
    for (const [height, compact] of items.entries()) {
      expect(await level(height)).toBe('witnessed')
      const receipt = await findReceipt(record, height)
      const proof = parseTlogProof(receipt?.proof ?? '')
      const leaf = encodeLeaf({ label: proof.extra ?? new Uint8Array(0), hash: compactHash(compact) })
      const { quorum, cosignatures } = await verifyTlogProof(proof, leaf, policy, createVerifiers())
      expect([quorum.satisfied, cosignatures.length]).toEqual([true, 4])
    }
  })

  it('keeps the first witnessed receipt of a block for ever', async () => {
    const { world, append, record, base, policy } = await scene(await witnessedWorld(['w1'], 1))
    await world.tendLog()
    const findReceipt = receiptFinder(await select(base, READER_NEEDS), policy)
    const first = await findReceipt(record, 1)
    await append('later')
    await world.tendLog()
    expect(await findReceipt(record, 1)).toEqual(first)
  })

  it('is witnessed by a quorum although one witness is away, and tells the one that comes back what it missed', async () => {
    const made = await scene(await witnessedWorld(['w1', 'w2', 'w3'], 2))
    const { world, append, level, between, witnesses, published } = made
    await world.tendLog()
    const [away = ''] = witnesses
    const there = between.get(away) as Fetch
    between.delete(away)
    await append('one')
    await append('two')
    await world.tendLog()
    expect(await level(3)).toBe('witnessed')
    expect(parseNote(await published()).signatures).toHaveLength(2 + 4)
    between.set(away, there)
    made.clock.now += FIRST_REST_MS * 4
    await append('three')
    await world.tendLog()
    expect(parseNote(await published()).signatures).toHaveLength(2 + 6)
  })

  it.each([-180_000, 400 * 86_400_000])(
    'keeps nothing that is cosigned at another time than this, and all that it kept (%i ms)',
    async (skewMs) => {
      const made = await scene(await witnessedWorld(['w1', 'w2', 'w3'], 2))
      const { world, clock, base, between, append, level, published } = made
      await world.tendLog()
      const before = await published()
      // With the same keys, and another clock.
      const logKeys = (await logKeysOf(base)).map(formatVerifierKey)
      const skewed = Object.defineProperty({ now: 0 }, 'now', { get: () => clock.now + skewMs })
      const [right, third] = ['http://w1.test', 'http://w3.test'].map((url) => between.get(url) as Fetch)
      between.set('http://w1.test', (await makeWitness('http://w1.test', logKeys, skewed, 20)).app)
      between.delete('http://w3.test')
      await append('one')
      await world.tendLog()
      expect(parseNote(await published()).signatures).toHaveLength(2 + 2)
      expect(await level(2)).toBe('logged')
      expect(await (await cosignerOf(made)).run()).toMatchObject({
        satisfied: false,
        untimely: ['http://w1.test/witness'],
      })
      if (third) between.set('http://w3.test', third)
      if (right) between.set('http://w1.test', right)
      clock.now += MAX_REST_MS
      await world.tendLog()
      expect(await level(2)).toBe('witnessed')
      const kept = await base.table('checkpoints').range('witnessed')
      expect(kept.map(({ value }) => fromUtf8(value))).toContain(before)
      for (const { value } of kept) {
        const cosigners = made.policy.witnesses.map(({ key }) => key)
        const keys = { logs: await logKeysOf(base), cosigners }
        const { cosignatures } = await openCheckpoint(fromUtf8(value), keys, createVerifiers())
        for (const { time } of cosignatures) {
          expect(time * 1000).toBeGreaterThan(START_MS - 120_000)
          expect(time * 1000).toBeLessThan(clock.now + 120_000)
        }
      }
    },
  )

  it('leaves receipts logged while the quorum is missing, and says who did not cosign', async () => {
    const made = await scene(await witnessedWorld(['w1', 'w2'], 2))
    const { world, level, between, witnesses } = made
    const [away = ''] = witnesses
    between.delete(away)
    await world.tendLog()
    expect(await level(1)).toBe('logged')
    expect(await (await cosignerOf(made)).run()).toMatchObject({
      outcome: 'asked',
      satisfied: false,
      failed: [{ url: `${away}/witness`, code: 'UPSTREAM_FAILED', why: 'the witness cannot be reached' }],
    })
  })

  it('asks each once when it begins, and nobody again while the checkpoint stands, until an hour is over', async () => {
    const made = await scene(await witnessedWorld(['w1'], 1))
    const { world, clock, published } = made
    await world.tendLog()
    const cosigner = await cosignerOf(made)
    expect(await cosigner.run()).toMatchObject({ outcome: 'asked', satisfied: true, behind: false })
    expect(await cosigner.run()).toMatchObject({ outcome: 'fresh', satisfied: true })
    const before = await published()
    clock.now += REFRESH_SECONDS * 1000
    expect(await cosigner.run()).toMatchObject({ outcome: 'asked', satisfied: true, failed: [] })
    const after = await published()
    expect(after).not.toBe(before)
    expect(parseNote(after).text).toBe(parseNote(before).text)
    expect(await cosigner.run()).toMatchObject({ outcome: 'fresh' })
  })

  it('says so when a witness has cosigned a larger tree than the store holds: it is an older copy', async () => {
    const made = await scene(await witnessedWorld(['w1'], 1))
    const { world, base, append } = made
    const checkpoints = base.table('checkpoints')
    await world.tendLog()
    const old = await Promise.all(['tree', 'published'].map((key) => checkpoints.get('log', key)))
    await append('lost')
    await world.tendLog()
    for (const row of old) {
      const newer = await checkpoints.get('log', row?.key ?? '')
      await checkpoints.swap('log', row?.key ?? '', newer?.version ?? null, row?.value ?? null)
    }
    made.clock.now += REFRESH_SECONDS * 1000
    const { failed } = await (await cosignerOf(made)).run()
    expect(failed).toMatchObject([
      { code: 'STORE_CORRUPT', why: 'the witness has cosigned a larger tree than this home has' },
    ])
  })

  it('answers an append that waits for witnesses with a receipt that they signed', async () => {
    const { world, policy, record } = await scene(await witnessedWorld(['w1', 'w2'], 2))
    const { waiting, taken } = waitingFor(world, 'witnessed')
    await waiting.append(record, [entry('waits')])
    const told = (await taken[0]?.json()) as { receipt: string; block: string } | undefined
    const proof = parseTlogProof(told?.receipt ?? '')
    const leaf = encodeLeaf({ label: proof.extra ?? new Uint8Array(0), hash: compactHash(told?.block ?? '') })
    expect((await verifyTlogProof(proof, leaf, policy, createVerifiers())).quorum.satisfied).toBe(true)
  })
})

describe('a witness that answers wrongly', () => {
  const answers: Readonly<Record<string, (good: Response) => Promise<Response>>> = {
    'with a signature that does not verify': async (good) => {
      const text = await good.text()
      const at = text.lastIndexOf('A')
      return new Response(`${text.slice(0, at)}B${text.slice(at + 1)}`)
    },
    'with nothing': async () => new Response(''),
    'with a page of a web site': async () => new Response('<!doctype html>\n<p>hello'),
    'with more than a note may have': async () => new Response('x'.repeat(1024 * 1024)),
    'with 409 and no size': async () => new Response('nonsense', { status: 409 }),
    'with 409 for ever': async () => new Response('0\n', { status: 409 }),
    'with a redirect': async () =>
      new Response(null, { status: 302, headers: { location: 'http://w2.test/' } }),
    'with an error': async () => new Response('oops', { status: 500 }),
  }
  for (const [how, spoil] of Object.entries(answers))
    it(`${how} counts for nothing`, async () => {
      const made = await scene(await witnessedWorld(['w1'], 1))
      const { world, between, level, witnesses } = made
      const [url = ''] = witnesses
      const good = between.get(url) as Fetch
      between.set(url, async (request) => spoil(await good(request)))
      await world.tendLog()
      expect(await level(1)).toBe('logged')
      const { failed } = await (await cosignerOf(made)).run()
      expect(failed).toMatchObject([{ code: 'UPSTREAM_FAILED' }])
      between.set(url, good)
      made.clock.now += FIRST_REST_MS
      await world.tendLog()
      expect(await level(1)).toBe('witnessed')
    })

  it('or never, is given up after its time', async () => {
    const made = await scene(await witnessedWorld(['w1'], 1))
    const { world, base, policy, between, witnesses, clock } = made
    await world.tendLog()
    clock.now += REFRESH_SECONDS * 1000
    between.set(witnesses[0] ?? '', async (request) => {
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve, { once: true }))
      throw request.signal.reason
    })
    const late = new AbortController()
    const cosigner = createCosigner(await select(base, COSIGNER_NEEDS), world.home, policy, {
      deadline: () => late.signal,
    })
    const running = cosigner.run()
    setImmediate(() => late.abort())
    expect(await running).toMatchObject({ failed: [{ why: 'the witness did not answer in time' }] })
  })
})

describe('a cosigner whose store fails', () => {
  for (const fault of ['not-applied', 'applied-unknown'] as const)
    it(`has everything witnessed once it answers again, whichever call was ${fault}`, async () => {
      const holder: { faults?: ReturnType<typeof withFaults> } = {}
      const wrap = (platform: Platform) => (holder.faults = withFaults(platform)).platform
      const calls = await (async () => {
        const { world } = await scene(await witnessedWorld(['w1'], 1, wrap))
        holder.faults?.plan(() => null)
        await world.tendLog()
        return [...(holder.faults?.calls() ?? [])]
      })()
      const after = calls.lastIndexOf('objects.staging.store')
      // A read leaves nothing behind: the first of each name stands for the others.
      const isRead = (call: string) => /\.(get|range|fetch)$/.test(call)
      const own = calls.flatMap((call, k) =>
        k >= after && (!isRead(call) || calls.indexOf(call, after) === k) ? [k] : [],
      )
      expect(own.length).toBeGreaterThan(5)
      for (const k of own) {
        const { world, level, append, published } = await scene(await witnessedWorld(['w1'], 1, wrap))
        holder.faults?.plan(failAt(k, fault))
        await world.tendLog()
        holder.faults?.plan(() => null)
        await append('next')
        await world.tendLog()
        const note = await published()
        expect({ k, level: await level(2), size: parseCheckpoint(parseNote(note).text).size }).toEqual({
          k,
          level: 'witnessed',
          size: 6,
        })
      }
    })
})
