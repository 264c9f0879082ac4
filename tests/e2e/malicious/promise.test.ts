// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { asInstitutionId, type ChainId } from '#core/bytes/ids.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import type { Signer } from '#core/ports/keys.ts'
import { memorySeen } from '#tests/deployment.ts'
import { collidingSigners } from './attack.ts'
import { ENTRY, HOME, maliciousHome, type MaliciousHome, type Reader } from './home.ts'

describe('a client of a home that breaks a promise', () => {
  /** What is kept of the newest block, overdue by three minutes, where the home publishes these entries. */
  const keptOf = async (publish: (home: MaliciousHome) => Promise<string>) => {
    const home = await maliciousHome()
    const reader = home.reader()
    await home.author.append(home.record, [ENTRY])
    await reader.connection.replica(home.record)
    home.clock.now += 181_000
    const note = await publish(home)
    home.answer = (request) =>
      request.url.endsWith('/log/checkpoint') ? Promise.resolve(new Response(note)) : null
    const view = await readReceipts(reader.connection, await reader.connection.replica(home.record))
    const called = (view?.problems ?? []).map(({ status, rule }) => `${status} ${rule}`)
    return [called.join(', '), reader.kept.length]
  }
  const late = async (home: MaliciousHome) => home.sign(await home.entries())

  it('keeps no evidence where what the home publishes does not convict it', async () => {
    expect(await keptOf(late)).toEqual(['overdue promise', 1])
    const early = (home: MaliciousHome) => {
      home.clock.now -= 181_000
      return late(home).finally(() => (home.clock.now += 181_000))
    }
    // Signed before the promise was due, signed by nobody who is pinned, of other entries, or not readable at all.
    expect(await keptOf(early)).toEqual(['overdue promise', 0])
    const stranger = async (home: MaliciousHome) =>
      home.sign(await home.entries(), [(await collidingSigners('home.test/log'))[1]])
    expect(await keptOf(stranger)).toEqual(['overdue promise', 0])
    const other = async (home: MaliciousHome) => home.sign((await home.entries()).toReversed())
    expect(await keptOf(other)).toEqual(['overdue promise', 0])
    expect(await keptOf(async () => 'nonsense')).toEqual(['overdue promise', 0])
  })

  /** What a reader keeps of the lowest block that is overdue, after acts of its own on a record that it read before. */
  const keptAfter = async (
    ...acts: readonly ((at: Reader, record: ChainId, second: Signer) => Promise<unknown>)[]
  ) => {
    const home = await maliciousHome(['hospital-a', 'hospital-b'])
    const { second } = home.world.institution('hospital-a')
    const reader = home.reader()
    const { connection, kept } = reader
    await connection.replica(home.record)
    for (const act of acts) {
      home.clock.now += 1000
      await act(reader, home.record, second)
      await connection.replica(home.record)
    }
    home.clock.now += 181_000
    const note = await late(home)
    home.answer = (request) =>
      request.url.endsWith('/log/checkpoint') ? Promise.resolve(new Response(note)) : null
    const view = await readReceipts(connection, await connection.replica(home.record))
    const said = (view?.problems ?? []).map(({ height, rule, detail }) => `${height} ${rule} ${detail}`)
    const proofs = await Promise.all(kept.map((bytes) => verifyEvidence(bytes, home.pins)))
    return {
      said: said.map((text) =>
        text.replace(/ the home promised.*; evidence/, ' evidence').replace(/ the home promised.*/, ''),
      ),
      proves: proofs.map(({ proves }) => /stated height \d+/.exec(proves)?.[0]),
    }
  }
  const B = asInstitutionId('hospital-b')
  const grant = ({ connection }: Reader, record: ChainId) =>
    shareRecord(connection, record, { institution: B, rights: ['append', 'read'] })
  const revoke = ({ connection }: Reader, record: ChainId) => changeChain(connection, record, { revoke: [B] })
  const rotate = ({ connection }: Reader, record: ChainId) => rotateChain(connection, record)
  const file = ({ connection }: Reader, record: ChainId) => connection.append(record, [ENTRY])
  const erase = async ({ connection }: Reader, record: ChainId, second: Signer) => {
    const { opened } = await connection.read(record)
    const { signer } = connection.ports.identity
    const erasure = { scope: 'entries', entries: opened.slice(0, 1), ground: 'misfiled' } as const
    await requestErasure(connection, record, erasure, { instances: [signer, second] })
  }
  const cancel = ({ connection }: Reader, record: ChainId) => settleErasure(connection, record, 3, 'cancel')

  it.each([
    ['an entry', [file], ['3']],
    ['a grant', [grant], ['3']],
    ['a revocation, with its new epoch', [grant, revoke], ['3', '4']],
    ['a rotation', [rotate], ['3']],
    ['an erasure', [erase], ['3']],
    ['an erasure that is cancelled', [erase, cancel], ['3', '4']],
    ['a rotation with entries on top of it', [rotate, file, file, file, file], ['3', '4', '5', '6', '7']],
  ] as const)('keeps evidence of %s that is not logged, whatever came after', async (_, acts, overdue) => {
    const { said, proves } = await keptAfter(...acts)
    expect(proves).toEqual(['stated height 3'])
    expect(said).toEqual(
      overdue.map((height) => `${height} promise${height === '3' ? ' evidence is kept as file 1' : ''}`),
    )
  })

  it('keeps evidence of a genesis that is not logged', async () => {
    const home = await maliciousHome()
    const { connection, kept } = home.reader()
    const { record } = await createRecord(connection, HOME, ['general'])
    home.clock.now += 181_000
    const note = await late(home)
    home.answer = (request) =>
      request.url.endsWith('/log/checkpoint') ? Promise.resolve(new Response(note)) : null
    const view = await readReceipts(connection, await connection.replica(record))
    expect(view?.problems.map(({ height }) => height)).toEqual([0, 1])
    const proved = await Promise.all(kept.map((bytes) => verifyEvidence(bytes, home.pins)))
    expect(proved).toMatchObject([
      { kind: 'promise', proves: expect.stringMatching(/stated height 0 of chain/) },
    ])
  })

  it('keeps evidence by the statement that came with its own block, though another block came before it read again', async () => {
    const home = await maliciousHome()
    const reader = home.reader()
    await reader.connection.replica(home.record)
    home.answer = (request, next) =>
      request.method === 'POST'
        ? next(request).then(async (response) => {
            await home.author.append(home.record, [ENTRY])
            return response
          })
        : null
    await rotateChain(reader.connection, home.record)
    home.clock.now += 181_000
    const note = await late(home)
    home.answer = (request) =>
      request.url.endsWith('/log/checkpoint') ? Promise.resolve(new Response(note)) : null
    await readReceipts(reader.connection, await reader.connection.replica(home.record))
    const proved = await Promise.all(reader.kept.map((bytes) => verifyEvidence(bytes, home.pins)))
    expect(proved).toMatchObject([{ proves: expect.stringMatching(/stated height 3/) }])
  })

  it('keeps evidence of a lower block also after a restart, and none of one whose statement nobody has', async () => {
    const home = await maliciousHome()
    const seen = memorySeen()
    const { connection } = home.reader(undefined, seen)
    await rotateChain(connection, home.record)
    await connection.append(home.record, [ENTRY])
    home.clock.now += 181_000
    const note = await late(home)
    home.answer = (request) =>
      request.url.endsWith('/log/checkpoint') ? Promise.resolve(new Response(note)) : null
    const restarted = home.reader(undefined, seen)
    const stranger = home.reader()
    for (const { connection: again } of [restarted, stranger])
      await readReceipts(again, await again.replica(home.record))
    const [bytes = new Uint8Array(0)] = restarted.kept
    expect((await verifyEvidence(bytes, home.pins)).proves).toMatch(/stated height 3/)
    // The stranger's first statement is of now: it is not due.
    expect([restarted.kept.length, stranger.kept.length]).toEqual([1, 0])
  })
})
