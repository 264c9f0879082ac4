// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { judgeBlocks } from '#core/client/receipt/judge-blocks.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { logKeysOf, witnessedWorld, type WitnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { collude, forgery, revokedScene } from '#tests/e2e/revoked-scene.ts'
import { ORIGIN } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

interface Scene extends WitnessedWorld {
  readonly a: Connection
  readonly record: ChainId
}

/** A record with a genesis, its grants and one entry, in a home with two witnesses of which one must cosign. */
async function scene(): Promise<Scene> {
  const witnessed = await witnessedWorld(['w1', 'w2'], 1)
  const { world, policy } = witnessed
  const a = world.connect('hospital-a', { policy })
  const { record } = await createRecord(a, HOME, ['general'])
  await a.append(record, [entry('one')])
  return { ...witnessed, a, record }
}

async function receiptsOf(connection: Connection, record: ChainId) {
  const view = await readReceipts(connection, await connection.replica(record))
  if (!view) throw new Error('a policy is expected')
  return view
}

/** What is said of a record by a reader whose home answers as `twisted` does. */
async function seenThrough(
  { world, policy, record }: Scene,
  twisted: (request: Request, next: Fetch) => ReturnType<Fetch>,
) {
  const fetch: Fetch = (request) => twisted(request, world.fetch)
  const { statuses, problems } = await receiptsOf(world.connect('hospital-a', { policy, fetch }), record)
  return { statuses, problems: problems.map(({ height, status, rule }) => `${height} ${status} ${rule}`) }
}
const isReceipt = (request: Request, height: number) =>
  request.url.includes('/v1/receipts/') && request.url.endsWith(`height=${height}`)

describe('the status of a block by its receipt', () => {
  it('is promised, then witnessed; logged for a verifier that trusts no witness; and without a policy nobody judges', async () => {
    const { world, a, record } = await scene()
    expect((await receiptsOf(a, record)).statuses).toEqual(Array.from({ length: 3 }, () => 'promised'))
    await world.tendLog()
    const { statuses, receipts, problems } = await receiptsOf(a, record)
    expect([statuses, problems]).toEqual([Array.from({ length: 3 }, () => 'witnessed'), []])
    expect(receipts.map((receipt) => receipt?.index)).toEqual(
      receipts.map((_, i) => (receipts[0]?.index ?? -1) + i),
    )
    const keys = (await logKeysOf(world.platform)).map(formatVerifierKey)
    const alone = parsePolicy([...keys.map((key) => `log ${key}\n`), 'quorum none\n'].join(''))
    const trusting = world.connect('hospital-a', { policy: alone })
    expect(new Set((await receiptsOf(trusting, record)).statuses)).toEqual(new Set(['logged']))
    const naive = world.connect('hospital-a')
    expect(await readReceipts(naive, await naive.replica(record))).toBeNull()
  })

  it('is overdue once the home has not logged what it promised', async () => {
    const { world, a, record } = await scene()
    world.clock.now += 180_000
    expect((await receiptsOf(a, record)).problems).toEqual([])
    world.clock.now += 1
    const { statuses, problems } = await receiptsOf(a, record)
    expect(new Set(statuses)).toEqual(new Set(['overdue']))
    expect(problems.map(({ height, rule }) => `${height} ${rule}`)).toEqual([
      '0 promise',
      '1 promise',
      '2 promise',
    ])
  })

  it('is judged with the label key of its own epoch, also after a rotation', async () => {
    const { world, a, record } = await scene()
    await rotateChain(a, record)
    await a.append(record, [entry('two')])
    await world.tendLog()
    const { statuses, problems } = await receiptsOf(a, record)
    expect([statuses.length, new Set(statuses), problems]).toEqual([5, new Set(['witnessed']), []])
  })
})

