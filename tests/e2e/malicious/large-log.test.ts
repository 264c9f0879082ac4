// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { encodeLeaf } from '#core/block/leaf.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { sha256 } from '#core/crypto/hash.ts'
import { MAX_EVIDENCE_ENTRIES, parseEvidence } from '#core/evidence/format.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import { formatNote } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { EMPTY_EDGE, rootOf } from '#core/log/tile/grow.ts'
import { addEntries } from '#core/server/sequence/commit.ts'
import { ENTRY, maliciousHome } from './home.ts'

/** What is kept of a block that is not logged, where the log has so many entries, and its reader knew it for so long. */
const keptOfLarge = async (size: number, knownForMs: number) => {
  const home = await maliciousHome()
  const { connection, kept } = home.reader()
  await readReceipts(connection, await connection.replica(home.record))
  home.clock.now += knownForMs
  await home.author.append(home.record, [ENTRY])
  await connection.replica(home.record)
  home.clock.now += 182_000
  const honest = await home.entries()
  const stranger = (_: unknown, i: number) =>
    encodeLeaf({ label: sha256(utf8(`label ${i}`)), hash: new Uint8Array(32) })
  const entries = [...honest, ...Array.from({ length: size - honest.length }, stranger)]
  const { edge, files } = addEntries({ edge: EMPTY_EDGE, tail: [] }, entries)
  const served = new Map(files.map(({ path, bytes }) => [`/log/${path}`, bytes]))
  const checkpoint = { origin: 'home.test/log', size, root: rootOf(edge), extensions: [] }
  const seconds = Math.floor(home.clock.now / 1000)
  const note = formatNote(await signCheckpoint(checkpoint, await home.signers(), seconds))
  home.answer = (request) => {
    const { pathname } = new URL(request.url)
    if (pathname === '/log/checkpoint') return Promise.resolve(new Response(note))
    const bytes = served.get(pathname)
    return bytes ? Promise.resolve(new Response(new Uint8Array(bytes))) : null
  }
  await readReceipts(connection, await connection.replica(home.record))
  const [file] = kept
  const evidence = file && parseEvidence(file)
  return {
    proves: file ? (await verifyEvidence(file, home.pins)).proves : null,
    begins: evidence?.kind === 'promise' ? evidence.from !== null : null,
  }
}

describe('a client of a home that breaks a promise and has a large log', () => {
  const proves = expect.stringMatching(/stated height 3 of chain .* has no entry for it/)
  const none = { proves: null, begins: null }

  it.each([
    ['the whole of a log that fits into a file', 1000, 300_000, { proves, begins: false }],
    ['a tree on that it knew before the block', MAX_EVIDENCE_ENTRIES + 3, 300_000, { proves, begins: true }],
    ['no tree that may hold the block', MAX_EVIDENCE_ENTRIES + 3, 240_000, none],
    ['no tree that is too far back', MAX_EVIDENCE_ENTRIES + 300, 300_000, none],
  ] as const)(
    'keeps evidence from %s',
    async (_, size, knownForMs, kept) => {
      expect(await keptOfLarge(size, knownForMs)).toEqual(kept)
    },
    120_000,
  )
})
