// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { asDeploymentId, type BlockId, type ChainId } from '#core/bytes/ids.ts'
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
  }
}

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

  it('keeps nothing where an old statement is shown again: that is no contradiction', async () => {
    const { clock, kept, read, record } = await world()
    const time = toTimestamp(clock.now - 1)
    await expect(read(record, (head) => ({ ...head, time }))).rejects.toThrow(/^rule rolled-back: [^;]*$/)
    expect(kept).toEqual([])
    await expect(read(record)).resolves.toMatchObject({ chain: record })
  })
})
