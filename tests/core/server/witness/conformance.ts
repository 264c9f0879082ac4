// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { toHex, utf8 } from '#core/bytes/encoding.ts'
import { sha256 } from '#core/crypto/hash.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { parseCosignatures, parseSizeBody } from '#core/log/add-checkpoint.ts'
import { verifyCheckpointSignature } from '#core/log/note/cosignature.ts'
import type { LogKey } from '#core/log/note/key.ts'
import { parseNote } from '#core/log/note/note.ts'
import { openCheckpoint } from '#core/log/note/open-checkpoint.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { CONFORMANCE_CASES, FRESH_CASES, type ConformanceCase } from './conformance-cases.ts'
import type { TestLog } from './test-log.ts'

/** A witness that is to be checked: any that can be reached and knows the log. */
export interface WitnessUnderTest {
  readonly fetch: Fetch
  /** Submission prefix, without a slash at its end. */
  readonly submission: string
  /** Monitoring prefix; null where the witness has none. */
  readonly monitoring: string | null
  /** A log that the witness knows and of which we hold the keys: its tree only grows, so runs may be repeated. */
  readonly log: TestLog
  /** Another one, of which nothing was cosigned yet; null leaves out what can be asked only then. */
  readonly fresh: TestLog | null
  /** Keys whose cosignatures are wanted, all of them. */
  readonly keys: readonly LogKey[]
  /** Answers another root at the same size as version 1.0.0 of tlog-witness does, with 409. */
  readonly isVersion1?: boolean
}

/** Runs the table of statuses of c2sp.org/tlog-witness against a witness. */
export function witnessConformance(name: string, open: () => Promise<WitnessUnderTest>): void {
  describe(`${name}, as c2sp.org/tlog-witness says`, () => {
    let subject: WitnessUnderTest
    const post = async (body: string | Uint8Array<ArrayBuffer>) => {
      // As bytes, so that no content type is sent: the specification asks for none.
      const bytes = typeof body === 'string' ? utf8(body) : body
      const request = new Request(`${subject.submission}/add-checkpoint`, { method: 'POST', body: bytes })
      return subject.fetch(request)
    }
    /** The size that the witness cosigned last, by the probe that the specification allows. */
    const recorded = async (): Promise<number> => {
      const answer = await post(await subject.log.request(0, 1))
      // Where nothing was cosigned before, the probe is a request like others.
      return answer.status === 409 ? parseSizeBody(await answer.text()) : 1
    }
    beforeAll(async () => {
      subject = await open()
    })

    const run = async ({ ask, status, statusOfVersion1 }: ConformanceCase) => {
      const size = await recorded()
      const answer = await post(await ask(subject.log, size))
      expect(answer.status).toBe(subject.isVersion1 ? (statusOfVersion1 ?? status) : status)
      if (answer.status === 409 && status === 409) {
        expect(answer.headers.get('content-type')).toBe('text/x.tlog.size')
        expect(await answer.text()).toBe(`${size}\n`)
      }
      if (status !== 200) expect(await recorded()).toBe(size)
    }
    // In order: what the last of them ask for is cosigned.
    for (const { name: what, status, ask } of FRESH_CASES)
      it(`answers ${status} to ${what}, where nothing was cosigned`, async () => {
        if (!subject.fresh) return
        const answer = await post(await ask(subject.fresh, 0))
        expect(answer.status).toBe(status)
        if (status === 409) expect(await answer.text()).toBe('0\n')
      })

    for (const each of CONFORMANCE_CASES) it(`answers ${each.status} to ${each.name}`, () => run(each))

    for (const growth of [0, 1, 2, 7, 250])
      it(`answers 200 with good cosignatures to ${growth} more leaves`, async () => {
        const size = await recorded()
        const answer = await post(await subject.log.request(size, size + growth))
        expect(answer.status).toBe(200)
        const lines = await answer.text()
        const { text } = parseNote(await subject.log.note(size + growth))
        const times = await verifiedTimes(subject.keys, text, lines)
        expect(times).toHaveLength(subject.keys.length)
        expect(Math.min(...times)).toBeGreaterThan(0)
        expect(await recorded()).toBe(size + growth)
      })

    it('serves what it cosigned last, with the signatures of the log and its own', async () => {
      const { monitoring, log, keys } = subject
      if (monitoring === null) return
      const size = await recorded()
      const id = toHex(sha256(utf8(log.origin)))
      const answer = await subject.fetch(new Request(`${monitoring}/${id}/checkpoint`))
      const known = { logs: log.signers.map(({ key }) => key), cosigners: keys }
      const opened = await openCheckpoint(await answer.text(), known, createVerifiers())
      expect([answer.status, opened.checkpoint.size]).toEqual([200, size])
      expect(opened.cosignatures.map(({ key }) => key)).toEqual(keys)
      const unknown = toHex(sha256(utf8('never cosigned')))
      expect((await subject.fetch(new Request(`${monitoring}/${unknown}/checkpoint`))).status).toBe(404)
    })
  })
}

/** Times of the cosignatures by these keys; throws when one does not verify. */
async function verifiedTimes(keys: readonly LogKey[], text: string, lines: string): Promise<number[]> {
  const verifiers = createVerifiers()
  const times: number[] = []
  for (const signature of parseCosignatures(lines)) {
    const key = keys.find(({ name, id }) => name === signature.name && id === signature.id)
    if (!key) continue
    const verified = await verifyCheckpointSignature(key, text, signature, verifiers)
    if (!verified) throw new Error(`a cosignature by ${key.type} does not verify`)
    times.push(verified.time ?? 0)
  }
  return times
}
