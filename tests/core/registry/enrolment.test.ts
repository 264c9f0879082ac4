// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { fromBase64url, fromHex, toHex } from '#core/bytes/encoding.ts'
import { verifyJws } from '#core/block/jws.ts'
import { enrolmentCode, openEnrolment, parseEnrolmentAnswer } from '#core/registry/enrolment.ts'
import { openSeed, sealSeed } from '#core/seal/handover.ts'
import { enrolmentVectors } from '#tests/vectors/ampere/generate-enrolment.ts'
import { verifiers } from './members.ts'

const file = new URL('../../vectors/ampere/enrolment.json', import.meta.url)
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as {
  vectors: Awaited<ReturnType<typeof enrolmentVectors>>
}

describe('the enrolment that an earlier version made', () => {
  it('is the same request, with the same code', async () => {
    const opened = await openEnrolment(vectors.request, verifiers)
    expect([opened.id, opened.code, enrolmentCode(opened.id)]).toEqual([
      vectors.id,
      vectors.code,
      vectors.code,
    ])
    expect(opened.request).toMatchObject({ instance: 'ward-7', capabilities: ['create', 'identify'] })
    const { request, id, code, refused } = await enrolmentVectors()
    expect([request, id, code, refused]).toEqual([vectors.request, vectors.id, vectors.code, vectors.refused])
  })

  it('is answered by the root key, and its seed opens for this request alone', async () => {
    const [approved, refused] = [vectors.approved, vectors.refused].map(parseEnrolmentAnswer)
    for (const parsed of [approved, refused]) if (parsed) await verifyJws(parsed.jws, vectors.root, verifiers)
    expect(refused?.answer).toMatchObject({ answer: 'refused', reason: 'not one of ours' })
    if (approved?.answer.answer !== 'approved' || approved.answer.seed === null) throw new Error('no seed')
    const { registry, institution, enrolment } = approved.answer
    const [sealed, openWith] = [fromBase64url(approved.answer.seed), fromHex(vectors.openWith)]
    const about = { registry, institution, enrolment }
    const seed = await openSeed(about, openWith, sealed, vectors.sealingKid)
    expect(toHex(seed)).toBe(vectors.sealingSeed)
    const failed = { code: 'OPEN_FAILED' }
    const other = { ...about, enrolment: registry }
    await expect(openSeed(other, openWith, sealed, vectors.sealingKid)).rejects.toMatchObject(failed)
    await expect(openSeed(about, openWith, sealed, registry)).rejects.toMatchObject(failed)
    await expect(openSeed(about, seed, sealed, vectors.sealingKid)).rejects.toMatchObject(failed)
    const short = await sealSeed(
      about,
      fromBase64url((await openEnrolment(vectors.request, verifiers)).request.sealTo ?? ''),
      new Uint8Array(16),
    )
    await expect(openSeed(about, openWith, short, vectors.sealingKid)).rejects.toMatchObject(failed)
  })
})
