// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { asChainId, asDigest, type ChainId } from '#core/bytes/ids.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { select } from '#core/ports/needs.ts'
import { READER_NEEDS } from '#core/server/read/read-chain.ts'
import { logReceiptFinder } from '#core/server/read/receipt.ts'
import { NEW_HOME, OLD_ORIGIN } from './moved-world.ts'
import { expectedOfMoved } from '#tests/vectors/ampere/generate-moved.ts'
import { takenOver, type Taken } from '#tests/vectors/ampere/moved/taken-over.ts'
import { movedRecord, type MovedExport } from '#tests/vectors/ampere/moved/moved-record.ts'
import {
  fileOf,
  linesOf,
  withReceipt,
  type Line,
  type Mutation,
} from '#tests/core/client/receipt/export-mutations.ts'

const FOLDER = new URL('../../../vectors/ampere/moved/', import.meta.url)
const file = (name: string) => readFileSync(new URL(name, FOLDER))
const expected = JSON.parse(file('expected.json').toString()) as Record<string, unknown>
const frozenPolicy = parsePolicy(file('policy.txt').toString())

describe('the frozen export of a record that moved', () => {
  it('is judged by a policy that pins both logs as it must be', async () => {
    const registry = asDigest(String(expected['registry']))
    const judged = await verifyExport(file('export.ampere'), { registry, policy: frozenPolicy })
    expect(expectedOfMoved(judged)).toEqual(expected['underPolicy'])
    expect(judged.asOf).toBe(expected['asOf'])
    const lines = linesOf(file('export.ampere').toString())
    const other = fileOf(withReceipt(8, String(expected['oldReceipt']))(lines))
    const { problems } = await verifyExport(other, { registry, policy: frozenPolicy })
    expect(problems).toMatchObject([{ height: 8, status: 'tampered', rule: 'receipt' }])
  })
})

describe('an export of a record that moved', () => {
  let made: MovedExport
  let lines: readonly Line[]
  const judged = (mutation: Mutation = (all) => all, policy = made.policy) =>
    verifyExport(fileOf(mutation(lines)), { registry: made.registry, policy: parsePolicy(policy) })
  beforeAll(async () => {
    made = await movedRecord()
    lines = linesOf(fromUtf8(made.bytes))
  })

  it('is judged as the frozen one is', async () => {
    const { statuses, problems, erasures } = expectedOfMoved(await judged())
    expect(expected['underPolicy']).toMatchObject({ statuses, problems, erasures })
  })

  it('has no receipts but those of the log that a policy pins, where it pins one of both', async () => {
    const without = (origin: string) =>
      made.policy
        .split('\n')
        .filter((line) => !line.startsWith(`log ${origin}`))
        .join('\n')
    const wrong = async (origin: string) =>
      (await judged((all) => all, without(origin))).problems.map(({ height, rule }) => `${height} ${rule}`)
    const heights = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, i) => `${from + i} receipt`)
    // And so nobody saw how long the erasure at 7 waited.
    expect(await wrong('home.test/log')).toEqual([...heights(0, 7), '7 delay-unseen'])
    // The registry is in the new log, with the revocation: without its key the file is refused.
    await expect(wrong('new.test/log')).rejects.toMatchObject({
      message: expect.stringContaining('rule receipt'),
    })
  })

  it('does not count the receipt that the old log has for the rehome', async () => {
    const { problems, statuses } = await judged(withReceipt(8, made.old.rehome))
    expect(problems).toMatchObject([{ height: 8, status: 'tampered', rule: 'receipt' }])
    expect(statuses[8]).toBe('tampered')
  })

  it('does not count the receipt that the new log has for a block from before', async () => {
    const text = await newReceipt(made, chainOf(lines), 7)
    const { problems } = await judged(withReceipt(7, text))
    expect(problems).toMatchObject([
      { height: 7, rule: 'receipt' },
      { height: 7, rule: 'delay-unseen' },
    ])
  })

  it('is not late by its place in another log than that of the revocation', async () => {
    const { statuses } = await judged()
    const { log } = await judged()
    const index = log?.receipts[5]?.index ?? 0
    const placed = lines.find((line) => 'registryReceipt' in line)
    const revoked = Number(/index (\d+)/.exec(String(placed?.['registryReceipt']))?.[1])
    // The comparison that must not be made would say so.
    expect(index).toBeGreaterThan(revoked)
    expect(statuses[5]).toBe('witnessed')
  })

  it('asks the home that was left for its statement, until its deployment is retired', async () => {
    const { world } = made.world
    const owing = async () => {
      const bytes = await exportRecord(await made.world.at('hospital-a'), chainOf(lines))
      return (await verifyExport(bytes, { registry: made.registry })).erasures.map((erasure) => erasure.owing)
    }
    const bridges = ['bridge:hospital-a', 'bridge:hospital-b']
    expect(await owing()).toEqual([bridges, [OLD_ORIGIN, ...bridges]])
    const { kid } = await world.platform.signer('head')
    await world.change('hospital-a', [{ act: 'revoke', kid, reason: 'retired', suspectFrom: null }])
    await made.world.receive()
    expect(await owing()).toEqual([bridges, bridges])
  })
})

describe('erasures of a record that moved', () => {
  let taken: Taken
  beforeAll(async () => {
    taken = await takenOver()
  })
  const progress = async (bytes: Uint8Array) =>
    (await verifyExport(bytes, { registry: taken.registry })).erasures[1]

  it('are not stated for the home that was left by another deployment that has its origin now', async () => {
    expect(await progress(taken.stated)).toMatchObject({
      stated: [NEW_HOME.origin],
      owing: expect.arrayContaining([OLD_ORIGIN]),
    })
  })

  it('are never over without the home where the chain is, whichever of its keys was retired', async () => {
    expect((await progress(taken.retired))?.stated).toEqual([NEW_HOME.origin])
  })
})

const chainOf = (lines: readonly Line[]) => asChainId(String(lines[0]?.['chain']))

/** The receipt that the new log has for a block which it logged again. */
async function newReceipt({ world: { platform, policy } }: MovedExport, chain: ChainId, height: number) {
  const { tables, objects } = await select(platform, READER_NEEDS)
  const found = await logReceiptFinder({ tables, objects }, policy)(chain, height)
  return found?.proof ?? ''
}
