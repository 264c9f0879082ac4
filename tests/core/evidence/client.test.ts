// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { asDeploymentId, type BlockId, type ChainId } from '#core/bytes/ids.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { parseHead, signHead, type HeadStatement } from '#core/api/head.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { connect } from '#core/client/connect.ts'
import { conflictOf } from '#core/evidence/conflict.ts'
import { parseEvidence } from '#core/evidence/format.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }

/** A record whose reader keeps evidence, and whose home states what it is told to. */
async function world() {
  const deployment = await testDeployment()
  const kept: Uint8Array[] = []
  const sink = { isBroken: false }
  const home = { withholds: false }
  const signer = await deployment.platform.signer('head')
  let state: ((head: HeadStatement) => HeadStatement) | null = null
  let meanwhile: ((response: Response) => Promise<Response>) | null = null
  const ports = deployment.connect('hospital-a').ports
  const connection = connect({
    ...ports,
    evidence: async (bytes) => {
      if (sink.isBroken) throw new Error('no disk')
      return `file ${kept.push(bytes)}`
    },
    fetch: async (request) => {
      if (state && home.withholds && new URL(request.url).pathname === '/v1/registry/blocks')
        return new Response('', { status: 503 })
      const response = await ports.fetch(request)
      if (meanwhile && request.method === 'POST') return meanwhile(response)
      if (!state || !new URL(request.url).pathname.endsWith('/head')) return response
      const answer = (await response.json()) as { head: string }
      const head = await signHead(state(parseHead(answer.head).head), signer)
      return Response.json({ ...answer, head })
    },
  })
  const { record } = await createRecord(connection, HOME, ['general'])
  await connection.replica(record)
  const pins = { registry: deployment.registryId, logs: [] }
  return {
    clock: deployment.clock,
    home,
    kept,
    sink,
    pins,
    read: async (chain: ChainId, told: typeof state = null) => {
      state = told
      return connection.replica(chain)
    },
    record,
    seen: () => ports.seen.load(record),
    /** Appends, is told that the time is another one, and sees no head before somebody else appended. @returns the height */
    appendBeforeAnother: async (aheadMs: number) => {
      meanwhile = async (response) => {
        meanwhile = null
        await deployment.connect('hospital-a').append(record, [entry])
        const answer = (await response.json()) as { head: string }
        const { head } = parseHead(answer.head)
        const time = toTimestamp(deployment.clock.now + aheadMs)
        return Response.json({ ...answer, head: await signHead({ ...head, time }, signer) })
      }
      const [filed] = await connection.append(record, [entry])
      return filed?.height ?? -1
    },
  }
}

const entry = { header: utf8('{}'), content: utf8('one'), compartment: 'general' }
const forked = (head: HeadStatement) => ({ ...head, block: 'A'.repeat(43) as BlockId })
const lower = (head: HeadStatement) => ({ ...head, height: head.height - 1 })

