// SPDX-License-Identifier: Apache-2.0
import { beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { BlockId } from '#core/bytes/ids.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { AmpereError } from '#core/errors.ts'
import { evidenceOfCheckpoints } from '#core/evidence/build.ts'
import { formatVerifierKey, logSigner } from '#core/log/note/key.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { parseTlogProof } from '#core/log/tlog-proof.ts'
import { monitoredWorld } from '#tests/core/client/complete/monitored-world.ts'
import { attacksOn, collidingSigners, withBadSignature, type Outcome } from './attack.ts'
import {
  ENTRY,
  givingReceipts,
  LOG,
  maliciousHome,
  receiptAt,
  stating,
  type MaliciousHome,
  type Reader,
} from './home.ts'

const attack = attacksOn('client')

/** One home for attacks that change only what it answers, each to a reader of its own. */
let receipted: MaliciousHome
beforeAll(async () => {
  receipted = await maliciousHome()
})
beforeEach(() => {
  receipted.answer = null
})

/** The rule or code of what is thrown. */
async function thrown(doing: () => unknown): Promise<string> {
  try {
    await doing()
    return 'nothing'
  } catch (error) {
    if (!(error instanceof AmpereError)) throw error
    return /^rule [a-z-]+/.exec(error.message)?.[0] ?? error.code
  }
}

function leaving(called: string, { pins }: MaliciousHome, [bytes]: readonly Uint8Array[]): Outcome {
  return bytes ? { called, evidence: { bytes, pins } } : { called }
}

/** What a reader says of the receipts of the record. */
async function read(home: MaliciousHome, { connection }: Reader) {
  const view = await readReceipts(connection, await connection.replica(home.record))
  const called = (view?.problems ?? []).map(({ status, rule }) => `${status} ${rule}`)
  return { called: called.join(', '), statuses: view?.statuses ?? [] }
}

/** What is said of a receipt of block 1 that the home makes up. */
async function ofReceipt(
  make: (home: MaliciousHome, entries: readonly Uint8Array[], index: number) => Promise<string>,
): Promise<Outcome> {
  const home = receipted
  const entries = await home.entries()
  home.answer = givingReceipts({ 1: await make(home, entries, home.places[1]) })
  const reader = home.reader()
  return leaving((await read(home, reader)).called, home, reader.kept)
}

describe('a client of a malicious home', () => {
  attack('is shown an older head than it has seen, as if it were the newest', async () => {
    const home = await maliciousHome()
    const { connection, kept } = home.reader()
    await connection.replica(home.record)
    home.clock.now += 121_000
    home.answer = stating(home, (head) => ({ ...head, height: head.height - 1 }))
    return leaving(await thrown(() => connection.replica(home.record)), home, kept)
  })

  attack('is shown another block at a height that it has seen', async () => {
    const home = receipted
    const { connection, kept } = home.reader()
    await connection.replica(home.record)
    home.answer = stating(home, (head) => ({ ...head, block: 'A'.repeat(43) as BlockId }))
    return leaving(await thrown(() => connection.replica(home.record)), home, kept)
  })

  /** Receipts of a log in which the last two blocks of the record have changed places. */
  const outOfOrder = async () => {
    const home = receipted
    const entries = [...(await home.entries())]
    const [genesis, one, two] = home.places
    const swapped = entries.map((entry, i) => entries[i === one ? two : i === two ? one : i] ?? entry)
    const note = await home.sign(swapped)
    home.answer = givingReceipts({
      0: receiptAt(swapped, genesis, note),
      1: receiptAt(swapped, two, note),
      2: receiptAt(swapped, one, note),
    })
    return home
  }

  attack('is given receipts of a log that has a chain out of the order of its heights', async () => {
    const home = await outOfOrder()
    const reader = home.reader()
    return leaving((await read(home, reader)).called, home, reader.kept)
  })

  attack('is given such receipts in an export', async () => {
    const home = await outOfOrder()
    const bytes = await exportRecord(home.reader().connection, home.record)
    const kept: Uint8Array[] = []
    const { problems } = await verifyExport(bytes, {
      policy: home.policy,
      evidence: async (file) => `file ${kept.push(file)}`,
    })
    return leaving(problems.map(({ status, rule }) => `${status} ${rule}`).join(', '), home, kept)
  })

  attack('is given receipts of two trees that have different leaves at one index', async () => {
    const home = receipted
    const entries = await home.entries()
    const [, one, two] = home.places
    // Of another size, so that only the leaves tell.
    const other = entries.map((entry, i) => (i === one ? (entries[two] ?? entry) : entry)).slice(0, -1)
    home.answer = givingReceipts({ 2: receiptAt(other, one, await home.sign(other)) })
    const reader = home.reader()
    return leaving((await read(home, reader)).called, home, reader.kept)
  })

  /** A tree in which an entry that is of no block of the record is another, and which ends so many leaves earlier. */
  const another = async (home: MaliciousHome, shorter = 0) => {
    const entries = await home.entries()
    const strange = entries.findIndex((_, i) => !home.places.includes(i))
    const other = entries
      .map((entry, i) => (i === strange ? new Uint8Array(entry.length) : entry))
      .slice(0, entries.length - shorter)
    const note = await home.sign(other)
    return (height: 0 | 1 | 2) => receiptAt(other, home.places[height], note)
  }
  /** What is said of every block alike. */
  const alike = (called: string) => [...new Set(called.split(', '))].join()

  attack('is given receipts of two trees of one size with different roots', async () => {
    const home = receipted
    home.answer = givingReceipts({ 1: (await another(home))(1) })
    const reader = home.reader()
    const { called } = await read(home, reader)
    expect(called.split(', ')).toHaveLength(3)
    return leaving(alike(called), home, reader.kept)
  })

  attack('is given such trees in an export', async () => {
    const home = receipted
    home.answer = givingReceipts({ 1: (await another(home))(1) })
    const bytes = await exportRecord(home.reader().connection, home.record)
    const kept: Uint8Array[] = []
    const { problems, statuses } = await verifyExport(bytes, {
      policy: home.policy,
      evidence: async (file) => `file ${kept.push(file)}`,
    })
    expect(statuses).toEqual(['forked', 'forked', 'forked'])
    return leaving(alike(problems.map(({ status, rule }) => `${status} ${rule}`).join(', ')), home, kept)
  })

  attack('is given one of such trees in one chain, and the other in another', async () => {
    const home = receipted
    const reader = home.reader()
    const access = (await home.author.replica(home.record)).link.state.access ?? home.record
    const other = await another(home)
    home.answer = (request, next) =>
      request.url.includes(home.record)
        ? (givingReceipts({ 0: other(0), 1: other(1), 2: other(2) })?.(request, next) ?? null)
        : null
    expect((await read(home, reader)).called).toBe('')
    const { connection } = reader
    const view = await readReceipts(connection, await connection.replica(access))
    const called = (view?.problems ?? []).map(({ status, rule }) => `${status} ${rule}`)
    return leaving(alike(called.join(', ')), home, reader.kept)
  })

  attack(
    'is given receipts of two trees of different sizes of which neither continues the other',
    async () => {
      const home = receipted
      home.answer = givingReceipts({ 1: (await another(home, 1))(1) })
      const reader = home.reader()
      return leaving((await read(home, reader)).called, home, reader.kept)
    },
  )

  attack(
    'is given a receipt of a tree that no witness saw, while another is given one of its like',
    async () => {
      const home = receipted
      const entries = await home.entries()
      const honest = parseTlogProof(home.receipts[2] ?? '').note
      const strange = entries.findIndex((_, i) => !home.places.includes(i))
      const other = entries.map((entry, i) => (i === strange ? new Uint8Array(entry.length) : entry))
      const note = await home.sign(other)
      home.answer = givingReceipts(home.places.map((index) => receiptAt(other, index, note)))
      const { called, statuses } = await read(home, home.reader())
      const log = home.pins.logs
      const bytes = evidenceOfCheckpoints({ origin: LOG, log }, [honest, note], { how: 'root' })
      return {
        called: called === '' && statuses[1] === 'logged' ? 'logged, not witnessed' : called,
        evidence: { bytes, pins: home.pins },
      }
    },
  )

  attack('is given a receipt under a stale checkpoint, which does not hold the block', () =>
    ofReceipt(async (home, entries, index) => {
      const note = await home.sign(entries.slice(0, index))
      return `${receiptAt(entries, index, note).split('\n\n')[0]}\n\n${note}`
    }),
  )

  attack('is given a receipt under a checkpoint of another origin', () =>
    ofReceipt(async (home, entries, index) => {
      const other = logSigner('other.test/log', 'Ed25519', await home.base.signer('log'))
      return receiptAt(entries, index, await home.sign(entries, [other]))
    }),
  )

  attack('is given a receipt of another block, whose label is not its own', () =>
    ofReceipt(async (home, entries, index) => receiptAt(entries, index + 1, await home.sign(entries))),
  )

  attack('is given a checkpoint with a bad signature by a known key beside a good one', () =>
    ofReceipt(async (home, entries, index) =>
      receiptAt(entries, index, withBadSignature(await home.sign(entries), 1)),
    ),
  )

  attack('is given a checkpoint signed by another key with the same name and key ID', async () => {
    const home = receipted
    const [pinned, other] = await collidingSigners('home.test/log')
    const policy = parsePolicy(`log ${formatVerifierKey(pinned.key)}\nquorum none\n`)
    const entries = await home.entries()
    const statuses: string[] = []
    for (const signer of [pinned, other]) {
      const note = await home.sign(entries, [signer])
      home.answer = givingReceipts(home.places.map((index) => receiptAt(entries, index, note)))
      statuses.push((await read(home, home.reader(policy))).called)
    }
    // By the pinned key all is well: it is the key that is refused, and nothing else.
    return { called: statuses[0] === '' ? [...new Set(statuses[1]?.split(', '))].join() : 'refused always' }
  })

  attack('is given a policy with two keys of one name and key ID', async () => {
    const lines = (await collidingSigners('home.test/log')).map(
      ({ key }) => `log ${formatVerifierKey(key)}\n`,
    )
    return { called: await thrown(() => parsePolicy(`${lines.join('')}quorum none\n`)) }
  })

  attack('is promised that a block is logged, and it is not', async () => {
    const home = await maliciousHome()
    const reader = home.reader()
    await home.author.append(home.record, [ENTRY])
    await reader.connection.replica(home.record)
    home.clock.now += 181_000
    const note = await home.sign(await home.entries())
    home.answer = (request) =>
      request.url.endsWith('/log/checkpoint') ? Promise.resolve(new Response(note)) : null
    return leaving((await read(home, reader)).called, home, reader.kept)
  })
})

describe('a client of a home that its monitors know', () => {
  attack('is shown a record without its end, which monitors have', async () => {
    const made = await monitoredWorld()
    await made.settle()
    let head: string | null = null
    await made.ask({
      fetch: async (request) => {
        const answer = await made.world.fetch(request)
        if (request.url.endsWith('/head')) head = await answer.clone().text()
        return answer
      },
    })
    await made.append('held back')
    await made.settle()
    const { why } = await made.ask({
      fetch: async (request) =>
        request.url.endsWith('/head') && head !== null
          ? new Response(head, { headers: { 'content-type': 'application/json' } })
          : made.world.fetch(request),
    })
    return { called: why ?? 'complete' }
  })

  attack('is told by monitors of a tree from before the newest block', async () => {
    const made = await monitoredWorld()
    await made.settle()
    await made.append('not seen by monitors')
    await made.world.tendLog()
    return { called: (await made.ask()).why ?? 'complete' }
  })
})
