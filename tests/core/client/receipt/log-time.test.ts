// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { oddLogTime } from '#core/client/receipt/rules/log-time.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { logOriginOf } from '#core/api/log.ts'
import { signCheckpointText } from '#core/log/note/cosignature.ts'
import { logSigner } from '#core/log/note/key.ts'
import { formatNote, parseNote } from '#core/log/note/note.ts'
import { formatTlogProof, parseTlogProof } from '#core/log/tlog-proof.ts'
import { witnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const LOG = logOriginOf(ORIGIN)

/**
 * A witnessed record, read by somebody whose home's log says in its receipts that it signed at another time.
 * @param saidAt from the time of the home, in milliseconds; null leaves that signature out
 */
async function seenAs(saidAt: ((nowMs: number) => number) | null) {
  const { world, policy, clock } = await witnessedWorld(['w1', 'w2'], 1)
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  await a.append(record, [{ header: utf8('{}'), content: utf8('one'), compartment: 'general' }])
  await world.tendLog()
  const signer = logSigner(LOG, 'cosignature-ML-DSA-44', await world.platform.signer('log-quantum'))
  const seconds = saidAt && Math.floor(saidAt(clock.now) / 1000)
  const signedAnew = async (note: string) => {
    const { text, signatures } = parseNote(note)
    const others = signatures.filter(({ name, id }) => name !== LOG || id !== signer.key.id)
    const own = seconds === null ? [] : [await signCheckpointText(signer, text, seconds)]
    return formatNote({ text, signatures: [...own, ...others] })
  }
  const reader = world.connect('hospital-a', {
    policy,
    fetch: async (request) => {
      const answer = await world.fetch(request)
      if (!new URL(request.url).pathname.startsWith('/v1/receipts/')) return answer
      const proof = parseTlogProof(await answer.text())
      return new Response(formatTlogProof({ ...proof, note: await signedAnew(proof.note) }))
    },
  })
  const view = await readReceipts(reader, await reader.replica(record))
  return {
    statuses: new Set(view?.statuses),
    rules: new Set(view?.problems.map(({ status, rule }) => `${status} ${rule}`)),
  }
}

describe('the time at which a log says that it signed a tree', () => {
  it('may be before and after the time of the witnesses by what clocks differ', async () => {
    for (const ms of [-120_000, 0, 120_000])
      expect(await seenAs((now) => now + ms)).toEqual({ statuses: new Set(['witnessed']), rules: new Set() })
  })

  it('is a problem where it is later than that of the witnesses', async () => {
    expect((await seenAs((now) => now + 122_000)).rules).toEqual(new Set(['suspect log-time']))
  })

  it('is a problem where it is before that of the blocks in the tree, as that of a home that hides when it signed', async () => {
    expect((await seenAs((now) => now - 86_400_000)).rules).toEqual(new Set(['suspect log-time']))
  })

  it('is not to be left out', async () => {
    expect((await seenAs(null)).rules).toEqual(new Set(['tampered receipt']))
  })

  it('may be long before the witnesses cosigned', () => {
    const tree = { size: 1, root: new Uint8Array(32), note: '' }
    const receipt = { level: 'witnessed', index: 0, size: 1, tree } as const
    const judged = { ...receipt, seenMs: 9e8, sinceMs: 9e8, byMs: 9e8, signedMs: [1000] }
    expect(oddLogTime(judged, 242_000)).toBeNull()
    expect(oddLogTime(judged, 242_001)).toBe(
      'the log says that it signed the tree 241 s before the block in it was made',
    )
    expect(oddLogTime({ ...judged, signedMs: [] }, 9e8)).toBeNull()
    expect(oddLogTime({ ...judged, signedMs: [9e8 + 120_000] }, 9e8)).toBeNull()
    expect(oddLogTime({ ...judged, signedMs: [9e8 + 121_000] }, 9e8)).toMatch(/121 s after the witnesses/)
    expect(oddLogTime({ ...judged, byMs: null, signedMs: [9e8 + 121_000] }, 9e8)).toBeNull()
  })
})
