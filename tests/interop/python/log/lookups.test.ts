// SPDX-License-Identifier: Apache-2.0
import { beforeAll, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { canonicalize } from '#core/bytes/canonical-json.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import type { Digest } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { Monitors } from '#core/client/client.ts'
import {
  lookupRecord,
  spoiltFile,
  type LookupExport,
  type Spoilt,
} from '#tests/vectors/ampere/lookups/monitored-record.ts'
import { comparable, describeWithPython, inNode, verifyInPython } from '../software.ts'

const FROZEN = new URL('../../../vectors/ampere/lookups/', import.meta.url)
const frozen = (name: string) => readFileSync(new URL(name, FROZEN))
const expected = JSON.parse(frozen('expected.json').toString()) as Record<string, object> & {
  registry: Digest
}
const { registry } = expected
const policy = frozen('policy.txt').toString()
const monitors = JSON.parse(frozen('monitors.json').toString()) as Monitors

describeWithPython('the answers of monitors in Python', () => {
  let live: LookupExport
  beforeAll(async () => {
    live = await lookupRecord()
  })

  it('in the frozen export say what is expected, from the file, the registry, the policy and the monitors alone', () => {
    const bytes = frozen('export.ampere')
    for (const [how, pins] of [
      ['pinned', { policy, monitors }],
      ['withoutMonitors', { policy }],
      ['withoutPolicy', { monitors }],
    ] as const) {
      const { answers } = verifyInPython([bytes], { registry, ...pins })
      expect(answers.map(comparable)).toMatchObject([expected[how]])
    }
  })

  it('that are spoilt say what is expected, each for its reason', () => {
    const lines = frozen('export.ampere').toString().trimEnd().split('\n')
    const { vectors } = JSON.parse(frozen('spoilt.json').toString()) as {
      vectors: readonly (Spoilt & { readonly expected: object })[]
    }
    const files = vectors.map((vector) => spoiltFile(lines, vector))
    const { answers, status } = verifyInPython(files, { registry, policy, monitors })
    const named = answers.map((answer, i) => [vectors[i]?.name, comparable(answer)])
    expect(named).toMatchObject(vectors.map(({ name, expected: said }) => [name, said]))
    expect([status, named.length]).toEqual([3, 21])
  })

  it('of a living home say what verifyExport says, by whatever monitors are pinned', async () => {
    const files = [live.file, ...live.spoilt.map(({ file }) => file)]
    const [m1, m2, m3, home] = ['http://m1.test', 'http://m2.test', 'http://m3.test', 'http://home.test']
    for (const pinned of [
      live.monitors,
      { origins: [m1], need: 1 },
      { origins: [m2, m1, m3], need: 2 },
      { origins: [home, m1], need: 2 },
    ] as Monitors[]) {
      const pins = { registry: live.registry, policy: live.policy, monitors: pinned }
      const here = await Promise.all(
        files.map((bytes) => inNode(bytes, live.registry, undefined, live.policy, pinned)),
      )
      expect(verifyInPython(files, pins).answers.map(comparable)).toEqual(here)
    }
    const early = live.seenMs - 5000
    const there = verifyInPython([live.file], {
      registry: live.registry,
      policy: live.policy,
      monitors: live.monitors,
      now: toTimestamp(early),
    })
    expect(there.answers.map(comparable)).toEqual([
      await inNode(live.file, live.registry, early, live.policy, live.monitors),
    ])
    expect(there.answers[0]?.complete?.asOfMs).toBe(early)
  })

  it('with other values at any place say what verifyExport says', async () => {
    const files = [live.file, live.withheld].flatMap(mutated)
    const pins = { registry: live.registry, policy: live.policy, monitors: live.monitors }
    const here = await Promise.all(
      files.map((bytes) => inNode(bytes, live.registry, undefined, live.policy, live.monitors)),
    )
    expect(verifyInPython(files, pins).answers.map(comparable)).toEqual(here)
    const said = new Set(here.map((answer) => ('code' in answer ? answer.code : answer.complete?.why)))
    expect(said).toEqual(new Set(['EXPORT_MALFORMED', 'no-label-key', 'too-few', 'withheld', null]))
    expect(files.length).toBeGreaterThan(50)
  })
})

const VALUES = [null, 'AAAA', 3, 'A'.repeat(43)] as const

/** The file with each member of its label key and first lookup left out, twice, or of another value. */
function mutated(file: Uint8Array): Uint8Array[] {
  const lines = fromUtf8(file).trimEnd().split('\n')
  const at = (kind: string) => lines.findIndex((line) => kind in (JSON.parse(line) as object))
  return [at('labelKey'), at('lookup')].flatMap((index) => {
    const line = JSON.parse(lines[index] ?? '{}') as Record<string, unknown>
    const put = (...changed: readonly object[]) =>
      utf8(
        lines
          .toSpliced(index, 1, ...changed.map((each) => canonicalize(each)))
          .map((text) => `${text}\n`)
          .join(''),
      )
    const members = Object.keys(line).flatMap((member) => {
      const { [member]: value, ...rest } = line
      const found = member === 'found' && value !== null ? (value as Record<string, string>) : null
      const within =
        found === null
          ? []
          : [
              { ...found, hash: 3 },
              { ...found, more: 1 },
              { hash: found['hash'] },
              { ...found, receipt: '\n\n' },
            ]
      const flipped =
        typeof value === 'string'
          ? [value.slice(0, -1), `${value}A`, value.replace(/.$/, 'x'), value.replace('.', '..')]
          : []
      return [
        put(rest),
        ...[...VALUES, ...within, ...flipped].map((other) => put({ ...line, [member]: other })),
      ]
    })
    return [put(), put(line, line), put({ ...line, more: 1 }), ...members]
  })
}