describe('a receipt that a home makes up', () => {
  it('is found: of another block, of a changed byte, of another log, or out of order', async () => {
    const made = await scene()
    const { world, record, a } = made
    await world.tendLog()
    const { notes } = await a.replica(record)
    const texts = await Promise.all(notes.map(({ id, height }) => a.api.receipt(record, id, height)))
    const answering = (height: number, text: string) =>
      seenThrough(made, async (request, next) =>
        isReceipt(request, height) ? new Response(text) : next(request),
      )
    const own = texts[1] ?? ''
    const [, label = '', index = ''] = own.split('\n')
    const [, otherLabel = ''] = (texts[2] ?? '').split('\n')
    const cases: [string, string][] = [
      [texts[2] ?? '', 'label'],
      [own.replace(label, otherLabel), 'label'],
      [(texts[2] ?? '').replace(otherLabel, label), 'receipt'],
      [own.replace(index, 'index 0'), 'receipt'],
      [own.replace(`${label}\n`, ''), 'label'],
      [own.replace(/— [^\n]*\n/g, ''), 'receipt'],
      [own.replace(/\/log\n/, '/lag\n'), 'receipt'],
      ['hello', 'receipt'],
    ]
    for (const [text, rule] of cases) {
      expect(await answering(1, text)).toEqual({
        statuses: ['witnessed', 'promised', 'witnessed'],
        problems: [`1 tampered ${rule}`],
      })
    }
    // A reader without label keys takes the label from the receipt, and still wants the block's own hash.
    const changed = await answering(
      1,
      own.replace(
        /([A-Za-z0-9+/])(=\n)/,
        (_, last: string, end: string) => `${last === 'A' ? 'E' : 'A'}${end}`,
      ),
    )
    expect(changed.problems).toHaveLength(1)
    expect((await answering(1, own)).problems).toEqual([])
  })

  it('is refused when its log orders the blocks of a chain otherwise than their heights', async () => {
    const { world, policy } = await witnessedWorld(['w1'], 1)
    const context = {
      chain: 'c' as never,
      home: 'https://new.example',
      judge: {
        hasQuorum: false,
        judge: async (text: string) => ({
          level: 'logged' as const,
          index: Number(text),
          size: 9,
          seenMs: null,
          signedMs: [],
          sinceMs: null,
          byMs: null,
          tree: { size: 9, root: new Uint8Array(32), note: '' },
        }),
      },
      records: (await world.home.registry.refresh()).newest(),
      registryReceipt: () => Promise.reject(new RangeError('no key was revoked')),
      nowMs: world.clock.now,
      delayed: [],
    }
    expect(policy.logs).toHaveLength(2)
    const time = toTimestamp(world.clock.now)
    const block = (height: number, index: number, home = 'https://new.example') => ({
      height,
      home,
      time,
      kid: 'k' as never,
      hash: new Uint8Array(32),
      labelKey: null,
      receipt: String(index),
      grantEnds: null,
    })
    const { problems } = await judgeBlocks(context, [
      block(0, 3),
      block(1, 5),
      block(2, 4),
      block(3, 5),
      block(4, 6),
    ])
    expect(problems.map(({ height, rule }) => `${height} ${rule}`)).toEqual(['2 leaf-order', '3 leaf-order'])
    const old = 'https://old.example'
    const moved = await judgeBlocks(context, [block(0, 7, old), block(1, 6, old), block(2, 2), block(3, 2)])
    expect(moved.problems.map(({ height, rule }) => `${height} ${rule}`)).toEqual([
      '1 leaf-order',
      '3 leaf-order',
    ])
  })
})

describe('a revoked key and the log', () => {
  it('makes late what was logged after its revocation, though it names the head and a time from before', async () => {
    const { world, policy } = await witnessedWorld(['w1', 'w2'], 1)
    const at = await revokedScene(world)
    await world.tendLog()
    await collude(at, await forgery(at, { registry: at.before }))
    // Any block after it brings the chain to the log, with the forged one.
    await at.a.append(at.record, [entry('two')])
    await world.tendLog()
    const { statuses, problems } = await receiptsOf(world.connect('hospital-a', { policy }), at.record)
    expect(statuses).toEqual(['witnessed', 'witnessed', 'witnessed', 'late', 'witnessed'])
    expect(problems).toMatchObject([{ height: 3, status: 'late', rule: 'revoked' }])
  })

  it('makes suspect what no witness saw before the time that the revocation names', async () => {
    const { world, policy, clock } = await witnessedWorld(['w1'], 1)
    const suspectFrom = toTimestamp(clock.now + 60_000)
    const second = world.institution('hospital-a').second
    const a = world.connect('hospital-a', { policy })
    const b = world.connect('hospital-a', { policy, signer: second })
    const { record } = await createRecord(a, HOME, ['general'])
    await b.append(record, [entry('seen before')])
    await world.tendLog()
    await b.append(record, [entry('promised before, seen after')])
    clock.now += 60_000
    await world.tendLog()
    await b.append(record, [entry('after')])
    await a.append(record, [entry('by another key')])
    await world.tendLog()
    clock.now += 1000
    await world.change('hospital-a', [{ act: 'revoke', kid: second.kid, reason: 'compromised', suspectFrom }])
    await world.tendLog()
    const { statuses, problems } = await receiptsOf(world.connect('hospital-a', { policy }), record)
    expect(statuses.slice(2)).toEqual(['witnessed', 'suspect', 'suspect', 'witnessed'])
    expect(problems).toEqual([])
  })
})
