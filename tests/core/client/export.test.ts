// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { canonicalize } from '#core/bytes/canonical-json.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { parseHead, signHead } from '#core/api/head.ts'
import { encodeKeyRow, entomb, parseKeyRow, type KeyRow } from '#core/block/key-row.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { makeCast, type Cast } from '#tests/vectors/ampere/record/cast.ts'

type Line = Readonly<Record<string, string>>
const fileText = (name: string) =>
  readFileSync(new URL(`../../vectors/ampere/record/${name}`, import.meta.url), 'utf8')
const lines = fileText('export.ampere')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Line)
const at = (kind: string) => lines.findIndex((line) => kind in line)
const value = (kind: string) => lines[at(kind)]?.[kind] ?? ''
/** The frozen export with the first line of a kind replaced, or with every line of it left out. */
const having = (kind: string, text: string | null) =>
  lines.flatMap((line, i) =>
    !(kind in line) ? [line] : text === null ? [] : [i === at(kind) ? { ...line, [kind]: text } : line],
  )
const verify = (given: readonly Line[]) =>
  verifyExport(utf8(given.map((line) => `${canonicalize(line)}\n`).join('')))

let cast: Cast
beforeAll(async () => {
  cast = await makeCast()
})

describe('an export', () => {
  it('is refused when the head statement is of another origin than the file', async () => {
    const { head } = parseHead(value('head'))
    const other = await signHead({ ...head, origin: 'https://other.test' }, cast.signers['home-1'])
    await expect(verify(having('head', other))).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining('rule head'),
    })
  })

  it('is refused when it holds no registry, or no blocks', async () => {
    const failed = (rule: string) => ({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining(`rule ${rule}:`),
    })
    await expect(verify(having('registryBlock', null))).rejects.toMatchObject(failed('registry'))
    await expect(verify(having('block', null))).rejects.toMatchObject(failed('head'))
  })
})

describe('the key row of an export', () => {
  const rowOf = (change: (row: KeyRow) => KeyRow) =>
    having('row', fromUtf8(encodeKeyRow(change(parseKeyRow(utf8(value('row')))))))
  const problemsOf = async (given: readonly Line[]) =>
    (await verify(given)).problems.map(({ height, status, rule }) => [height, status, rule])

  it('is tampered when an envelope says another compartment or epoch than the block', async () => {
    const [first, second] = parseKeyRow(utf8(value('row'))).envelopes
    if (!first || !second) throw new Error('two envelopes are expected')
    const compartment = `${second.compartment.slice(0, -2)}zw` as typeof first.compartment
    for (const spoiled of [
      { ...second, epoch: 2 },
      { ...second, compartment },
    ]) {
      const given = rowOf((row) => ({ ...row, envelopes: [first, spoiled] }))
      expect(await problemsOf(given)).toEqual([[2, 'tampered', 'keys-root']])
    }
  })

  it('misses a key when another entry than the erased one lost its key', async () => {
    const sealed = JSON.parse(fileText('sealed.json')) as Record<string, string>
    const whole = parseKeyRow(utf8(sealed['key row of epoch 1'] ?? ''))
    const gone = parseKeyRow(utf8(value('row'))).keys.findIndex((key) => 'erased' in key)
    const key = parseKeyRow(utf8(value('row'))).keys[gone]
    if (!key || !('erased' in key)) throw new Error('an erased key is expected')
    const other = entomb(whole, [(gone + 1) % 3], key.erased)
    expect(await problemsOf(rowOf(() => other))).toEqual([[2, 'missing', 'keys-row']])
    expect(await problemsOf(rowOf(() => entomb(whole, [gone], key.erased)))).toEqual([])
    // Whoever says that it is gone, the key is still there.
    const kept = await verify(rowOf(() => whole))
    expect([kept.problems, kept.erased, kept.statuses[2]]).toEqual([[], 0, 'erasing'])
  })
})