describe('a client whose home contradicts itself', () => {
  it('keeps the two head statements, which convince anybody who trusts the registry', async () => {
    const { kept, pins, read, record } = await world()
    await expect(read(record, forked)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringMatching(/^rule forked: two blocks .*; evidence is kept as file 1$/),
    })
    const [bytes = new Uint8Array(0)] = kept
    expect(await verifyEvidence(bytes, pins)).toMatchObject({ kind: 'heads', against: ORIGIN, logs: [] })
  })

  it('keeps them also where the home from then on holds back its registry', async () => {
    const { home, kept, pins, read, record } = await world()
    home.withholds = true
    await expect(read(record, forked)).rejects.toThrow('evidence is kept as file 1')
    const [bytes = new Uint8Array(0)] = kept
    expect(await verifyEvidence(bytes, pins)).toMatchObject({ kind: 'heads', against: ORIGIN })
    await expect(read(record, (head) => head)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
  })

  it('gives the same conflict one name, however often it is met', async () => {
    const { clock, kept, read, record } = await world()
    await expect(read(record, forked)).rejects.toThrow('file 1')
    clock.now += 5000
    await expect(read(record, forked)).rejects.toThrow('file 2')
    const [first, second] = kept.map((bytes) => parseEvidence(bytes))
    expect(first).not.toEqual(second)
    expect(first && conflictOf(first)).toBe(second && conflictOf(second))
  })

  it('says what it found also where the evidence cannot be kept', async () => {
    const { kept, read, record, sink } = await world()
    sink.isBroken = true
    await expect(read(record, forked)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringMatching(/^rule forked: .*; the evidence of it could not be kept$/),
    })
    expect(kept).toEqual([])
  })

  it('keeps a rollback once no honest race explains it', async () => {
    const { clock, kept, pins, read, record } = await world()
    await expect(read(record, lower)).rejects.toThrow(
      /^rule rolled-back: [^;]*; heads within two minutes .* convict nobody: do the same again after that$/,
    )
    expect(kept).toEqual([])
    clock.now += 120_001
    await expect(read(record, lower)).rejects.toThrow('evidence is kept as file 1')
    const [bytes = new Uint8Array(0)] = kept
    expect((await verifyEvidence(bytes, pins)).proves).toMatch(/: a rollback$/)
  })

  it('finds a fork whatever time the other statement says', async () => {
    for (const days of [-365, 365]) {
      const { clock, kept, pins, read, record } = await world()
      const time = toTimestamp(clock.now + days * 86_400_000)
      await expect(read(record, (head) => ({ ...forked(head), time }))).rejects.toThrow(
        /^rule forked: .* evidence is kept as file 1$/,
      )
      const [bytes = new Uint8Array(0)] = kept
      expect((await verifyEvidence(bytes, pins)).proves).toMatch(/: a fork$/)
    }
  })
})

describe('a client that is shown a head statement of another time', () => {
  it('refuses one of more than two minutes after its own clock, and remembers nothing of it', async () => {
    const { clock, kept, read, record, seen } = await world()
    const ahead = (ms: number) => (head: HeadStatement) => ({ ...head, time: toTimestamp(clock.now + ms) })
    const before = await seen()
    await expect(read(record, ahead(120_001))).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message:
        'rule head-time: the head statement is of 120 s after the time here: one of the clocks is wrong',
    })
    expect([kept, await seen()]).toEqual([[], before])
    await expect(read(record, ahead(120_000))).resolves.toMatchObject({ chain: record })
  })

  it('names an old one that is shown again, of whatever height, and excuses it by no race', async () => {
    for (const change of [lower, (head: HeadStatement) => head]) {
      const { clock, kept, read, record } = await world()
      const time = toTimestamp(clock.now)
      clock.now += 120_001
      await expect(read(record, (head) => ({ ...change(head), time }))).rejects.toThrow(
        /^rule head-time: the head statement is of 120 s before it was asked for: [^;]*$/,
      )
      expect(kept).toEqual([])
      await expect(read(record)).resolves.toMatchObject({ chain: record })
    }
  })

  it('allows for the time that the answer takes', async () => {
    const { clock, read, record } = await world()
    await expect(
      read(record, (head) => {
        clock.now += 300_000
        return head
      }),
    ).resolves.toMatchObject({ chain: record })
  })

  it('goes on when clocks are put right that were an hour ahead, and convicts nobody', async () => {
    const { clock, kept, read, record } = await world()
    clock.now += 3_600_000
    await read(record)
    clock.now -= 3_590_000
    await expect(read(record)).resolves.toMatchObject({ chain: record })
    expect(kept).toEqual([])
  })

  it('keeps no promise that says another time, with which its own block was acknowledged', async () => {
    for (const [ms, isKept] of [
      [-120_001, false],
      [-120_000, true],
      [120_000, true],
      [120_001, false],
    ] as const) {
      const { appendBeforeAnother, seen } = await world()
      const height = await appendBeforeAnother(ms)
      const { earlier = [] } = (await seen()) ?? {}
      expect(earlier.map((statement) => parseHead(statement).head.height).includes(height)).toBe(isKept)
    }
  })
})
